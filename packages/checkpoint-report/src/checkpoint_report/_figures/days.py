"""Days: how long things took, told of no fewer visits than may be told of."""

from collections.abc import Mapping
from typing import Any

import polars as pl
from msgspec import Struct

from checkpoint_core.queries import Filters, ask
from checkpoint_report._figures.suppression import floor, or_more, roughly

__all__ = ["Days", "DaysTable", "days_table"]


class Days(Struct, frozen=True, kw_only=True):
    """How long it took some visits, in days; None where that would be about too few of them.

    `visits` tells roughly how many they are, in words, and `negative` of how many it was negative.
    """

    visits: str
    negative: str
    median: float | None
    p90: float | None


class DaysTable(Struct, frozen=True, kw_only=True):
    """How long it took, by name of center, and for all of them."""

    by_center: Mapping[str, Days]
    every: Days


def days_table(
    name: str,
    events: pl.LazyFrame,
    filters: Filters,
    names: Mapping[int, str],
    present: Mapping[str, int],
    *,
    threshold: int,
) -> DaysTable:
    """Ask how long it took; `present` are the visits that the other tables tell of at the least."""
    answer = ask(name, events, filters, by=("pipeline_adcid",)).collect()
    every = ask(name, events, filters, by=()).collect().row(0, named=True)
    by_center = {}
    # Of all centers no more is told than of each: what is left would be that of the others.
    visits = negative = 0
    for row in answer.iter_rows(named=True):
        center = names[row["pipeline_adcid"]]
        known = present[center]
        visits += floor(row["submissions"], known, threshold=threshold)
        negative += floor(row["negative"], known, threshold=threshold)
        by_center[center] = Days(
            visits=roughly(row["submissions"], known, threshold=threshold),
            negative=roughly(row["negative"], known, threshold=threshold),
            **_percentiles(row, min(row["submissions"], known), threshold),
        )
    all_centers = Days(
        visits=or_more(visits, threshold=threshold),
        negative=or_more(negative, threshold=threshold),
        **_percentiles(every, visits, threshold),
    )
    return DaysTable(by_center=by_center, every=all_centers)


def _percentiles(row: Mapping[str, Any], visits: int, threshold: int) -> dict[str, float | None]:
    """Return the percentiles of which it may be told that so many visits went into them."""
    beyond = {"median": 0.5, "p90": 0.1}
    return {
        name: _whole(row[f"{name}_days"], threshold) if _is_many(visits, share, threshold) else None
        for name, share in beyond.items()
    }


def _whole(days: float, threshold: int) -> float:
    """Round days: what is interpolated has a fraction that tells the number of visits."""
    return days if threshold <= 1 else round(days)


def _is_many(visits: int, beyond: float, threshold: int) -> bool:
    """Tell whether a percentile has enough visits on either side, not to be about one of them."""
    return visits > 0 and (threshold <= 1 or int(visits * beyond) >= threshold)
