"""From what a document or a caller may write to what an event holds; None where it must not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

MAX_ADCID: Final = 2**31 - 1

TIMESTAMP_PATTERN: Final = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)
"""RFC 3339, section 5.6, `date-time`: with an optional offset, without leap seconds."""

_matches_timestamp = re.compile(TIMESTAMP_PATTERN).fullmatch
_parse_iso_8601 = datetime.fromisoformat


def to_adcid(value: object, least: int) -> int | None:
    """Return the number that an integer or a numeric string stands for, None if out of range."""
    if isinstance(value, str):
        if not (len(value) <= 10 and value.isascii() and value.isdigit()):
            return None
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= MAX_ADCID:
        return int(value)
    return None


def to_utc(value: object) -> datetime | None:
    """Return the time in UTC that an RFC 3339 text or a datetime stands for, None if neither.

    Without an offset it is taken as UTC.
    Digits beyond microseconds are cut off, never rounded up.
    """
    if isinstance(value, str):
        # The usual form, 2024-01-15T10:00:00Z, by its punctuation, at half the pattern's cost.
        # The parser refuses anything but ASCII digits in between; it may take the hour 24.
        if not (len(value) == 20 and value[4::3] == "--T::Z" and value[11:13] < "24"):
            if not _matches_timestamp(value):
                return None
            value = value.upper()
        try:
            value = _parse_iso_8601(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return None
