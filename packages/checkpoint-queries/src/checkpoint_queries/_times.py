"""How long it took: from the visit to submission and to QC, until arrival, and since then."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl
from msgspec import structs

from checkpoint_queries._filters import (
    NO_FILTERS,
    Filters,
    candidates,
    filter_events,
    given,
    wanted,
)
from checkpoint_queries._grouping import checked, summarize
from checkpoint_queries._identity import IDENTITIES, KEYS
from checkpoint_queries._lives import lives
from checkpoint_queries._submissions import described
from checkpoint_queries.questions import Identity

AGES: Final = ("under 7 days", "7 to 29 days", "30 to 89 days", "90 days or more")
"""How long a submission has been waiting, in classes, the shortest first."""

_DAYS: Final = {"first_submit": "days_to_submission", "first_pass": "days_to_qc"}
_OF_LEDGER: Final = frozenset(
    ("pipeline_adcid", "ptid", "timestamp_from", "timestamp_to", "include_test_center")
)


def days_waiting(since: str, as_of: datetime) -> pl.Expr:
    """Return the whole days of 24 hours from a moment up to another, as `days_waiting`."""
    return (pl.lit(as_of) - pl.col(since)).dt.total_days().alias("days_waiting")


def age_of(days: pl.Expr) -> pl.Expr:
    """Return the class of AGES that so many days of waiting are of, as `age`."""
    reached = pl.sum_horizontal(days >= bound for bound in (7, 30, 90))
    classes = dict(enumerate(AGES))
    return reached.replace_strict(classes, return_dtype=pl.Enum(AGES)).alias("age")


def days_to_submission(
    events: pl.LazyFrame,
    filters: Filters = NO_FILTERS,
    *,
    by: Sequence[str] = ("center_label",),
    identity: Identity = "submission",
) -> pl.LazyFrame:
    """Summarize the whole days from visit to first submit, by fields of the submission."""
    return _days_to("first_submit", events, filters, by, identity)


def days_to_qc(
    events: pl.LazyFrame,
    filters: Filters = NO_FILTERS,
    *,
    by: Sequence[str] = ("center_label",),
    identity: Identity = "submission",
) -> pl.LazyFrame:
    """Summarize the whole days from visit to first passing QC, by fields of the submission."""
    return _days_to("first_pass", events, filters, by, identity)


def waiting(
    events: pl.LazyFrame,
    filters: Filters = NO_FILTERS,
    *,
    as_of: datetime,
    identity: Identity = "submission",
) -> pl.LazyFrame:
    """Return the submissions that wait for their first outcome, as it stood at a moment.

    `days_waiting` are whole days since the first submit, `age` is its class, one of AGES.
    Sorted by days_waiting, the longest first, then by what identifies the submission.
    """
    return _open("waiting", events, filters, as_of, identity).drop("outcome")


def resubmitted(
    events: pl.LazyFrame,
    filters: Filters = NO_FILTERS,
    *,
    as_of: datetime,
    identity: Identity = "submission",
) -> pl.LazyFrame:
    """Return the submissions that were handed in again after an outcome, as `waiting` does.

    `outcome` is the last one, `days_waiting` are since the first submit after it.
    """
    return _open("resubmitted", events, filters, as_of, identity)


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
    by = checked(ledger, by)
    rows = filter_events(ledger, filters).with_columns(pl.when(timed).then(late).alias("hours"))
    return summarize(
        rows,
        by,
        pl.len().alias("objects"),
        pl.col("hours").count().alias("timed"),
        *_spread("hours"),
    )


def _days_to(
    moment: str,
    events: pl.LazyFrame,
    filters: Filters,
    by: Sequence[str],
    identity: Identity,
) -> pl.LazyFrame:
    """Summarize days; time filters and periods are about the moment to which they are."""
    by = checked(events, by)
    days = pl.col(_DAYS[moment]).alias("days")
    timed = lives(candidates(events, filters, identity), identity).filter(days.is_not_null())
    found = wanted(timed.with_columns(days, timestamp=pl.col(moment)), filters, identity)
    rows = described(found, events, filters, identity, labels="center_label" in by)
    return summarize(rows, by, pl.len().alias("submissions"), *_spread("days"))


def _open(
    status: str, events: pl.LazyFrame, filters: Filters, as_of: datetime, identity: Identity
) -> pl.LazyFrame:
    """Return submissions with an open submit; time filters are about the first such submit."""
    if as_of.tzinfo is None:
        raise ValueError("as_of: give a time with its offset from UTC")
    as_of = as_of.astimezone(UTC)
    to = min(as_of, filters.timestamp_to or as_of)
    filters = structs.replace(filters, timestamp_to=to)
    standing = lives(candidates(events, filters, identity), identity)
    chosen = standing.filter(pl.col("status") == status).with_columns(timestamp="open_since")
    found = wanted(chosen, filters, identity)
    keys = KEYS[identity]
    in_order = found.with_columns(days_waiting("timestamp", as_of)).sort(
        "days_waiting", *keys, descending=[True, *(False for _ in keys)]
    )
    return described(in_order, events, filters, identity).select(
        *IDENTITIES[identity],
        "study",
        "center_label",
        "outcome",
        pl.col("timestamp").alias("submitted"),
        "days_waiting",
        age_of(pl.col("days_waiting")),
    )


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
