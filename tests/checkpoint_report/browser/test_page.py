"""The report as a browser shows it: whole, alone, legible, for everybody."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from checkpoint_queries import Filters, ask
from checkpoint_report import Report
from tests.checkpoint_report.browser.conftest import NAMES, Visitor
from tests.checkpoint_report.browser.month import REJECTS, month
from tests.checkpoint_report.visits import OCTOBER, report, table, words

PAPER_PX = 703
"""The width of what is printed on A4."""
CHARTS = 10
TABLES = 14
"""Of a report that knows no ledger."""

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

# Words that are smaller than 12 pixels: their own size, times how much their picture is scaled.
SMALL = """
() => {
  for (const details of document.querySelectorAll('details')) details.open = true;
  return [...document.body.querySelectorAll('*')]
    .filter(element => element.getClientRects().length)
    .filter(element => [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(element => {
      const matrix = element instanceof SVGElement ? element.getScreenCTM() : {a: 1, b: 0};
      const scale = Math.hypot(matrix.a, matrix.b);
      return [element.textContent.slice(0, 30), parseFloat(getComputedStyle(element).fontSize) * scale];
    }).filter(([, size]) => size < 11.95);
}
"""

TABLE = """
name => [...document.querySelector(`#${name} table`).rows]
  .map(row => [...row.cells].map(cell => cell.textContent))
"""

# Tables of which a part has to be scrolled to.
CROPPED = """
() => [...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth)
  .map(each => each.getAttribute('aria-labelledby'))
"""


def test_the_page_is_rendered_and_asks_for_nothing(visitor: Visitor) -> None:
    """One request, for itself; no complaint; and charts that take up room."""
    visit = visitor.open()

    assert [visit.address] == visit.requests
    assert [] == visit.complaints
    assert visit.page.title().startswith("Visit events, October 2026")
    charts = visit.page.locator("figure .wide svg")
    boxes = [chart.bounding_box() for chart in charts.all()]
    assert len(boxes) == CHARTS
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
    rows = page.evaluate(TABLE, "centers")
    assert "<script>document.title='taken over'</script>" in [row[0] for row in rows]


def test_the_numbers_on_the_page_are_those_of_the_query(visitor: Visitor, made: Report) -> None:
    """The table that a person sees, cell by cell, and the bars' words."""
    page = visitor.open().page
    filters = Filters(timestamp_from=OCTOBER.begin, timestamp_to=OCTOBER.end)
    asked = ask("pass-rates", month().lazy(), filters, by=("pipeline_adcid",)).collect()

    headings, *rows, totals = page.evaluate(TABLE, "centers")
    shown = {row[0]: dict(zip(headings[1:], row[1:], strict=True)) for row in rows}
    standing = table(made, "standing")
    names = {center.adcid: center.name for center in made.subject.centers}
    assert len(rows) == 40
    for row in asked.iter_rows(named=True):
        told = shown[names[row["pipeline_adcid"]]]
        checked = row["passed"] + row["not_passed"]
        assert told["checked"] == f"{checked:,}"
        assert told["pass rate"] == f"{row['pass_rate']:.1%}"
        assert told["submissions"] == standing[names[row["pipeline_adcid"]]]["submissions"]
        assert standing[names[row["pipeline_adcid"]]]["waiting"] == f"{row['waiting']:,}"
    assert totals[1] == f"{sum(int(row[1].replace(',', '')) for row in rows):,}"
    texts = page.locator("#centers .wide svg .role-mark text").all_text_contents()
    assert set(texts) >= {row[1] for row in rows}


@pytest.mark.parametrize("width", [390, 1000])
def test_no_word_is_smaller_than_12_pixels(visitor: Visitor, width: int) -> None:
    """As the browser shows it, with charts scaled to the room that they have; on paper neither."""
    page = visitor.open(width=width).page

    assert [] == page.evaluate(SMALL)
    if width == 1000:
        page.emulate_media(media="print")
        page.set_viewport_size({"width": PAPER_PX, "height": 1000})
        assert [] == page.evaluate(SMALL)


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


@pytest.mark.parametrize("width", [320, 390, 831, 833, 1600])
def test_no_width_makes_the_page_scroll_sideways(visitor: Visitor, width: int) -> None:
    """From the smallest phone on, with all tables open; a table too wide scrolls in itself."""
    page = visitor.open(width=width).page
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [] == page.evaluate(OVERFLOWING)


@pytest.mark.parametrize("suppress_below", [None, 11])
def test_tables_fit_a_usual_screen_and_paper(
    browser: Browser, tmp_path: Path, suppress_below: int | None
) -> None:
    """At 1280 pixels no column is to be scrolled to, of exact numbers and of ranges; and nothing is
    wider than paper, for which a browser would shrink all that is printed below what can be read.
    """
    file = tmp_path / "report.html"
    made = report(month(), REJECTS, suppress_below=suppress_below)
    file.write_text(words(made), encoding="utf-8")
    page = Visitor(browser, file).open(width=1280).page
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    assert [] == page.evaluate(CROPPED)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER_PX, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER_PX


@pytest.mark.parametrize("width", [320, 1000])
def test_no_word_of_a_chart_is_cut_off_or_lies_on_another(visitor: Visitor, width: int) -> None:
    """Whatever font the machine has; titles of narrow panels neither."""
    page = visitor.open(width=width).page

    assert CHARTS == page.locator("figure svg:visible").count()
    assert [] == page.evaluate(CUT_OFF)
    assert [] == page.evaluate(OVERLAPPING)


def test_tables_are_reached_and_opened_by_keyboard(visitor: Visitor) -> None:
    """Tab leads past the skip link and the contents to each table; Enter opens it."""
    page = visitor.open(width=320).page
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = false)")
    reached = []
    for _ in range(1 + 12 + 2 * TABLES):
        page.keyboard.press("Tab")
        tag, text = page.evaluate(
            "[document.activeElement.tagName, document.activeElement.className]"
        )
        reached.append((tag, text))
        if tag == "SUMMARY":
            page.keyboard.press("Enter")

    assert reached[0] == ("A", "skip")
    assert len([tag for tag, _ in reached if tag == "SUMMARY"]) == TABLES
    assert len([text for _, text in reached if text == "scroll"]) == TABLES
    assert page.locator("table:visible").count() == TABLES


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
    assert page.locator("table").count() == page.locator("table > caption").count() == TABLES
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
    assert 6 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 11
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(22, 32, 44)"
    heights = page.evaluate(
        "[...document.querySelectorAll('details table')].map(each => each.getBoundingClientRect().height)"
    )
    # All but that of what the chart of centers shows.
    assert sum(height > 20 for height in heights) == TABLES - 1
    assert page.locator("nav").is_hidden()


@pytest.mark.parametrize("file", [".ci/run", "scripts/check.py"])
def test_all_look_for_the_same_browsers(file: str) -> None:
    """What CI installs and what a check reports is what these tests use."""
    root = Path(__file__).resolve().parents[3]
    text = (root / file).read_text(encoding="utf-8").replace('"', "").replace(",", "")

    assert " ".join(NAMES) in text
