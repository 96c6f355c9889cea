"""The definition in SQL, in two dialects, says the same of every history."""

from collections.abc import Callable
from functools import cache

import duckdb
import polars as pl
import pytest
import sqlglot

from checkpoint_queries import SUBMISSION, Filters, submissions, submissions_view
from nacc_event_model import EventFormat
from tests.checkpoint_queries.generated import (
    TIMES,
    every_history,
    in_file_order,
    large_checkpoint,
)

pytestmark = pytest.mark.on_one_python

UNSORTED = {"study", "center_label", "project_label", "visit_number", "packet", "naccid"}
"""What is told by which of equal versions is the later: Athena's rows have no order."""


@cache
def database() -> duckdb.DuckDBPyConnection:
    """Open the one database of this process: opening one takes longer than a question.

    Where it is, the day begins at another moment than in UTC.
    """
    return duckdb.connect(config={"threads": 1}).execute("SET TimeZone = 'Pacific/Auckland'")


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


@pytest.mark.parametrize(
    "make",
    [
        lambda: every_history(5),
        lambda: large_checkpoint(8_000, EventFormat.V1_1, TIMES),
        lambda: large_checkpoint(4_000, EventFormat.V1_1),
        lambda: in_file_order([], EventFormat.V1_1),
    ],
    ids=["every history of five actions", "few times", "many times", "nothing"],
)
def test_the_views_say_the_same_of_thousands(make: Callable[[], pl.DataFrame]) -> None:
    """In every column; Athena's but for which of equal versions is the later, which it always is."""
    frame = make()
    expected = asked(frame)
    actual = in_duckdb(frame)

    assert expected.columns == actual.columns
    assert expected.rows() == actual.rows()
    in_athena = as_athena(frame)
    assert expected.drop(UNSORTED).rows() == in_athena.drop(UNSORTED).rows()
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1)
    assert in_athena.rows() == as_athena(shuffled).rows()


def test_the_test_site_is_there_where_it_is_asked_for() -> None:
    """And not otherwise."""
    frame = large_checkpoint(800, EventFormat.V1_1).with_columns(pl.col("pipeline_adcid") - 1)
    everything = asked(frame, Filters(include_test_center=True))

    assert everything.rows() == in_duckdb(frame, include_test_center=True).rows()
    assert asked(frame).rows() == in_duckdb(frame).rows() != everything.rows()
