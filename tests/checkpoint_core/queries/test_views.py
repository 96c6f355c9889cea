"""The definition in SQL, in two dialects, says the same of every history."""

import difflib
from functools import cache

import duckdb
import polars as pl
import pytest
import sqlglot
from hypothesis import given, settings

from checkpoint_core.queries import SUBMISSION, Filters, submissions, submissions_view
from nacc_event_model import EventFormat
from tests.checkpoint_core.queries.generated import checkpoints, large_checkpoint

pytestmark = pytest.mark.on_one_python

UNSORTED = {"study", "center_label", "project_label", "visit_number", "packet", "naccid"}
"""What is told by which of equal versions is the later: Athena's rows have no order."""


@cache
def database() -> duckdb.DuckDBPyConnection:
    """Open the one database of this process: opening one takes longer than a question."""
    return duckdb.connect(config={"threads": 1}).execute("SET TimeZone = 'UTC'")


def in_duckdb(frame: pl.DataFrame, *, include_test_center: bool = False) -> pl.DataFrame:
    """Ask the view for DuckDB."""
    numbered = frame.with_row_index("file_row_number")
    database().register("checkpoint_events_numbered", numbered.to_arrow())
    return answer(submissions_view("duckdb", include_test_center=include_test_center))


def as_athena(frame: pl.DataFrame) -> pl.DataFrame:
    """Ask the view for Athena, as another program's reading of Trino's SQL gives it to DuckDB."""
    naive = frame.with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    # No order of rows that a query could happen to be right by.
    database().register("checkpoint_events", naive.reverse().to_arrow())
    found = answer(translated(submissions_view("athena")))
    return found.with_columns(pl.col(pl.Datetime).dt.replace_time_zone("UTC"))


@cache
def translated(statement: str) -> str:
    """Translate one statement of Athena's SQL to DuckDB's; what it does not know it refuses."""
    refused = sqlglot.ErrorLevel.RAISE
    (found,) = sqlglot.transpile(
        statement, read="athena", write="duckdb", error_level=refused, unsupported_level=refused
    )
    return found


def answer(statement: str) -> pl.DataFrame:
    """Make the view, and read it in the order of the question."""
    database().execute("DROP VIEW IF EXISTS checkpoint_submissions")
    database().execute(statement)
    found = pl.DataFrame(database().sql("FROM checkpoint_submissions").to_arrow_table())
    return found.sort(SUBMISSION)


def asked(frame: pl.DataFrame, filters: Filters = Filters()) -> pl.DataFrame:  # noqa: B008 - frozen
    """Ask the question."""
    return submissions(frame.lazy(), filters).collect().sort(SUBMISSION)


@settings(max_examples=50)
@given(checkpoints(EventFormat.V1_1))
def test_the_view_for_duckdb_says_the_same(frame: pl.DataFrame) -> None:
    """In every column, of all that may be handed in."""
    expected = asked(frame)
    actual = in_duckdb(frame)

    assert expected.columns == actual.columns
    assert expected.rows() == actual.rows()


@settings(max_examples=50)
@given(checkpoints(EventFormat.V1_1))
def test_the_view_for_athena_says_the_same(frame: pl.DataFrame) -> None:
    """But for which of equal versions is the later."""
    expected = asked(frame).drop(UNSORTED)

    assert expected.rows() == as_athena(frame).drop(UNSORTED).rows()


def test_the_views_say_the_same_of_thousands() -> None:
    """The test site among them where it is asked for."""
    frame = large_checkpoint(10_000, EventFormat.V1_1)

    assert asked(frame).rows() == in_duckdb(frame).rows()
    assert asked(frame).drop(UNSORTED).rows() == as_athena(frame).drop(UNSORTED).rows()
    site = frame.with_columns(pl.col("pipeline_adcid") - 1)
    everything = asked(site, Filters(include_test_center=True))
    assert everything.rows() == in_duckdb(site, include_test_center=True).rows()
    assert asked(site).rows() != everything.rows()


def test_the_two_dialects_differ_only_where_they_must() -> None:
    """In where the rows come from, and in how a time becomes a day."""
    texts = [submissions_view("duckdb").splitlines(), submissions_view("athena").splitlines()]
    first, second = (
        text[next(n for n, line in enumerate(text) if "keyed" in line) :] for text in texts
    )

    changed = [line for line in difflib.ndiff(first, second) if line.startswith(("- ", "+ "))]
    assert 4 == len(changed)
    assert all("date_diff('day', visit_date" in line for line in changed)
