"""From a checkpoint to a report."""

from collections.abc import Iterator
from functools import cached_property

import polars as pl
from msgspec import Struct

from checkpoint_format.layout import CheckpointMetadata
from checkpoint_report._figures.centers import find_center, find_centers
from checkpoint_report._figures.figures import figures
from checkpoint_report._figures.scope import cut_of, scope_of
from checkpoint_report._figures.telling import Told, told
from checkpoint_report._page.page import page
from checkpoint_report._page.top import summary
from checkpoint_report._period import Period
from checkpoint_report._sections.section import Section
from checkpoint_report._sections.sections import sections
from checkpoint_report._sections.sheets import Sheet
from checkpoint_report._sections.subject import Order, Subject

__all__ = ["Checkpoint", "Report", "make_center_reports", "make_report"]


class Checkpoint(Struct, frozen=True, kw_only=True, eq=False):
    """What a report is made from: `events` are the checkpoint's rows, in their order.

    `rejects` are those beside it, in REJECTS_SCHEMA, `ledger` is the one beside it; None of either:
    it is not known.
    """

    metadata: CheckpointMetadata
    events: pl.LazyFrame
    rejects: pl.DataFrame | None
    ledger: pl.LazyFrame | None


class Report(Struct, frozen=True, kw_only=True, dict=True, eq=False):
    """A page of HTML, and the tables that are in it; the page is drawn when it is asked for."""

    subject: Subject
    told: Told
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """What the report is called."""
        return self.subject.title

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """The tables."""
        return tuple(sheet for section in self.sections for sheet in section.sheets)

    @property
    def summary(self) -> str:
        """What a list of reports says of it."""
        return summary(self.told)

    @cached_property
    def page(self) -> str:
        """The page; the same report gives the same bytes."""
        return page(self.subject, self.told, self.sections)


def make_report(
    checkpoint: Checkpoint,
    period: Period,
    *,
    center: str | None = None,
    include_test_center: bool = False,
    suppress_below: int | None = None,
    order: Order = "adcid",
) -> Report:
    """Make the report on a period, about all centers or one.

    The same arguments give the same bytes. Nothing in a report is about single submissions; with
    `suppress_below`, no count below it can be found out from the report.

    Args:
        checkpoint: what the report is made from.
        period: the days to report on.
        center: label or number of the one center; None for all.
        include_test_center: all includes center 0, the test site.
        suppress_below: the least count that is told, other than 0; None: every count is told.
        order: by what centers are ordered.

    Raises:
        UnknownCenterError: no center is called so.
    """
    # Whoever names a center may mean the test site.
    some_test = include_test_center or center is not None
    events, metadata = checkpoint.events, checkpoint.metadata
    end = cut_of(period, metadata.committed_at)
    centers = find_centers(events, period.begin, end, include_test_center=some_test)
    chosen = None if center is None else find_center(centers, center)
    if chosen is not None:
        centers = (chosen,)
    scope = scope_of(
        events,
        period,
        metadata.committed_at,
        adcid=None if chosen is None else chosen.adcid,
        include_test_center=include_test_center,
    )
    keys = [center.key for center in centers]
    shown = told(
        figures(events, checkpoint.rejects, checkpoint.ledger, keys, scope), suppress_below
    )
    subject = Subject(scope=scope, center=chosen, centers=centers, metadata=metadata, order=order)
    return Report(subject=subject, told=shown, sections=sections(subject, shown))


def make_center_reports(
    checkpoint: Checkpoint,
    period: Period,
    *,
    include_test_center: bool = False,
    suppress_below: int | None = None,
) -> Iterator[Report]:
    """Make a report on each center that sent events before the end of the period, by number.

    Each is what `make_report` makes of the center, and may be made while the one before is written.
    """
    events, metadata = checkpoint.events, checkpoint.metadata
    end = cut_of(period, metadata.committed_at)
    centers = find_centers(events, period.begin, end, include_test_center=include_test_center)
    for center in centers:
        yield make_report(
            checkpoint,
            period,
            center=center.key,
            suppress_below=suppress_below,
        )
