"""How many: events by any fields, submissions by where they stand, errors and pass rates."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from checkpoint_queries._filters import NO_FILTERS, Filters, candidates, filter_events, wanted
from checkpoint_queries._grouping import checked, summarize
from checkpoint_queries._lives import lives
from checkpoint_queries._submissions import described, labelled
from checkpoint_queries.questions import Identity

_STATUS: Final = pl.col("status")
_OUTCOME: Final = pl.col("outcome")
_IS_THERE: Final = _STATUS != "deleted"
_PASSED: Final = _OUTCOME == "pass-qc"
_FAILED: Final = _OUTCOME == "not-pass-qc"


def counts(
    events: pl.LazyFrame,
    filters: Filters = NO_FILTERS,
    *,
    by: Sequence[str] = ("center_label", "action"),
) -> pl.LazyFrame:
    """Count events by fields and periods, in the column `events`.

    Rows are counted: an event that was rewritten counts with each of its versions.
    """
    by = checked(events, by)
    rows = filter_events(events, filters)
    if "center_label" in by:
        rows = labelled(rows, events, filters)
    return summarize(rows, by, pl.len().alias("events"))


def current_status(
    events: pl.LazyFrame,
    filters: Filters = NO_FILTERS,
    *,
    by: Sequence[str] = ("center_label",),
    identity: Identity = "submission",
) -> pl.LazyFrame:
    """Count submissions by fields, by `status`, and by the last `outcome` that stands beside it."""
    by = checked(events, by)
    found = _standing(events, filters, by, identity)
    return summarize(found, [*by, "status", "outcome"], pl.len().alias("submissions"))


def errors_by_center(
    events: pl.LazyFrame,
    filters: Filters = NO_FILTERS,
    *,
    by: Sequence[str] = ("center_label",),
    identity: Identity = "submission",
) -> pl.LazyFrame:
    """Count for each center, or by other fields, the `submissions`, and which of them are `errors`.

    An error is a submission whose last outcome is not-pass-qc; `resubmitted` are the errors that
    were handed in again since. Deleted ones are not counted; a center with nothing else has zeros.
    """
    by = checked(events, by)
    return summarize(
        _standing(events, filters, by, identity),
        by,
        _IS_THERE.sum().alias("submissions"),
        _FAILED.sum().alias("errors"),
        (_FAILED & (_STATUS == "resubmitted")).sum().alias("resubmitted"),
    )


def pass_rates(
    events: pl.LazyFrame,
    filters: Filters = NO_FILTERS,
    *,
    by: Sequence[str] = ("center_label",),
    identity: Identity = "submission",
) -> pl.LazyFrame:
    """Count submissions by fields, and say which share of them passed QC.

    `submissions` are `passed` or `not_passed` by their last outcome, or without one `waiting` or
    `duplicate`; deleted ones are none of them. `resubmitted` are those of passed and not_passed
    that were handed in again since. `pass_rate` is passed / (passed + not_passed), null where that
    is no number.
    """
    by = checked(events, by)
    counted = summarize(
        _standing(events, filters, by, identity),
        by,
        _IS_THERE.sum().alias("submissions"),
        _PASSED.sum().alias("passed"),
        _FAILED.sum().alias("not_passed"),
        *(_STATUS.eq(name).sum().alias(name) for name in ("waiting", "resubmitted", "duplicate")),
    )
    outcomes = pl.col("passed") + pl.col("not_passed")
    rate = pl.when(outcomes > 0).then(pl.col("passed") / outcomes)
    return counted.with_columns(rate.alias("pass_rate"))


def _standing(
    events: pl.LazyFrame, filters: Filters, by: Sequence[str], identity: Identity
) -> pl.LazyFrame:
    """Return the submissions that are asked for, as groups see them."""
    found = wanted(lives(candidates(events, filters, identity), identity), filters, identity)
    return described(found, events, filters, identity, labels="center_label" in by)
