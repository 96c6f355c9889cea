"""Which names of time zones exist."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["is_unknown_zone"]


def is_unknown_zone(name: str) -> bool:
    """Say whether there is no time zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return True
    return False
