"""All numbers of a report, in which small counts have ended.

What this room returns holds no count that may not be shown, and no way back to one: sentences,
charts, tables and files are all made from it, and from nothing else.
"""

from collections.abc import Iterable

import polars as pl
from msgspec import Struct

from checkpoint_core.queries import Filters
from checkpoint_report._figures.centers import Center
from checkpoint_report._figures.completeness import Completeness, completeness
from checkpoint_report._figures.counts import events_and_visits, present_of, rejects_table
from checkpoint_report._figures.days import DaysTable, days_table
from checkpoint_report._figures.suppression import CountTable, least
from checkpoint_report._period import Period

__all__ = ["Figures", "figures"]


class Figures(Struct, frozen=True, kw_only=True):
    """All that a report tells about events, visits and rejected objects."""

    threshold: int
    volumes: CountTable
    status: CountTable
    submission: DaysTable
    qc: DaysTable
    completeness: tuple[Completeness, ...]
    rejects: CountTable


def figures(
    events: pl.LazyFrame,
    rejects: pl.DataFrame,
    centers: Iterable[Center],
    period: Period,
    *,
    adcid: int | None,
    include_test_center: bool,
    threshold: int,
) -> Figures:
    """Ask everything that the report tells, about one center or all, and hide small counts.

    `rejects` are those of the period and the center.
    """
    filters = Filters(
        pipeline_adcid=() if adcid is None else (adcid,),
        timestamp_from=period.begin,
        timestamp_to=period.end,
        include_test_center=include_test_center,
    )
    names = {center.adcid: center.name for center in centers}
    volumes, visits = events_and_visits(events, filters, names, period, threshold)
    present = present_of(visits, threshold)
    everything = sum(least(cells, threshold) for cells in visits.cells)
    return Figures(
        threshold=threshold,
        volumes=volumes,
        status=visits,
        submission=days_table(
            "days-to-submission", events, filters, names, present, threshold=threshold
        ),
        qc=days_table("days-to-qc", events, filters, names, present, threshold=threshold),
        completeness=completeness(events, filters, everything, threshold),
        rejects=rejects_table(rejects, threshold),
    )
