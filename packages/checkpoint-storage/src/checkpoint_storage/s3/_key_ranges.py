"""Splitting what is left of a listing into ranges of keys of about equal work.

The split points are guesses from the names of event objects; the ranges cover everything whatever
the keys look like.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

# Only hints: objects of other actions are listed too.
_ACTIONS: Final = ("delete", "duplicate-submit", "not-pass-qc", "pass-qc", "submit")
_DATED: Final = re.compile(r"(?P<base>(?s:.*/)?log-[a-z-]+-)(?P<time>[0-9]{8}-[0-9]{6})(?s:.*)")
_TIME_FORMAT: Final = "%Y%m%d-%H%M%S"
_FIRST, _LAST = " ", "~"
_DIGITS: Final = ord(_LAST) - ord(_FIRST) + 1
_PRECISION: Final = 4
# In pages like the one before them; as many as there may be pages in a bucket of tens of millions.
_GROWING: Final = tuple(4**n for n in range(1, 9))


class KeyRange(Struct, frozen=True):
    """The keys after `after`, up to and including `until` (None: to the end)."""

    after: str
    until: str | None


def first_ranges(prefix: str, after: str) -> list[KeyRange]:
    """Cut what comes after a key into one range for each action, and what is between them."""
    ranges = []
    for bound in [*sorted(f"{prefix}log-{action}-" for action in _ACTIONS), None]:
        if bound is None or bound > after:
            ranges.append(KeyRange(after, bound))
            after = bound or after
    return ranges


def split_points(
    first: str, last: str, until: str | None, *, prefix: str, parts: int, latest: datetime
) -> list[str]:
    """Return keys between `last` and `until`, in order, at which to cut what is left of a range.

    Args:
        first: the first key of the page that was just listed.
        last: its last key.
        until: where the range ends.
        prefix: what all keys start with.
        parts: into how many equal parts at most.
        latest: no name is expected to have a later time.

    """
    found = _by_time(first, last, until, parts, latest)
    if found is None:
        found = _by_characters(last, until, prefix)
    return sorted({key for key in found if last < key and (until is None or key < until)})


def _by_time(
    first: str, last: str, until: str | None, parts: int, latest: datetime
) -> list[str] | None:
    """Cut by the times in names; None where the key tells none.

    Into equal spans, no more of them than there seem to be pages, where the end is such a name too.
    Otherwise nobody knows when the names end: the spans grow, beginning with a few pages.
    """
    here = _DATED.fullmatch(last)
    start = here and _time(here)
    if not here or not start:
        return None
    before = _DATED.fullmatch(first)
    began = _time(before) if before and before["base"] == here["base"] else None
    page = start - began if began else timedelta(0)
    limit = _DATED.fullmatch(until or "")
    ends = _time(limit) if limit and limit["base"] == here["base"] else None
    end = min(latest, ends or latest)
    left = max(end - start, timedelta(0))
    pages = left / page if page > timedelta(0) else math.inf
    if ends is None and pages < math.inf:
        times = [start + page * spans for spans in _GROWING if spans < pages]
    else:
        parts = max(1, math.ceil(min(parts, pages)))
        times = [start + left / parts * n for n in range(1, parts)]
    # %Y would write years before 1000 with fewer digits.
    return [f"{here['base']}{time.year:04}{time:%m%d-%H%M%S}" for time in times]


def _time(match: re.Match[str]) -> datetime | None:
    try:
        return datetime.strptime(match["time"], _TIME_FORMAT)  # noqa: DTZ007 - all in the names' own time
    except ValueError:
        return None


def _by_characters(last: str, until: str | None, prefix: str) -> list[str]:
    """Cut in the middle, as if all characters were equally likely."""
    shared = len(prefix)
    while shared < len(until or "") and last[: shared + 1] == (until or "")[: shared + 1]:
        shared += 1
    low = _number(last[shared:])
    high = _number(until[shared:]) if until is not None else _DIGITS**_PRECISION - 1
    middle = (low + high) // 2
    digits = []
    for _ in range(_PRECISION):
        middle, digit = divmod(middle, _DIGITS)
        digits.append(chr(ord(_FIRST) + digit))
    return [last[:shared] + "".join(reversed(digits))]


def _number(text: str) -> int:
    number = 0
    for character in text[:_PRECISION].ljust(_PRECISION, _FIRST):
        digit = min(max(ord(character), ord(_FIRST)), ord(_LAST)) - ord(_FIRST)
        number = number * _DIGITS + digit
    return number
