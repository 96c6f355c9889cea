"""From all numbers to those that the page tells: everything else is made from these, and from no others.

Without a threshold that is everything. With one, small counts end here.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from checkpoint_report._figures.figures import Figures
from checkpoint_report._figures.hiding import LEAST_THRESHOLD
from checkpoint_report._figures.known import Count, Days, added
from checkpoint_report._figures.protection import protect
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
    """What the page tells, as Figures are; counts below the `threshold`, if any, are hidden.

    No threshold is less than 3: who reads that 1 is hidden, and nothing else, would know it.
    With a threshold there is neither an oldest nor an estimate: their steps are single submissions.
    """

    threshold: int | None
    tables: Mapping[str, Table[Count]]
    spreads: Mapping[str, Mapping[str, ToldSpread]]
    oldest: Mapping[str, Days]
    estimate: Estimate | None


def told(figures: Figures, threshold: int | None) -> Told:
    """Tell the figures; with a threshold, so that no count below it can be found out."""
    if threshold is None:
        tables = {name: _exact(table) for name, table in figures.tables.items()}
        oldest = {key: Days.of(days) for key, days in figures.oldest.items()}
    else:
        threshold = max(threshold, LEAST_THRESHOLD)
        tables = protect(figures.tables, figures.relations, threshold)
        oldest = dict.fromkeys(figures.oldest, Days(flag="suppressed"))
    spreads = {
        name: _spreads(tables[name], _TIMED[name], each, threshold)
        for name, each in figures.spreads.items()
    }
    return Told(
        threshold=threshold,
        tables=tables,
        spreads=spreads,
        oldest=oldest,
        estimate=figures.estimate if threshold is None else None,
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
    counts[EVERY] = added(added(table.total(column)) for column in columns)
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
