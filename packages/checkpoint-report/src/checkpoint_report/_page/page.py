"""The page: one HTML file that needs nothing else, runs nothing and asks for nothing."""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from checkpoint_report._charts.drawing import NARROW, WIDE
from checkpoint_report._figures.telling import Told
from checkpoint_report._page.top import coverage, glance, notices
from checkpoint_report._sections.dictionary import dictionary
from checkpoint_report._sections.section import Section
from checkpoint_report._sections.subject import Subject
from checkpoint_report._version import __version__

__all__ = ["index", "page"]

_CODE: Final = re.compile(r"`([^`]*)`")


def page(subject: Subject, told: Told, sections: Sequence[Section]) -> str:
    """Return the page. The same arguments give the same bytes."""
    return _rendered(
        "page.html.jinja",
        title=subject.title,
        about=subject.about,
        notices=list(notices(subject, told)),
        glance=list(glance(subject, told)),
        coverage=list(coverage(subject)),
        sections=sections,
        charts={section.anchor: list(_charts(section)) for section in sections},
        dictionary=list(dictionary(subject, told)),
        threshold=told.threshold,
        commit_id=subject.metadata.commit_id,
    )


def index(title: str, pages: Iterable[tuple[str, str, str]]) -> str:
    """Return a page that leads to others: of each its file, its name, and what is said of it."""
    return _rendered("index.html.jinja", title=title, about="Each center", pages=list(pages))


def _rendered(template: str, **values: object) -> str:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["code"] = _code
    css = _asset("page.css")
    return environment.from_string(_asset(template)).render(
        css=Markup(css),  # noqa: S704 - ours, from the package
        css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        version=__version__,
        **values,
    )


def _charts(section: Section) -> Iterator[tuple[str, str, Markup]]:
    """Draw the section's charts for each kind of page, of which the style shows one."""
    for picture in section.pictures:
        # What is drawn is markup, with all text in it escaped.
        yield "wide", picture.shows, Markup(picture.chart(WIDE))  # noqa: S704
        yield "narrow", picture.shows, Markup(picture.chart(NARROW))  # noqa: S704


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _code(text: str) -> Markup:
    """Return the text with what stands between backticks as code, and all else escaped."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped
