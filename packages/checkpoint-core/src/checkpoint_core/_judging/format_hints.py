"""Hints that a newer event format would take what the selected one does not.

It stands in the reasons, after the refusal itself; the counts are counts of reasons.
"""

from typing import Final

import polars as pl

from nacc_event_model import EventFormat

_TAKES: Final = "; event format {} would take it"
_RECOGNIZES: Final = "; event format {} recognizes it"
_NEWEST: Final = max(EventFormat)
"""The only one to ask: a newer format accepts whatever an older one does."""


def newer_format(event_format: EventFormat) -> EventFormat | None:
    """Return the newest format, None where that is the given one."""
    return _NEWEST if event_format < _NEWEST else None


def would_take(event_format: EventFormat) -> str:
    """Return what is added to the reason of a refusal that this format would not make."""
    return _TAKES.format(event_format)


def recognizes(event_format: EventFormat) -> str:
    """Return what is added to the reason of a name that this format knows."""
    return _RECOGNIZES.format(event_format)


def hints(*reasons: pl.Series) -> tuple[str, ...]:
    """Return one line about what the newest format would do with these, none where nothing."""
    every = pl.concat(reasons)
    taken, recognized = (
        every.str.ends_with(ending(_NEWEST)).sum() for ending in (would_take, recognizes)
    )
    told = [f"would take {taken:,} of the rejects"] if taken else []
    told += [f"recognizes {recognized:,} of the unrecognized names"] if recognized else []
    if not told:
        return ()
    how = f"--event-format {_NEWEST}, or EVENT_FORMAT={_NEWEST}"
    return (f"event format {_NEWEST} {' and '.join(told)}: {how}",)
