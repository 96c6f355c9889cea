"""What the numbers are about: which centers, from when, and up to when there is anything known."""

from datetime import datetime, timedelta

import polars as pl
from msgspec import Struct

from checkpoint_queries import Filters
from checkpoint_report._period import Bucket, Period

__all__ = ["Scope", "cut_of", "scope_of"]

_STEPS = 12
_INSTANT = timedelta(microseconds=1)


class Scope(Struct, frozen=True, kw_only=True):
    """A period of a checkpoint, of all centers or one.

    `cut` is the first moment that is not counted: the end of the period, or before that the moment
    after the checkpoint's last change. `begun` and `latest` are the times of the first event and
    of the last one that is not dated later than that change, None where there is none; `later` is
    how many are.
    """

    period: Period
    adcid: int | None
    include_test_center: bool
    changed_at: datetime
    begun: datetime | None
    latest: datetime | None
    later: int

    @property
    def cut(self) -> datetime:
        """The first moment that is not counted."""
        return cut_of(self.period, self.changed_at)

    @property
    def is_over(self) -> bool:
        """Whether the whole period had passed when the checkpoint was last changed."""
        return self.cut == self.period.end

    def filters(self, begin: datetime | None = None, end: datetime | None = None) -> Filters:
        """Return the filters of these centers, from one moment up to, and without, another."""
        return Filters(
            pipeline_adcid=() if self.adcid is None else (self.adcid,),
            timestamp_from=begin,
            timestamp_to=self.cut if end is None else end,
            include_test_center=self.include_test_center,
        )

    def is_whole(self, bucket: Bucket) -> bool:
        """Whether all days of a week or month are of the period, and all had passed."""
        return bucket.is_whole and bucket.last < self.cut.date()

    @property
    def before(self) -> Period | None:
        """The period before, where the log covers both to their ends; None: there is none."""
        before = self.period.before()
        if before is None or self.begun is None or not self.is_over:
            return None
        return before if self.begun.date() <= before.first else None

    @property
    def steps(self) -> tuple[Period, ...]:
        """Up to twelve successive periods, of which this is the last, none before the log began."""
        found = [self.period]
        while len(found) < _STEPS and self.begun is not None and self.begun < found[0].begin:
            before = found[0].before()
            if before is None:
                break
            found.insert(0, before)
        return tuple(found)


def cut_of(period: Period, changed_at: datetime) -> datetime:
    """Return the first moment that is not counted."""
    return min(period.end, changed_at + _INSTANT)


def scope_of(
    events: pl.LazyFrame,
    period: Period,
    changed_at: datetime,
    *,
    adcid: int | None,
    include_test_center: bool,
) -> Scope:
    """Find out between which moments there is anything known."""
    if adcid is not None:
        events = events.filter(pl.col("pipeline_adcid") == adcid)
    elif not include_test_center:
        events = events.filter(pl.col("pipeline_adcid") != 0)
    time = pl.col("timestamp")
    known = time <= changed_at
    found = events.select(
        begun=time.filter(known).min(), latest=time.filter(known).max(), later=(~known).sum()
    )
    return Scope(
        period=period,
        adcid=adcid,
        include_test_center=include_test_center,
        changed_at=changed_at,
        **found.collect().row(0, named=True),
    )
