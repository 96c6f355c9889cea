"""The days that a report covers, and the weeks or months that they fall into. All of it in UTC."""

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal, Self

from msgspec import Struct

__all__ = ["Bucket", "Period", "day_of"]

_MONTH = re.compile(r"(?!0000)([0-9]{4})-(0[1-9]|1[0-2])")
_DAY = timedelta(days=1)
_DAYS_BY_DAY = 14
_DAYS_BY_WEEK = 93
_DAYS_AT_MOST = 3_660


class Bucket(Struct, frozen=True, kw_only=True):
    """A day, week or month, as far as it is of the period.

    `start` is the date by which queries name it, `first` and `last` are its days in the period,
    `label` is what people call these, and `is_whole` tells whether they are all of its days.
    """

    start: date
    first: date
    last: date
    label: str
    is_whole: bool


class Period(Struct, frozen=True, kw_only=True):
    """Whole days, the first and the last included.

    Raises ValueError where the last comes before the first, and beyond about ten years.
    """

    first: date
    last: date

    def __post_init__(self) -> None:
        """Refuse what is no period, or none that can be looked at."""
        if self.last < self.first:
            raise ValueError("the last day comes before the first")
        if (self.last - self.first).days >= _DAYS_AT_MOST or self.last.year == date.max.year:
            raise ValueError("too long a period, or too late; at most ten years, up to 9998")

    @classmethod
    def of_month(cls, text: str) -> Self:
        """Return the month that a text such as 2026-10 names; raises ValueError for any other."""
        found = _MONTH.fullmatch(text)
        if found is None:
            raise ValueError("must be a month, such as 2026-10")
        first = date(int(found[1]), int(found[2]), 1)
        days = calendar.monthrange(first.year, first.month)[1]
        return cls(first=first, last=first.replace(day=days))

    @property
    def begin(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, time(), tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment that is too late."""
        return datetime.combine(self.last, time(), tzinfo=UTC) + _DAY

    @property
    def title(self) -> str:
        """What people call it: October 2026, or its first and last day."""
        if self._is_months and self.first.replace(day=1) == self.last.replace(day=1):
            return f"{self.first:%B} {self.first.year}"
        if self.first == self.last:
            return day_of(self.first)
        return f"{day_of(self.first)} to {day_of(self.last)}"

    @property
    def name(self) -> str:
        """What files are named after it: 2026-10, or its first and last day."""
        if self._is_months and self.first.replace(day=1) == self.last.replace(day=1):
            return f"{self.first:%Y-%m}"
        return f"{self.first.isoformat()}_{self.last.isoformat()}"

    @property
    def by(self) -> Literal["day", "week", "month"]:
        """Into what it is divided, as queries call it: few enough to look at."""
        days = (self.last - self.first).days + 1
        if days <= _DAYS_BY_DAY:
            return "day"
        return "week" if days <= _DAYS_BY_WEEK else "month"

    def buckets(self) -> tuple[Bucket, ...]:
        """Divide it into days, weeks from Monday, or months. The first and last may be partial."""
        starts = [_start(self.first, self.by)]
        while starts[-1] <= self.last:
            starts.append(_next(starts[-1], self.by))
        return tuple(self._bucket(start, following - _DAY) for start, following in pairwise(starts))

    def before(self) -> Self | None:
        """Return the period of the same length before it; None before the calendar.

        Before whole months these are as many whole months, else as many days.
        """
        try:
            if self._is_months:
                months = (
                    self.last.month - self.first.month + 12 * (self.last.year - self.first.year)
                )
                earlier = 12 * self.first.year + self.first.month - 2 - months
                first = date(earlier // 12, earlier % 12 + 1, 1)
            else:
                first = self.first - (self.last - self.first + _DAY)
            return type(self)(first=first, last=self.first - _DAY)
        except (ValueError, OverflowError):
            return None

    @property
    def _is_months(self) -> bool:
        days = calendar.monthrange(self.last.year, self.last.month)[1]
        return self.first.day == 1 and self.last.day == days

    def _bucket(self, start: date, last: date) -> Bucket:
        inside = max(start, self.first), min(last, self.last)
        return Bucket(
            start=start,
            first=inside[0],
            last=inside[1],
            label=self._label(*inside),
            is_whole=inside == (start, last),
        )

    def _label(self, start: date, last: date) -> str:
        if self.by == "month":
            return f"{start:%b} {start.year}"
        if start == last:
            return f"{start.day} {start:%b}"
        if start.month == last.month:
            return f"{start.day}\N{EN DASH}{last.day} {last:%b}"
        return f"{start.day} {start:%b}\N{EN DASH}{last.day} {last:%b}"


def day_of(day: date) -> str:
    """Return a day as people write it."""
    return f"{day.day} {day:%B} {day.year}"


def _start(day: date, by: str) -> date:
    if by == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if by == "week" else day


def _next(start: date, by: str) -> date:
    if by == "month":
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(days=7 if by == "week" else 1)
