"""The definition of a submission once more, as a view in SQL."""

import re
from importlib.resources import files
from typing import Final, Literal

Dialect = Literal["duckdb", "athena"]

TEST_SITE_LEFT_OUT: Final = "WHERE pipeline_adcid <> 0"

_DUCKDB_BEGINS: Final = """\
-- Submissions, in DuckDB's SQL: the definition of docs/analysing.md.
-- checkpoint_events_numbered is the checkpoint with the number of each row in the file; of format
-- 1.0 with the columns naccid and modality, too. Leave out the last line for the test site, too.
CREATE VIEW checkpoint_submissions AS
WITH numbered AS (
  SELECT *, file_row_number AS place FROM checkpoint_events_numbered
),
"""
"""What stands in DuckDB before `keyed`, where Athena has no number of a row."""


def submissions_view(dialect: Dialect, *, include_test_center: bool = False) -> str:
    """Return the statement that makes the view `checkpoint_submissions`.

    Its columns are those of the question `submissions` of the latest event format. In Athena it is
    made of the table `checkpoint_events`, in DuckDB of `checkpoint_events_numbered`, which has
    `file_row_number`, too.
    """
    text = files(__package__).joinpath("submissions.athena.sql").read_text(encoding="utf-8")
    if dialect == "duckdb":
        text = _DUCKDB_BEGINS + text[text.index("keyed AS (") :]
        # Times have a zone there, and would become days in that of the connection.
        text = re.sub(r"CAST\((first_\w+) AS DATE\)", r"CAST(\1 AT TIME ZONE 'UTC' AS DATE)", text)
    return text.replace(TEST_SITE_LEFT_OUT, "") if include_test_center else text
