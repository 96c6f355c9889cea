"""The definition of a submission once more, as a view in SQL."""

from importlib.resources import files
from typing import Final, Literal

Dialect = Literal["duckdb", "athena"]

TEST_SITE_LEFT_OUT: Final = "WHERE pipeline_adcid <> 0"


def submissions_view(dialect: Dialect, *, include_test_center: bool = False) -> str:
    """Return the statement that makes the view `checkpoint_submissions`.

    Its columns are those of the question `submissions` of the latest event format. In Athena it is
    made of the table `checkpoint_events`, in DuckDB of `checkpoint_events_numbered`, which has
    `file_row_number`, too.
    """
    text = files(__package__).joinpath(f"submissions.{dialect}.sql").read_text(encoding="utf-8")
    return text.replace(TEST_SITE_LEFT_OUT, "") if include_test_center else text
