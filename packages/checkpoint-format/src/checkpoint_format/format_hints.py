"""Hints that a newer event format would take what the selected one does not.

It stands in the reasons, after the refusal itself; the counts are counts of reasons.
"""

from typing import Final

import polars as pl

from nacc_event_model import EventFormat

_NEWEST: Final = max(EventFormat)
"""The only one to ask: a newer format accepts whatever an older one does."""
WOULD_TAKE: Final = f"; event format {_NEWEST} would take it"
"""What is added to the reason of a refusal that the newest format would not make."""
RECOGNIZES: Final = f"; event format {_NEWEST} recognizes it"
"""What is added to the reason of a name that the newest format knows."""


def newer_format(event_format: EventFormat) -> EventFormat | None:
    """Return the newest format, None where that is the given one."""
    return _NEWEST if event_format < _NEWEST else None


def hints(*reasons: pl.Series) -> tuple[str, ...]:
    """Return one line about what the newest format would do with these, none where nothing."""
    every = pl.concat(reasons)
    taken, recognized = (every.str.ends_with(each).sum() for each in (WOULD_TAKE, RECOGNIZES))
    told = [f"would take {taken:,} of the rejects"] if taken else []
    told += [f"recognizes {recognized:,} of the unrecognized names"] if recognized else []
    if not told:
        return ()
    how = f"--event-format {_NEWEST}, or EVENT_FORMAT={_NEWEST}"
    return (f"event format {_NEWEST} {' and '.join(told)}: {how}",)
