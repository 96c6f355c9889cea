"""Completeness: shares of forms that lack a field, none of which tells a small count."""

from collections.abc import Sequence
from typing import Final

import polars as pl
from msgspec import Struct, structs

from checkpoint_core.queries import Filters, ask
from checkpoint_report._figures.suppression import is_shown

__all__ = ["VISITS_FOR_SHARES", "Completeness", "completeness"]

_FIELDS: Final = ("module", "packet")

VISITS_FOR_SHARES: Final = 100
"""Of fewer, shares in hundredths would tell how many there are."""


class Completeness(Struct, frozen=True, kw_only=True):
    """Shares of visits whose field was there from the start, came later, or is missing.

    None where a share would be about too few.
    """

    field: str
    from_start: float | None
    later: float | None
    missing: float | None


def completeness(
    events: pl.LazyFrame, filters: Filters, known: int, threshold: int
) -> tuple[Completeness, ...]:
    """Ask what forms lack; `known` are the visits that the other tables tell of at the least."""
    forms = structs.replace(filters, datatype=("form",))
    visits = ask("completeness", events, forms, min_events=1)
    counted = visits.select(
        pl.len().alias("visits"),
        *(
            pl.col(kind).list.contains(field).sum().alias(f"{kind} {field}")
            for kind in ("filled", "missing")
            for field in _FIELDS
        ),
    ).collect()
    row = counted.row(0, named=True)
    found = []
    for field in _FIELDS:
        later, missing = row[f"filled {field}"], row[f"missing {field}"]
        parts = (row["visits"] - later - missing, later, missing)
        # All or none: what they add up to may be known.
        shown = _may_be_told(parts, known, threshold)
        # In hundredths: exact shares would tell the number of visits.
        shares = [round(part / row["visits"], 2) if shown else None for part in parts]
        found.append(
            Completeness(field=field, from_start=shares[0], later=shares[1], missing=shares[2])
        )
    return tuple(found)


def _may_be_told(parts: Sequence[int], known: int, threshold: int) -> bool:
    """Tell whether shares in hundredths tell neither a small part nor how many visits there are."""
    visits = sum(parts)
    if threshold <= 1:
        return visits > 0
    if min(visits, known) < VISITS_FOR_SHARES:
        return False
    # Of a share one knows that it is of `threshold` visits or more, hence of how many it is a share.
    shares = [round(part / visits, 2) for part in parts if part]
    return all(is_shown(part, threshold=threshold) for part in parts) and all(
        share == 0 or (share + 0.005) * known >= threshold for share in shares
    )
