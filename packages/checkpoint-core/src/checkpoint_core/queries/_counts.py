"""How many: events by any fields, visits by their current status, errors and pass rates."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from checkpoint_core.queries._filters import NO_FILTERS, Filters, filter_events
from checkpoint_core.queries._grouping import summarize
from checkpoint_core.queries._visits import latest

_STATUS: Final = pl.col("action")


def counts(
    events: pl.LazyFrame,
    filters: Filters = NO_FILTERS,
    *,
    by: Sequence[str] = ("center_label", "action"),
) -> pl.LazyFrame:
    """Count events by fields and periods, in the column `events`.

    Rows are counted: an event that was rewritten counts with each of its versions.
    """
    return summarize(filter_events(events, filters), by, pl.len().alias("events"))


def current_status(
    events: pl.LazyFrame, filters: Filters = NO_FILTERS, *, by: Sequence[str] = ("center_label",)
) -> pl.LazyFrame:
    """Count visits by fields of their latest event, and by its action as `status`."""
    visits = latest(events, filters).with_columns(_STATUS.alias("status"))
    return summarize(visits, [*by, "status"], pl.len().alias("visits"))


def errors_by_center(events: pl.LazyFrame, filters: Filters = NO_FILTERS) -> pl.LazyFrame:
    """Count for each center_label the `visits`, and those of them that are `errors`.

    An error is a visit whose latest event is not-pass-qc. Visits whose latest event is delete are
    not counted; a center with nothing else has zeros.
    """
    return summarize(
        latest(events, filters),
        ["center_label"],
        (_STATUS != "delete").sum().alias("visits"),
        (_STATUS == "not-pass-qc").sum().alias("errors"),
    )


def pass_rates(
    events: pl.LazyFrame, filters: Filters = NO_FILTERS, *, by: Sequence[str] = ("center_label",)
) -> pl.LazyFrame:
    """Count visits by fields of their latest event, and say which share of them passed QC.

    `visits` are `passed`, `not_passed` or `unchecked`, by their latest event; deleted ones are none
    of them. `pass_rate` is passed / (passed + not_passed), null where that is no number.
    """
    passed, not_passed = _STATUS == "pass-qc", _STATUS == "not-pass-qc"
    counted = summarize(
        latest(events, filters),
        by,
        (_STATUS != "delete").sum().alias("visits"),
        passed.sum().alias("passed"),
        not_passed.sum().alias("not_passed"),
        (~_STATUS.is_in(["pass-qc", "not-pass-qc", "delete"])).sum().alias("unchecked"),
    )
    checked = pl.col("passed") + pl.col("not_passed")
    rate = pl.when(checked > 0).then(pl.col("passed") / checked)
    return counted.with_columns(rate.alias("pass_rate"))
