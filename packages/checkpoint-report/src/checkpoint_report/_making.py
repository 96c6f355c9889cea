"""From a checkpoint to a report."""

from collections.abc import Iterator, Sequence

import polars as pl
from msgspec import Struct

from checkpoint_core import CheckpointMetadata
from checkpoint_report._center_sections import (
    days_section,
    errors_section,
    status_section,
)
from checkpoint_report._centers import Center, find_center, find_centers
from checkpoint_report._figures import Figures, figures
from checkpoint_report._overall_sections import (
    completeness_section,
    rejects_section,
    volumes_section,
)
from checkpoint_report._page import Subject, page
from checkpoint_report._period import Period
from checkpoint_report._rejects import rejects_of
from checkpoint_report._sections import COLORS, Section
from checkpoint_report._sheets import Sheet

__all__ = ["Report", "Telling", "make_report", "tell"]


class Report(Struct, frozen=True, kw_only=True):
    """A page of HTML, and the tables that are in it."""

    title: str
    page: str
    sheets: tuple[Sheet, ...]


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
    telling = tell(
        events,
        rejects,
        metadata,
        period,
        center=center,
        include_test_center=include_test_center,
        threshold=threshold,
    )
    return Report(
        title=telling.subject.title,
        page=page(telling.subject, telling.figures, telling.sections),
        sheets=tuple(section.sheet for section in telling.sections),
    )


class Telling(Struct, frozen=True, kw_only=True):
    """What there is to tell, before it is drawn and put on a page."""

    subject: Subject
    figures: Figures
    sections: tuple[Section, ...]


def tell(
    events: pl.LazyFrame,
    rejects: pl.DataFrame,
    metadata: CheckpointMetadata,
    period: Period,
    *,
    center: str | None = None,
    include_test_center: bool = False,
    threshold: int,
) -> Telling:
    """Find out what there is to tell. Takes and raises what `make_report` does."""
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
    return Telling(subject=subject, figures=found, sections=tuple(_sections(found, centers)))


def _sections(figures: Figures, centers: Sequence[Center]) -> Iterator[Section]:
    """Tell everything, in the order in which one would ask."""
    yield volumes_section(figures)
    yield status_section(figures, centers)
    yield errors_section(figures, centers)
    yield days_section(
        figures.submission,
        centers,
        figures.threshold,
        query="days-to-submission",
        title="Time to submission",
        done="submitted",
        color=COLORS["submit"],
    )
    yield days_section(
        figures.qc,
        centers,
        figures.threshold,
        query="days-to-qc",
        title="Time to QC",
        done="passed by QC",
        color=COLORS["pass-qc"],
    )
    yield completeness_section(figures)
    yield rejects_section(figures)
