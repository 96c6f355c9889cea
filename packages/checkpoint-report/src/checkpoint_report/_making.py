"""From a checkpoint to a report."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import polars as pl
from msgspec import Struct

from checkpoint_core import CheckpointMetadata
from checkpoint_report._figures.centers import Center, find_center, find_centers
from checkpoint_report._figures.counts import rejects_of
from checkpoint_report._figures.figures import Figures, figures
from checkpoint_report._page.page import Subject, page
from checkpoint_report._period import Period
from checkpoint_report._sections.by_center import days_section, errors_section, status_section
from checkpoint_report._sections.overall import (
    completeness_section,
    rejects_section,
    volumes_section,
)
from checkpoint_report._sections.section import Section
from checkpoint_report._sections.sheets import Sheet

__all__ = ["Report", "make_report"]


class Report(Struct, frozen=True, kw_only=True, dict=True, eq=False):
    """A page of HTML, and the tables that are in it; the page is drawn when it is asked for."""

    subject: Subject
    figures: Figures
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """What the report is called."""
        return self.subject.title

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """The tables."""
        return tuple(section.sheet for section in self.sections)

    @cached_property
    def page(self) -> str:
        """The page; the same report gives the same bytes."""
        return page(self.subject, self.figures, self.sections)


def make_report(
    events: pl.LazyFrame,
    rejects: pl.DataFrame,
    metadata: CheckpointMetadata,
    period: Period,
    *,
    center: str | None = None,
    include_test_center: bool = False,
    threshold: int,
) -> Report:
    """Make the report on a period, about all centers or one, without counts below the threshold.

    The same arguments give the same bytes. Nothing in a report is about single visits, and no
    hidden count can be calculated from it.

    Args:
        events: the checkpoint's rows, in their order.
        rejects: the rejects beside it, in REJECTS_SCHEMA.
        metadata: what the checkpoint says about itself.
        period: the days to report on.
        center: label or number of the one center; None for all.
        include_test_center: all includes center 0, the test site.
        threshold: the least count that is shown, other than 0; 1 shows all.

    Raises:
        UnknownCenterError: no center is called so.
    """
    # Whoever names a center may mean the test site.
    some_test = include_test_center or center is not None
    centers = find_centers(events, period, include_test_center=some_test)
    chosen = None if center is None else find_center(centers, center)
    adcid = None
    if chosen is not None:
        centers, adcid = (chosen,), chosen.adcid
    found = figures(
        events,
        rejects_of(rejects, period, adcid),
        centers,
        period,
        adcid=adcid,
        include_test_center=include_test_center,
        threshold=threshold,
    )
    subject = Subject(period=period, center=chosen, centers=centers, metadata=metadata)
    return Report(subject=subject, figures=found, sections=tuple(_sections(found, centers)))


def _sections(figures: Figures, centers: Sequence[Center]) -> Iterator[Section]:
    """Tell everything, in the order in which one would ask."""
    yield volumes_section(figures)
    yield status_section(figures, centers)
    yield errors_section(figures, centers)
    yield days_section("days-to-submission", figures.submission, centers, figures.threshold)
    yield days_section("days-to-qc", figures.qc, centers, figures.threshold)
    yield completeness_section(figures)
    yield rejects_section(figures)
