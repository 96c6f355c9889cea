"""The report as a browser shows it: whole, alone, legible, for everybody."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from checkpoint_core.queries import Filters, ask
from checkpoint_report import Report
from tests.checkpoint_report.browser.conftest import NAMES, Visitor
from tests.checkpoint_report.browser.month import month
from tests.checkpoint_report.visits import OCTOBER, table

pytestmark = pytest.mark.on_one_python

# Every bar, and every element that shows words of its own, with its colour and the colour behind it, as the
# browser has computed them; and the least contrast that it needs.
CONTRASTS = """
() => {
  const channels = text => text.match(/[0-9.]+/g).map(Number);
  const luminance = text => {
    const [r, g, b] = channels(text).slice(0, 3).map(value => {
      value /= 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      const parts = channels(color);
      if (parts.length < 4 || parts[3] > 0) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  for (const details of document.querySelectorAll('details')) details.open = true;
  for (const element of document.body.querySelectorAll('*')) {
    const words = [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    const bar = element.matches('.mark-rect.role-mark path');
    if (!(words || bar) || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const color = element instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [luminance(color), luminance(behind(element))].sort((x, y) => y - x);
    found.push([bar ? 'bar' : element.tagName.toLowerCase(), element.textContent.slice(0, 40), (a + 0.05) / (b + 0.05)]);
  }
  return found;
}
"""

# Elements that reach further to the right than the window, and do not scroll inside something.
OVERFLOWING = """
() => [...document.querySelectorAll('body *')]
  .filter(element => !element.closest('.scroll') && !element.closest('.skip'))
  .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
  .map(element => element.outerHTML.slice(0, 80))
"""

# Words of charts that are cut off by the edge of their picture, or of the card around it.
CUT_OFF = """
() => [...document.querySelectorAll('svg')].filter(svg => svg.getClientRects().length)
  .flatMap(svg => [...svg.querySelectorAll('text')].filter(text => {
    const inner = text.getBoundingClientRect(), outer = svg.getBoundingClientRect();
    return inner.left < outer.left - 1 || inner.right > outer.right + 1
      || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
  }).map(text => text.textContent))
"""

# Words of charts that lie on one another.
OVERLAPPING = """
() => [...document.querySelectorAll('svg')].filter(svg => svg.getClientRects().length)
  .flatMap(svg => {
    const texts = [...svg.querySelectorAll('text')].filter(text => text.textContent.trim());
    const boxes = texts.map(text => text.getBoundingClientRect());
    return texts.flatMap((text, i) => texts.slice(i + 1).filter((_, j) => {
      const [a, b] = [boxes[i], boxes[i + 1 + j]];
      return Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;
    }).map(other => `${text.textContent} / ${other.textContent}`));
  })
"""

TABLE = """
name => [...document.querySelectorAll(`#${name} table tr`)]
  .map(row => [...row.cells].map(cell => cell.textContent))
"""


def test_the_page_is_rendered_and_asks_for_nothing(visitor: Visitor) -> None:
    """One request, for itself; no complaint; and seven charts that take up room."""
    visit = visitor.open()

    assert [visit.address] == visit.requests
    assert [] == visit.complaints
    assert visit.page.title().startswith("Visit events, October 2026")
    charts = visit.page.locator("figure .wide svg")
    boxes = [chart.bounding_box() for chart in charts.all()]
    assert len(boxes) == 7
    assert all(box is not None and box["width"] > 300 and box["height"] > 30 for box in boxes)


def test_the_policy_would_stop_a_script_and_a_request(visitor: Visitor) -> None:
    """Whatever got into the page could neither run nor load anything."""
    visit = visitor.open()
    visit.page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = "document.title = 'taken over'";
          document.body.append(script);
          const image = document.createElement('img');
          image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';
          document.body.append(image);
        }"""
    )
    visit.page.wait_for_function("document.images[0].complete")

    assert visit.page.title().startswith("Visit events")
    assert len([line for line in visit.complaints if "Content Security Policy" in line]) == 2


def test_hostile_labels_are_shown_as_they_are(visitor: Visitor) -> None:
    """As text, in the table and in the chart; nothing of them runs."""
    page = visitor.open().page

    assert page.evaluate("document.scripts.length") == 0
    rows = page.evaluate(TABLE, "status")
    assert "<script>document.title='taken over'</script>" in [row[0] for row in rows]


def test_the_numbers_on_the_page_are_those_of_the_query_and_of_the_files(
    visitor: Visitor, made: Report
) -> None:
    """The table that a person sees, cell by cell."""
    page = visitor.open().page
    shown = page.evaluate(TABLE, "status")
    filters = Filters(timestamp_from=OCTOBER.begin, timestamp_to=OCTOBER.end)
    asked = ask("status", month().lazy(), filters, by=("pipeline_adcid",)).collect()
    counts = {(center, status): submissions for center, status, _, submissions in asked.iter_rows()}

    headings, *rows, _ = shown
    assert len(rows) == 40
    for center, row in enumerate(rows[:39], 1):
        for status, cell in zip(headings[1:-1], row[1:-1], strict=True):
            count = counts.pop((center, status), 0)
            assert cell in ({"<11"} if 1 <= count < 11 else {f"{count:,}", "withheld"})
    assert {} == counts
    assert rows[39][1] == "no data"
    for name in ("volumes", "status", "errors", "days-to-submission", "completeness", "rejects"):
        on_page = [row[0] for row in page.evaluate(TABLE, name)[1:]]
        assert set(table(made, name)) <= {text.removeprefix("'") for text in on_page}


def test_each_bar_has_the_number_of_its_cell(visitor: Visitor) -> None:
    """The words of the chart of statuses are those of the table, in order."""
    page = visitor.open().page
    header, *rows, _ = page.evaluate(TABLE, "status")
    texts = page.locator("#status .wide svg .role-mark text").all_text_contents()

    told = [text for text in texts if text not in {"no data", ""}]
    # Between the centers and their totals.
    cells = [row[column] for column in range(1, len(header) - 1) for row in rows[:39]]
    assert cells == told


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 320])
def test_every_word_and_every_bar_has_contrast_enough(
    visitor: Visitor, scheme: Any, width: int
) -> None:
    """Words at least 4.5 to 1, bars 3 to 1, in both themes, as the browser has computed it."""
    found = visitor.open(scheme=scheme, width=width).page.evaluate(CONTRASTS)

    kinds = [kind for kind, _, _ in found]
    assert kinds.count("bar") > 100
    assert len(kinds) - kinds.count("bar") > 500
    assert {"h1", "td", "summary", "text", "dd", "code"} <= set(kinds)
    assert [] == [each for each in found if each[2] < (3 if each[0] == "bar" else 4.5)]


def test_the_themes_differ(visitor: Visitor) -> None:
    """The page is dark where darkness is asked for."""
    colors = [
        visitor.open(scheme=scheme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]

    light, dark = [sum(map(int, re.findall(r"\d+", color))) for color in colors]
    assert light > 600
    assert dark < 120


@pytest.mark.parametrize("width", [320, 600, 776, 777, 1600])
def test_no_width_makes_the_page_scroll_sideways(visitor: Visitor, width: int) -> None:
    """From the smallest phone on, with all tables open; a table too wide scrolls in itself."""
    page = visitor.open(width=width).page
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [] == page.evaluate(OVERFLOWING)


@pytest.mark.parametrize("width", [320, 1000])
def test_no_word_of_a_chart_is_cut_off_or_lies_on_another(visitor: Visitor, width: int) -> None:
    """Whatever font the machine has; titles of narrow panels neither."""
    page = visitor.open(width=width).page

    assert 7 == page.locator("figure svg:visible").count()
    assert [] == page.evaluate(CUT_OFF)
    assert [] == page.evaluate(OVERLAPPING)


def test_tables_are_reached_and_opened_by_keyboard(visitor: Visitor) -> None:
    """Tab leads past the skip link and the contents to each table; Enter opens it."""
    page = visitor.open(width=320).page
    reached = []
    for _ in range(1 + 7 + 2 * 7):
        page.keyboard.press("Tab")
        tag, text = page.evaluate(
            "[document.activeElement.tagName, document.activeElement.className]"
        )
        reached.append((tag, text))
        if tag == "SUMMARY":
            page.keyboard.press("Enter")

    assert reached[0] == ("A", "skip")
    assert len([tag for tag, _ in reached if tag == "SUMMARY"]) == 7
    assert len([text for _, text in reached if text == "scroll"]) == 7
    assert page.locator("table:visible").count() == 7


def test_the_page_has_the_structure_that_readers_of_screens_need(visitor: Visitor) -> None:
    """Language, landmarks, headings in order, captions, headers with a scope, alternatives."""
    page = visitor.open().page
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map(each => +each.tagName[1])"
    )

    assert page.evaluate("document.documentElement.lang") == "en"
    assert [1, 1, 1] == [page.locator(tag).count() for tag in ("header", "main", "footer")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.locator("table").count() == page.locator("table > caption").count() == 7
    assert page.locator("th:not([scope])").count() == 0
    for chart in page.locator("[role=img]:visible").all():
        section = chart.locator("xpath=ancestor::section")
        assert section.locator(".finding").inner_text() in (chart.get_attribute("aria-label") or "")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))
    for reference in page.evaluate(
        "[...document.querySelectorAll('[aria-labelledby], a[href]')].map("
        "each => each.getAttribute('aria-labelledby') || each.getAttribute('href').slice(1))"
    ):
        assert reference in ids


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints_on_paper(visitor: Visitor, paper: str) -> None:
    """On several pages, light whatever the screen is, with tables that are closed on the screen."""
    page = visitor.open(scheme="dark").page
    printed = page.pdf(format=paper, print_background=True)

    assert printed.startswith(b"%PDF")
    assert 8 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 16
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(22, 32, 44)"
    heights = page.evaluate(
        "[...document.querySelectorAll('details table')].map(each => each.getBoundingClientRect().height)"
    )
    assert all(height > 20 for height in heights)
    assert page.locator("nav").is_hidden()


@pytest.mark.parametrize("file", [".ci/run", "scripts/check.py"])
def test_all_look_for_the_same_browsers(file: str) -> None:
    """What CI installs and what a check reports is what these tests use."""
    root = Path(__file__).resolve().parents[3]
    text = (root / file).read_text(encoding="utf-8").replace('"', "").replace(",", "")

    assert " ".join(NAMES) in text
