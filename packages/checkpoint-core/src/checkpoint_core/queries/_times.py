"""How long it took: from the visit to submission and to QC, until arrival, and since then."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl
from msgspec import structs

from checkpoint_core.queries._filters import (
    NO_FILTERS,
    VISIT,
    Filters,
    candidates,
    filter_events,
    given,
    wanted,
)
from checkpoint_core.queries._grouping import summarize
from checkpoint_core.queries._visits import started_anew

AGES: Final = ("under 7 days", "7 to 29 days", "30 to 89 days", "90 days or more")
"""How long a visit has been waiting, in classes, the shortest first."""

_OF_LEDGER: Final = {"pipeline_adcid", "ptid", "timestamp_from", "timestamp_to"}


def days_from_visit() -> pl.Expr:
    """Return the whole days from an event's visit_date to its timestamp, as `days`.

    A day begins at midnight UTC. Negative where the event is dated before the visit.
    """
    return (pl.col("timestamp").dt.date() - pl.col("visit_date")).dt.total_days().alias("days")


def days_to_submission(
    events: pl.LazyFrame, filters: Filters = NO_FILTERS, *, by: Sequence[str] = ("center_label",)
) -> pl.LazyFrame:
    """Summarize the whole days from visit to first submission, by fields of the latest event."""
    return _days_to("submit", events, filters, by)


def days_to_qc(
    events: pl.LazyFrame, filters: Filters = NO_FILTERS, *, by: Sequence[str] = ("center_label",)
) -> pl.LazyFrame:
    """Summarize the whole days from visit to first passing QC, by fields of the latest event."""
    return _days_to("pass-qc", events, filters, by)


def waiting(
    events: pl.LazyFrame, filters: Filters = NO_FILTERS, *, as_of: datetime
) -> pl.LazyFrame:
    """Return the visits that were submitted and never passed QC, as it stood at a moment.

    `days_waiting` are whole days from the first submission, `age` is its class, one of AGES.
    Sorted by days_waiting, the longest first, then by VISIT.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of: give a time with its offset from UTC")
    as_of = as_of.astimezone(UTC)
    to = min(as_of, filters.timestamp_to or as_of)
    filters = structs.replace(filters, timestamp_to=to)
    passed = (pl.col("action") == "pass-qc").any()
    visits = _since_first("submit", events, filters, status=pl.col("action").last(), passed=passed)
    days = (pl.lit(as_of) - pl.col("timestamp")).dt.total_days()
    return (
        visits.filter(~pl.col("passed"))
        .select(
            *VISIT,
            "center_label",
            "status",
            pl.col("timestamp").alias("submitted"),
            days.alias("days_waiting"),
            _age(days).alias("age"),
        )
        .sort("days_waiting", *VISIT, descending=[True, *(False for _ in VISIT)])
    )


def lateness(
    ledger: pl.LazyFrame, filters: Filters = NO_FILTERS, *, by: Sequence[str] = ("pipeline_adcid",)
) -> pl.LazyFrame:
    """Summarize how many hours after its own timestamp an event arrived, from the ledger.

    `objects` counts all event objects, `timed` those of which the arrival is known: neither
    rewritten nor adopted unread. `negative` ones arrived before their own time.

    Raises ValueError for filters about what the ledger does not have.
    """
    unknown = sorted(given(filters) - _OF_LEDGER)
    if unknown:
        raise ValueError(f"the ledger has no such fields to filter by: {', '.join(unknown)}")
    timed = (pl.col("state") == "accepted") & (pl.col("versions") == 1)
    late = (pl.col("last_modified") - pl.col("timestamp")) / timedelta(hours=1)
    rows = filter_events(ledger, filters).with_columns(pl.when(timed).then(late).alias("hours"))
    return summarize(
        rows,
        by,
        pl.len().alias("objects"),
        pl.col("hours").count().alias("timed"),
        *_spread("hours"),
    )


def _days_to(
    action: str, events: pl.LazyFrame, filters: Filters, by: Sequence[str]
) -> pl.LazyFrame:
    visits = _since_first(action, events, filters).with_columns(days_from_visit())
    return summarize(visits, by, pl.len().alias("visits"), *_spread("days"))


def _since_first(
    action: str, events: pl.LazyFrame, filters: Filters, **facts: pl.Expr
) -> pl.LazyFrame:
    """Return the visits that have had such an event since they were last deleted.

    Each is its latest event, but with the first such event's timestamp; so filters and periods
    are about that one.
    """
    when = pl.when(pl.col("action") == action).then(pl.col("timestamp")).min()
    visits = started_anew(candidates(events, filters)).group_by(VISIT)
    found = visits.agg(pl.all().exclude(*VISIT, "timestamp").last(), when, **facts)
    return wanted(found.filter(pl.col("timestamp").is_not_null()), filters)


def _spread(name: str) -> list[pl.Expr]:
    """Aggregate a column of days or hours: negative ones, then the least to the greatest.

    Percentiles between two values are interpolated.
    """
    column = pl.col(name)
    percentiles = {"p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}
    return [
        (column < 0).sum().alias("negative"),
        column.min().alias(f"minimum_{name}"),
        *(
            column.quantile(share, interpolation="linear").alias(f"{label}_{name}")
            for label, share in percentiles.items()
        ),
        column.max().alias(f"maximum_{name}"),
    ]


def _age(days: pl.Expr) -> pl.Expr:
    week, month, quarter, longer = AGES
    classes = (
        pl.when(days < 7)
        .then(pl.lit(week))
        .when(days < 30)
        .then(pl.lit(month))
        .when(days < 90)
        .then(pl.lit(quarter))
        .otherwise(pl.lit(longer))
    )
    return classes.cast(pl.Enum(AGES))
