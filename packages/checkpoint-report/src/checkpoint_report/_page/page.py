"""The page: one HTML file that needs nothing else, runs nothing and asks for nothing."""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape
from msgspec import Struct

from checkpoint_core import CheckpointMetadata
from checkpoint_report._charts.drawing import NARROW, WIDE
from checkpoint_report._figures.centers import Center
from checkpoint_report._figures.figures import Figures
from checkpoint_report._period import Period
from checkpoint_report._sections.section import Section, at_least, passing
from checkpoint_report._sections.sheets import DASH, days, percent
from checkpoint_report._version import __version__

__all__ = ["Subject", "page"]

_CODE: Final = re.compile(r"`([^`]*)`")


class Subject(Struct, frozen=True, kw_only=True):
    """What a report is about: a period, one center or all, and the checkpoint as it was."""

    period: Period
    center: Center | None
    centers: Sequence[Center]
    metadata: CheckpointMetadata

    @property
    def title(self) -> str:
        """What the report is called."""
        return f"Visit events, {self.period.title}"


class _Fact(Struct, frozen=True):
    name: str
    value: str
    note: str = ""


def page(subject: Subject, figures: Figures, sections: Sequence[Section]) -> str:
    """Return the page. The same arguments give the same bytes."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["code"] = _code
    css = _asset("page.css")
    return environment.from_string(_asset("page.html.jinja")).render(
        title=subject.title,
        about=subject.center.name if subject.center else "All centers",
        css=Markup(css),  # noqa: S704 - ours, from the package
        css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        glance=list(_glance(subject, figures)),
        coverage=list(_coverage(subject)),
        missing=list(_missing(subject)),
        sections=sections,
        charts={section.anchor: list(_charts(section)) for section in sections},
        threshold=figures.threshold,
        commit_id=subject.metadata.commit_id,
        version=__version__,
    )


def _charts(section: Section) -> Iterator[tuple[str, Markup]]:
    """Draw the section's chart for each kind of page, of which the style shows one."""
    if section.chart is not None:
        # What altair draws is markup, with all text in it escaped.
        yield "wide", Markup(section.chart(WIDE))  # noqa: S704
        yield "narrow", Markup(section.chart(NARROW))  # noqa: S704


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _code(text: str) -> Markup:
    """Return the text with what stands between backticks as code, and all else escaped."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def _glance(subject: Subject, figures: Figures) -> Iterator[_Fact]:
    rate, count = passing(figures.status)
    with_data = sum(center.has_data for center in subject.centers)
    yield _Fact("Events", at_least(figures.volumes.total()))
    yield _Fact("Visits with events", at_least(figures.status.total()))
    if subject.center is None:
        yield _Fact("Centers with data", f"{with_data} of {len(subject.centers)}")
        over = (
            f"over {count} of {with_data} centers: those that can be shown"
            if rate is not None
            else ""
        )
        yield _Fact("Passed QC", percent(rate).text, over)
    else:
        yield _Fact("Passed QC", percent(rate).text, "of the checked submissions")
    yield _Fact("To submission", _median(figures.submission.every.median), "median")
    yield _Fact("To QC", _median(figures.qc.every.median), "median")


def _median(value: float | None) -> str:
    return DASH if value is None else f"{days(value).text} days"


def _coverage(subject: Subject) -> Iterator[_Fact]:
    period, metadata = subject.period, subject.metadata
    yield _Fact(
        "Period",
        period.title,
        f"all times are UTC: from {_moment(period.begin)} up to, and without, {_moment(period.end)}",
    )
    yield _Fact("Centers", subject.center.name if subject.center else "all")
    if metadata.last_timestamp is None:
        yield _Fact("Data up to", DASH, "the checkpoint has no events")
    else:
        yield _Fact(
            "Data up to", _moment(metadata.last_timestamp), "the latest event in the checkpoint"
        )
    yield _Fact(
        "Last change",
        _moment(metadata.committed_at),
        "the last run that found something new ended then. A run that finds nothing new leaves no "
        "trace in the checkpoint, so whether there were later ones cannot be told from it",
    )


def _missing(subject: Subject) -> Iterator[str]:
    silent = [center.name for center in subject.centers if not center.has_data]
    if subject.center is not None:
        yield f"This center has {'no ' if silent else ''}data in this period."
    elif silent and len(silent) == len(subject.centers):
        yield "No center has any data in this period."
    elif silent:
        names = ", ".join(silent)
        yield f"No data in this period from {len(silent)} of {len(subject.centers)} centers: {names}."
    elif subject.centers:
        yield "No center that ever sent an event before is without data."
    else:
        yield "No center has ever sent an event before the end of this period."
    if subject.metadata.committed_at < subject.period.end:
        yield (
            "The checkpoint was last changed before the period ended. Events from after "
            f"{_moment(subject.metadata.committed_at)} are missing, if there were any."
        )
    yield (
        "Events can arrive late: a report made later may have more. Centers that never sent an "
        "event are not known here. What was rejected is in the last section."
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
