"""Where submissions stand at a moment: one row each, counted in several ways."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import polars as pl

from checkpoint_queries import AGES, age_of, ask, days_waiting
from checkpoint_report._figures.scope import Scope
from checkpoint_report._figures.tables import Table, counted
from checkpoint_report._period import Period

__all__ = [
    "ATTEMPTS",
    "NOT_ALIVE",
    "NOT_PASSED",
    "PASSED",
    "STATUSES",
    "attempts_table",
    "backlog_table",
    "center_table",
    "cohort_table",
    "duplicates_table",
    "earlier_backlog",
    "earlier_table",
    "kind_table",
    "occurring",
    "standing",
    "step_of",
    "study_table",
]

_PASSED_AGAIN: Final = "resubmitted (pass-qc)"
_FAILED_AGAIN: Final = "resubmitted (not-pass-qc)"
STATUSES: Final = (
    "pass-qc", "not-pass-qc", "waiting", _PASSED_AGAIN, _FAILED_AGAIN, "duplicate", "deleted",
)  # fmt: skip
"""Where a submission can stand; one that was handed in again, with its last outcome."""
PASSED: Final = ("pass-qc", _PASSED_AGAIN)
NOT_PASSED: Final = ("not-pass-qc", _FAILED_AGAIN)
"""Those whose last outcome is this."""
NOT_ALIVE: Final = ("duplicate", "deleted")
"""Those of which nothing is left to be checked."""
ATTEMPTS: Final = ("none", "1", "2", "3 or more")
"""How often a submission was handed in, as far as that was not taken back."""

_OUTCOMES: Final = ("pass-qc", "not-pass-qc", "none")
_COLUMNS: Final = (
    "pipeline_adcid", "study", "datatype", "module", "modality", "status", "outcome",
    "first_submit", "open_since", "first_pass", "last_event", "submits", "duplicates",
    "days_to_submission", "days_to_qc",
)  # fmt: skip


def standing(events: pl.LazyFrame, scope: Scope, end: datetime | None = None) -> pl.DataFrame:
    """Return each submission as it stood at a moment, by default the last that is counted.

    Added to the answer are `standing`, one of STATUSES, and `center`, `kind` and `attempts`, the
    keys of rows in tables; and since its first submit without an outcome, `days_waiting` and `age`.
    """
    until = scope.cut if end is None else end
    answer = ask("submissions", events, scope.filters(end=until)).select(_COLUMNS)
    days = days_waiting("open_since", until)
    again = pl.format("resubmitted ({})", "outcome")
    part = pl.coalesce("module", "modality")
    return answer.with_columns(
        standing=pl.when(pl.col("status") == "resubmitted").then(again).otherwise("status"),
        center=pl.col("pipeline_adcid").cast(pl.String),
        kind=pl.concat_str("datatype", part, separator=" ", ignore_nulls=True),
        attempts=pl.when(pl.col("submits") >= 3)
        .then(pl.lit(ATTEMPTS[-1]))
        .when(pl.col("submits") == 0)
        .then(pl.lit(ATTEMPTS[0]))
        .otherwise(pl.col("submits").cast(pl.String)),
        outcome=pl.col("outcome").fill_null("none"),
        days_waiting=days,
        age=age_of(days).cast(pl.String),
    ).collect()


def occurring(found: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Keep the submissions whose latest event is of the period."""
    return found.filter(pl.col("last_event") >= period.begin)


def center_table(found: pl.DataFrame, centers: Iterable[str]) -> Table[int]:
    """Count submissions by center and status."""
    return _table("status", found, ("center", "standing"), centers, STATUSES)


def study_table(found: pl.DataFrame) -> Table[int]:
    """Count submissions by study and status."""
    return _table("study", found, ("study", "standing"), _all(found["study"]), STATUSES)


def kind_table(found: pl.DataFrame) -> Table[int]:
    """Count submissions by status, and by datatype with its module or modality."""
    return _table("kind", found, ("kind", "standing"), _all(found["kind"]), STATUSES)


def attempts_table(found: pl.DataFrame) -> Table[int]:
    """Count submissions by how often they were handed in and by status."""
    return _table("attempts", found, ("attempts", "standing"), ATTEMPTS, STATUSES)


def earlier_table(found: pl.DataFrame, centers: Iterable[str]) -> Table[int]:
    """Count the submissions of the period before by center and last outcome."""
    return _table("status-before", found, ("center", "outcome"), centers, _OUTCOMES)


def cohort_table(found: pl.DataFrame, steps: Sequence[Period]) -> Table[int]:
    """Count submissions by the step in which they were first handed in, and by last outcome."""
    since = found.filter(pl.col("first_submit") >= steps[0].begin)
    keys = [step.first.isoformat() for step in steps]
    cohorts = since.with_columns(step=step_of(pl.col("first_submit"), steps))
    return _table("cohort", cohorts, ("step", "outcome"), keys, _OUTCOMES)


def duplicates_table(found: pl.DataFrame, centers: Iterable[str]) -> Table[int]:
    """Count the submissions of which some submit was taken back, by center."""
    some = found.filter(pl.col("duplicates") > 0).with_columns(some=pl.lit("with duplicates"))
    return _table("duplicates", some, ("center", "some"), centers, ("with duplicates",))


def backlog_table(waiting: pl.DataFrame, centers: Iterable[str]) -> Table[int]:
    """Count those that wait for a first outcome by center and age."""
    return _table("backlog", waiting, ("center", "age"), centers, AGES)


def earlier_backlog(found: pl.DataFrame, centers: Iterable[str]) -> Table[int]:
    """Count those that waited at the end of the period before, by center."""
    waiting = found.filter(pl.col("status") == "waiting")
    return _table("backlog-before", waiting, ("center", "status"), centers, ("waiting",))


def step_of(moment: pl.Expr, steps: Sequence[Period]) -> pl.Expr:
    """Return the first day, as text, of the one of successive steps that a moment is of."""
    firsts = [step.first for step in steps]
    found = pl.lit(firsts[0].isoformat())
    for first in firsts[1:]:
        found = pl.when(moment.dt.date() >= first).then(pl.lit(first.isoformat())).otherwise(found)
    return found


def _all(column: pl.Series) -> list[str]:
    return sorted(column.unique())


def _table(
    name: str,
    found: pl.DataFrame,
    by: tuple[str, str],
    rows: Iterable[str],
    columns: Iterable[str],
) -> Table[int]:
    numbers = found.group_by(by).len()
    counts = {(row, column): number for row, column, number in numbers.iter_rows()}
    return counted(name, rows, columns, counts)
