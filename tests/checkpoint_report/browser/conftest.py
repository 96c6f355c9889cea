"""A browser, a report in it, and everything that the page asks for or complains about.

It is the Chromium that the machine has: Playwright brings a driver along, and no browser.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from msgspec import Struct, field
from playwright.sync_api import Browser, Page, sync_playwright

from checkpoint_report import Report
from tests.checkpoint_report.browser.month import REJECTS, month
from tests.checkpoint_report.visits import report

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


class Visit(Struct, kw_only=True):
    """A page in a browser, with what it asked for and complained of."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the machine's Chromium. In CI there has to be one; elsewhere the tests are skipped.

    No longer than it is used: an event loop runs in this thread until then, and other tests have
    their own.
    """
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        problem = f"the machine has none of: {', '.join(NAMES)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(problem)
    with sync_playwright() as playwright:
        # Its own sandbox does not work for root, nor in most containers; the page is ours.
        browser = playwright.chromium.launch(
            executable_path=executable, args=list(QUIET), chromium_sandbox=False
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def made() -> Report:
    """Make a report of forty centers."""
    return report(month(), REJECTS)


class Visitor(Struct, frozen=True):
    """Opens the report on devices of different kinds."""

    browser: Browser
    file: Path

    def open(self, *, width: int = 1000, scheme: Literal["light", "dark"] = "light") -> Visit:
        """Open the page and listen to it from before its first byte."""
        page = self.browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        visit = Visit(page=page, address=self.file.as_uri())
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("console", lambda message: visit.complaints.append(message.text))
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.goto(visit.address)
        return visit


@pytest.fixture
def visitor(browser: Browser, made: Report, tmp_path: Path) -> Iterator[Visitor]:
    """Put the report into a file, to be opened."""
    file = tmp_path / "report.html"
    file.write_text(made.page, encoding="utf-8")
    yield Visitor(browser, file)
    for context in browser.contexts:
        context.close()
