"""From all numbers to those that the page tells: everything else is made from these, and from no others.

Without a threshold that is everything. With one, small counts end here.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkpoint_report._figures.figures import Figures
from checkpoint_report._figures.known import Count, Days, added
from checkpoint_report._figures.tables import Table
from checkpoint_report._figures.times import EVERY, Estimate, Spread

__all__ = ["DAYS_OF_ESTIMATE", "Told", "ToldSpread", "told"]

DAYS_OF_ESTIMATE: Final = (7, 30, 90)
"""The days of the estimate that sentences and tables tell."""
_TIMED: Final = {
    "submission": ("on or after the visit", "before the visit"),
    "qc": ("on or after the visit", "before the visit"),
    "arrivals": ("timed", "before its time"),
}
"""By table: the columns over whose counts its times are."""


class ToldSpread(Struct, frozen=True, kw_only=True):
    """Over how many, the median, and within how long nine of ten ended."""

    count: Count
    median: Days
    p90: Days


class Told(Struct, frozen=True, kw_only=True):
    """What the page tells, as Figures are; small counts are hidden below the `threshold`, if any.

    With a threshold the estimate has no steps but the days that are told of it.
    """

    threshold: int | None
    tables: Mapping[str, Table[Count]]
    spreads: Mapping[str, Mapping[str, ToldSpread]]
    oldest: Mapping[str, Days]
    estimate: Estimate | None


def told(figures: Figures, threshold: int | None) -> Told:
    """Tell the figures; with a threshold, so that no count below it can be found out."""
    tables = {name: _exact(table) for name, table in figures.tables.items()}
    oldest = {key: Days.of(days) for key, days in figures.oldest.items()}
    if threshold is not None:
        # The oldest is one submission.
        oldest = dict.fromkeys(oldest, Days(flag="suppressed"))
    spreads = {
        name: _spreads(tables[name], _TIMED[name], each, threshold)
        for name, each in figures.spreads.items()
    }
    return Told(
        threshold=threshold,
        tables=tables,
        spreads=spreads,
        oldest=oldest,
        estimate=_estimate(figures.estimate, tables["life"], threshold),
    )


def _exact(table: Table[int]) -> Table[Count]:
    cells = tuple(tuple(Count.of(number) for number in row) for row in table.cells)
    return Table(name=table.name, rows=table.rows, columns=table.columns, cells=cells)


def _spreads(
    table: Table[Count],
    columns: tuple[str, ...],
    spreads: Mapping[str, Spread],
    threshold: int | None,
) -> dict[str, ToldSpread]:
    """Tell the spread of each center and of all."""
    counts = {center: added(table.part(center, *columns)) for center in table.rows}
    counts[EVERY] = added(counts.values())
    return {key: _spread(counts[key], spreads.get(key), threshold) for key in counts}


def _spread(count: Count, spread: Spread | None, threshold: int | None) -> ToldSpread:
    """Tell a spread where so many are known to be on either side that it is about none of them.

    In whole days: the fraction of what is interpolated tells of how many it is.
    """
    if spread is None:
        return ToldSpread(count=count, median=Days(), p90=Days())
    if threshold is None:
        return ToldSpread(count=count, median=Days.of(spread.median), p90=Days.of(spread.p90))
    hidden = Days(flag="suppressed")
    return ToldSpread(
        count=count,
        median=Days.of(round(spread.median)) if count.least >= 2 * threshold else hidden,
        p90=Days.of(round(spread.p90)) if count.least >= 10 * threshold else hidden,
    )


def _estimate(
    estimate: Estimate | None, life: Table[Count], threshold: int | None
) -> Estimate | None:
    """Tell the estimate, in whole percents where every count that it is made of is told."""
    if estimate is None or threshold is None:
        return estimate
    if any(count.exact is None for row in life.cells for count in row):
        return None
    places = [(day, estimate.at(day)) for day in DAYS_OF_ESTIMATE]
    found = [(day, place) for day, place in places if place is not None]

    def rounded(side: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(round(side[place], 2) for _, place in found)

    return replace(
        estimate,
        days=tuple(day for day, _ in found),
        shares=rounded(estimate.shares),
        low=rounded(estimate.low),
        high=rounded(estimate.high),
    )
