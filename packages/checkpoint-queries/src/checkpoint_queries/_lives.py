"""What the events of a submission say of it: the one reading of status, outcome and times."""

from typing import Final

import polars as pl

from checkpoint_queries._identity import arranged
from checkpoint_queries.questions import Identity

STATUSES: Final = ("waiting", "resubmitted", "not-pass-qc", "pass-qc", "deleted", "duplicate")
"""Where a submission can stand.

- waiting: handed in, and without an outcome;
- resubmitted: handed in again after an outcome, which stands beside it;
- not-pass-qc, pass-qc: its last outcome;
- deleted: nothing but duplicates came after its delete;
- duplicate: all that was handed in was dismissed as known already, and it has no outcome.
"""

FACTS: Final = {
    "status": pl.String(),
    "outcome": pl.String(),
    "first_submit": pl.Datetime("us", "UTC"),
    "last_submit": pl.Datetime("us", "UTC"),
    "open_since": pl.Datetime("us", "UTC"),
    "first_pass": pl.Datetime("us", "UTC"),
    "last_event": pl.Datetime("us", "UTC"),
    "submits": pl.UInt32(),
    "passes": pl.UInt32(),
    "failures": pl.UInt32(),
    "duplicates": pl.UInt32(),
    "days_to_submission": pl.Int64(),
    "days_to_qc": pl.Int64(),
}
"""What `lives` finds out, all but the last event about the time since the last delete."""

_USUAL_STUDY: Final = "adrc"
STUDY: Final = (
    pl.when((pl.col("study") != _USUAL_STUDY) & ~pl.col("key_replaced"))
    .then("study")
    .drop_nulls()
    .last()
    .fill_null(pl.lit(_USUAL_STUDY))
)
"""Aggregates the studies of a submission's events, in order, to its own.

It is the latest other than adrc, which producers write where they know no better.
"""

_SCRATCH: Final = (
    "key_replaced",
    "alive",
    "closed",
    "stack",
    "height",
    "dismissed",
    "counts",
    "last_passed",
    "last_failed",
    "submit_came_first",
    "begun",
    "deleted",
)
_ACTION: Final = pl.col("action")
_ID: Final = pl.col("key_id")


def days_from_visit(moment: str = "timestamp") -> pl.Expr:
    """Return the whole days from an event's visit_date to its timestamp, as `days`.

    A day begins at midnight UTC. Negative where the event is dated before the visit.
    """
    return (pl.col(moment).dt.date() - pl.col("visit_date")).dt.total_days().alias("days")


def lives(events: pl.LazyFrame, identity: Identity) -> pl.LazyFrame:
    """Return one row for each submission: its latest event, the columns of KEYS, and the FACTS.

    `key_study` is its STUDY. Sorted by KEYS. Events are given in the order of the file.
    """
    read = _read(arranged(events, identity))
    is_submit = pl.col("counts") & (_ACTION == "submit")
    passed = pl.col("alive") & (_ACTION == "pass-qc")
    failed = pl.col("alive") & (_ACTION == "not-pass-qc")
    time, place = pl.col("timestamp"), pl.int_range(pl.len(), dtype=pl.UInt32)
    flat = read.with_columns(
        f_submit=pl.when(is_submit).then(time),
        f_open=pl.when(is_submit & ~pl.col("closed")).then(time),
        f_pass=pl.when(passed).then(time),
        f_submit_place=pl.when(is_submit).then(place),
        f_passed_place=pl.when(passed).then(place),
        f_failed_place=pl.when(failed).then(place),
        f_begun=pl.col("alive") & (_ACTION != "duplicate-submit"),
    )
    grouped = flat.group_by("key_id", maintain_order=True).agg(
        pl.all().exclude("key_id", "^f_.*$").last(),
        key_study=STUDY,
        first_submit=pl.col("f_submit").min(),
        last_submit=pl.col("f_submit").max(),
        open_since=pl.col("f_open").min(),
        first_pass=pl.col("f_pass").min(),
        last_event=time.last(),
        submits=pl.col("f_submit").count(),
        passes=pl.col("f_pass").count(),
        failures=pl.col("f_failed_place").count(),
        duplicates=pl.col("dismissed").sum(),
        last_passed=pl.col("f_passed_place").max(),
        last_failed=pl.col("f_failed_place").max(),
        submit_came_first=pl.col("f_submit_place").min() < pl.col("f_passed_place").min(),
        begun=pl.col("f_begun").any(),
        deleted=(_ACTION == "delete").any(),
    )
    return _told(grouped)


def _read(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Read the events of each submission in order, all at once.

    Kept is the last version of each event. `alive` are those after the last delete; of these
    `dismissed` are submits that a duplicate-submit took back, and `counts` is the rest. `closed`
    are those that an outcome follows.
    """
    events = rows.filter(~pl.col("key_replaced"))
    outcome = _ACTION.is_in(["pass-qc", "not-pass-qc"])
    # The submission of the next such event is this one's only if it comes later in this one.
    deleted_later = pl.when(_ACTION == "delete").then(_ID).backward_fill() == _ID
    closed = pl.when(outcome).then(_ID).backward_fill() == _ID
    step = (
        pl.when(_ACTION == "submit")
        .then(1)
        .when(_ACTION == "duplicate-submit")
        .then(-1)
        .otherwise(0)
        .cast(pl.Int64)
    )
    begins = (_ID.shift(1) != _ID).fill_null(value=True)
    told = events.with_columns(
        alive=~deleted_later.fill_null(value=False),
        closed=closed.fill_null(value=False),
        # Open submits are a stack, which whatever is an outcome or a delete empties.
        stack=(begins | outcome | (_ACTION == "delete")).cum_sum(),
        height=step.cum_sum(),
    )
    # A submit is taken back by the first duplicate that leaves the stack lower than the submit did.
    lowest = pl.col("height").cum_min(reverse=True).over("stack")
    taken_back = (_ACTION == "submit") & (lowest < pl.col("height"))
    return told.with_columns(dismissed=pl.col("alive") & taken_back).with_columns(
        counts=pl.col("alive") & ~pl.col("dismissed")
    )


def _told(found: pl.LazyFrame) -> pl.LazyFrame:
    """Tell status, outcome and days from what was found."""
    passed, failed = pl.col("last_passed"), pl.col("last_failed")
    outcome = (
        pl.when(failed.is_null() | (passed > failed))
        .then(pl.when(passed.is_not_null()).then(pl.lit("pass-qc")))
        .otherwise(pl.lit("not-pass-qc"))
    )
    is_open = pl.col("open_since").is_not_null()
    status = (
        pl.when(is_open & pl.col("outcome").is_null())
        .then(pl.lit("waiting"))
        .when(is_open)
        .then(pl.lit("resubmitted"))
        .when(pl.col("outcome").is_not_null())
        .then("outcome")
        .when(pl.col("deleted") & ~pl.col("begun"))
        .then(pl.lit("deleted"))
        .otherwise(pl.lit("duplicate"))
    )
    return (
        found.with_columns(outcome=outcome)
        .with_columns(
            status=status,
            days_to_submission=days_from_visit("first_submit"),
            days_to_qc=pl.when("submit_came_first").then(days_from_visit("first_pass")),
        )
        .drop(_SCRATCH)
    )
