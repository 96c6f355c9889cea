"""No hidden count can be brought back from a page, its charts, its words or its files."""

import functools
import re
from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoint_lambda.report import Report
from tests.report.visits import (
    OCTOBER,
    Made,
    Page,
    event,
    frame,
    made_of,
    reject,
    report,
    table,
    visits,
)

T = 5
DELETED = {"datatype": "dicom", "module": None, "packet": None}

# Of a center: how many visits go through these actions, beginning in one of two weeks.
groups = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from([("submit",), ("submit", "pass-qc"), ("submit", "not-pass-qc"),
                         ("submit", "pass-qc", "delete"), ("delete",)]),
        st.integers(1, 13),
        st.sampled_from([6, 13]),
    ),
    max_size=12,
)  # fmt: skip


def events_of(made_up: list[tuple[int, tuple[str, ...], int, int]]) -> list[dict[str, Any]]:
    """Return the events of these visits, each visit with a name of its own."""
    return [
        event(center, f"G{group}V{number}", action, day + step)
        for group, (center, actions, count, day) in enumerate(made_up)
        for number in range(count)
        for step, action in enumerate(actions)
    ]


def truth(events: list[dict[str, Any]]) -> dict[str, Counter[tuple[str, str]]]:
    """Count visits by center and last action, and events by week and action, in plain Python."""
    last = {each["ptid"]: each for each in sorted(events, key=lambda each: each["timestamp"])}
    weeks = Counter[tuple[str, str]]()
    for each in events:
        monday = each["timestamp"].date() - timedelta(days=each["timestamp"].weekday())
        (label,) = (bucket.label for bucket in OCTOBER.buckets() if bucket.start == monday)
        weeks[label, each["action"]] += 1
    status = Counter((each["center_label"], each["action"]) for each in last.values())
    return {"status": status, "volumes": weeks}


@settings(max_examples=50)
@given(groups)
def test_tables_and_files_show_no_small_count_and_no_total_that_tells_one(
    made_up: list[tuple[int, tuple[str, ...], int, int]],
) -> None:
    """Cells are true or hidden; totals with hidden parts are sums of the others; so nothing else
    than what each cell says of itself follows from all of them together.
    """
    events = events_of(made_up)
    made = made_of(events, threshold=T)

    for name, true in truth(events).items():
        heading, *rows, totals = told(made, name)
        for row in rows:
            check_row(row[1:], [true[row[0], column] for column in heading[1:-1]])
        for index in range(1, len(heading) - 1):
            cells = [row[index] for row in rows]
            check_total(totals[index], cells)
            check_complement(cells)
        check_total(totals[-1], [cell for row in rows for cell in row[1:-1]])
        check_files(made, name, rows)


def told(made: Made, name: str) -> list[list[str]]:
    """Return a table as the page has it: headings, rows, totals."""
    (sheet,) = (sheet for sheet in made.sheets if sheet.name == name)
    rows = [[value.text for value in row] for row in (*sheet.rows, sheet.totals)]
    return [list(sheet.headings), *rows]


def test_the_tables_of_the_page_are_those_of_the_files() -> None:
    """What holds for the tables holds for the page."""
    made = made_of([*visits(30, 1, "submit"), *visits(7, 2, "submit"), *visits(20, 3, "submit")])

    page = Page(made.report().page)
    for sheet in made.sheets:
        assert page.tables[sheet.name] == [row for row in told(made, sheet.name) if row]


def check_row(cells: list[str], true: list[int]) -> None:
    """Each cell is its count if that is none or large, and the last is the total of the others."""
    if "no data" in cells:
        assert sum(true) == 0
        return
    if any(true):
        for cell, count in zip(cells[:-1], true, strict=True):
            expected = {f"<{T}"} if 1 <= count < T else {str(count), "withheld"}
            assert cell in expected
    check_total(cells[-1], cells[:-1])


def check_total(total: str, cells: list[str]) -> None:
    """A total is the sum of what is shown beside it, marked as less than all if some is hidden."""
    shown = sum(int(cell) for cell in cells if cell.isdigit())
    is_whole = all(cell.isdigit() or cell in {"no data", "\N{EN DASH}"} for cell in cells)
    assert total == (str(shown) if is_whole else f"\N{GREATER-THAN OR EQUAL TO} {shown}")


def check_complement(cells: list[str]) -> None:
    """No column hides one count alone while it shows others."""
    hidden = [cell for cell in cells if cell in {f"<{T}", "withheld"}]
    assert len(hidden) != 1 or not any(cell.isdigit() and cell != "0" for cell in cells)


def check_files(made: Made, name: str, rows: list[list[str]]) -> None:
    """The file says what the page says."""
    for row in rows:
        plain = [cell.replace("\N{GREATER-THAN OR EQUAL TO} ", ">=") for cell in row[1:]]
        assert plain == list(table(made, name)[row[0]].values())


@settings(max_examples=5)
@given(st.integers(1, 10), st.integers(1, 10), st.integers(1, 10))
def test_whatever_the_hidden_counts_are_the_page_is_the_same(
    deleted: int, rejected: int, negative: int
) -> None:
    """Byte for byte, with its charts, alternatives and files: nothing in it depends on them."""
    assert hidden(1, 1, 1) == hidden(deleted, rejected, negative)


@functools.cache
def hidden(deleted: int, rejected: int, negative: int) -> Report:
    """Make a report in which these three numbers are hidden, and all else is the same."""
    late = OCTOBER.last + timedelta(days=1)
    submitted = visits(60, 1, "submit")
    for each in submitted[:negative]:
        each["visit_date"] = late
    for each in submitted[negative:10]:
        each["visit_date"] = each["timestamp"].date()
    events = frame(
        [*submitted, *visits(deleted, 2, "delete", day=20, **DELETED), event(3, day=-60)]
    )
    return report(events, [reject() for _ in range(rejected)])


def test_the_comparison_would_notice_a_count_that_is_told() -> None:
    """Of eleven, the eleventh is seen."""
    assert hidden(1, 1, 1) != hidden(11, 1, 1)
    assert hidden(1, 1, 1) != hidden(1, 11, 1)


def test_charts_say_what_the_table_says_and_no_more() -> None:
    """A hidden count has no bar and no label of its own; the words of a chart are the table's."""
    made = report([*visits(30, 1, "submit"), *visits(7, 2, "submit"), *visits(20, 3, "submit")])

    charts = re.findall(r"<svg.*?</svg>", made.page, re.DOTALL)
    assert charts
    texts = {text for chart in charts for text in re.findall(r">([^<>]+)</text>", chart)}
    assert "&lt;11" in texts
    assert "withheld" in texts
    assert "7" not in texts
    assert not [chart for chart in charts if "aria-label" in chart]
