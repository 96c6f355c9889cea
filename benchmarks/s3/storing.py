"""What a bucket with versions holds through the months, by the stack's rules.

A checkpoint is replaced by the next commit, and its version is kept for the days of the bucket's
lifecycle from then on, to the next midnight. A ledger and its digests are deleted by the first run
that finds them older than their retention; as versions they are then kept as long again.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

DAYS: Final = 30
HOURS: Final = 24 * DAYS
_WORKING_DAYS: Final = 22
_WORKING_HOURS: Final = range(8, 18)
NONCURRENT_DAYS: Final = 30
RETENTION_DAYS: Final = 30
"""`checkpoint.noncurrentDays` and `LEDGER_RETENTION_DAYS`, where nothing else is set."""

COMMITS: Final = tuple(
    24 * day + hour
    for day in sorted(range(DAYS), key=lambda day: (day % 7 >= 5, day))[:_WORKING_DAYS]
    for hour in _WORKING_HOURS
)
"""The hours of a month at which events have arrived: ten of each working day, of which 22."""


class Commit(Struct, frozen=True, kw_only=True):
    """The bytes that one commit writes: under names that it replaces, and under new ones."""

    replacing_bytes: float
    adding_bytes: float


def stored_bytes(month: Sequence[Commit], which: int) -> float:
    """Return how many bytes there are on average in a month, the first being 0.

    All months are like the one given, whose commits are at COMMITS, and before the first is
    nothing. Old versions of both kinds are there from the fourth month on: then months are alike.
    """
    hours = [HOURS * number + hour for number in range(which + 1) for hour in COMMITS]
    commits = [commit for _ in range(which + 1) for commit in month]
    begin, end = HOURS * which, HOURS * (which + 1)
    never = end + HOURS
    total = 0.0
    for number, (written, commit) in enumerate(zip(hours, commits, strict=True)):
        replaced = hours[number + 1] if number + 1 < len(hours) else never
        later = bisect_right(hours, written + 24 * RETENTION_DAYS)
        deleted = hours[later] if later < len(hours) else never
        for size, gone in ((commit.replacing_bytes, replaced), (commit.adding_bytes, deleted)):
            total += size * max(0, min(end, _expiry(gone)) - max(begin, written))
    return total / HOURS


def _expiry(noncurrent: int) -> int:
    """Return when a version is removed that was replaced or deleted in this hour."""
    return -(-(noncurrent + 24 * NONCURRENT_DAYS) // 24) * 24
