"""No hidden count can be brought back from a page, its charts, its words or its files."""

import functools
import itertools
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checkpoint_report import Report
from tests.checkpoint_report.visits import (
    OCTOBER,
    Page,
    event,
    frame,
    reject,
    report,
    table,
    visits,
    words,
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


@settings(max_examples=50)
@given(groups)
def test_tables_and_files_show_no_small_count_and_no_total_that_tells_one(
    made_up: list[tuple[int, tuple[str, ...], int, int]],
) -> None:
    """Cells are true or hidden; totals with hidden parts are sums of the others; so nothing else
    than what each cell says of itself follows from all of them together.
    """
    events = events_of(made_up)
    made, whole = report(events, threshold=T), report(events, threshold=1)

    for name in ("status", "volumes"):
        heading, *rows, totals = told(made, name)
        for row, true in zip(rows, told(whole, name)[1:], strict=False):
            check_row(row[1:], true[1:])
        for index in range(1, len(heading) - 1):
            cells = [row[index] for row in rows]
            check_total(totals[index], cells)
            check_complement(cells)
        check_total(totals[-1], [cell for row in rows for cell in row[1:-1]])


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from([6, 13, 20]), st.integers(1, 2)), max_size=20
    )
)
@example([(1, 6, 1), (2, 6, 1), *[(3, 6, 1)] * 5])
@example([(1, 6, 1), (1, 6, 1), (1, 13, 1), (1, 13, 1), (1, 20, 1), (1, 20, 1)])
@pytest.mark.on_one_python
def test_no_table_bounds_a_small_count_of_another(made_up: list[tuple[int, int, int]]) -> None:
    """A visit has at least one event of its status: who goes through all events and visits that fit
    both tables still finds each hidden count to be anything below the threshold.
    """
    events = [
        event(center, f"V{number}", day=day)
        for number, (center, day, count) in enumerate(made_up)
        for _ in range(count)
    ]
    made = report(events, threshold=3)
    visits, taken = (
        column_of(made, name, column)
        for name, column in (("status", "waiting"), ("volumes", "submit"))
    )

    fitting = [
        (v, e) for v in fillings(visits) for e in fillings(taken) if sum(v) <= sum(e)
    ]  # fmt: skip
    for side, cells in enumerate((visits, taken)):
        for index in (index for index, cell in enumerate(cells) if cell == "<3"):
            assert {1, 2} == {both[side][index] for both in fitting}


def column_of(made: Report, name: str, column: str) -> list[str]:
    """Return the cells of a column of a table."""
    return [row[column] for row in table(made, name).values() if "no data" not in row.values()]


def fillings(cells: list[str]) -> set[tuple[int, ...]]:
    """Return all columns, of numbers up to 12, that would be shown like this with a threshold of 3."""
    shown = [int(cell) for cell in cells if cell.isdigit()]
    end = min((number for number in shown if number), default=12)
    # A column without any number may be withheld whole.
    begin = 3 if "<3" in cells or any(shown) else 1
    kinds = {"<3": range(1, 3), "withheld": range(begin, end + 1)}
    return set(itertools.product(*(kinds.get(cell) or [int(cell)] for cell in cells)))


def test_rough_numbers_and_percentiles_do_not_tell_a_hidden_count() -> None:
    """Of 40 passed and 10 not passed, the 10 stay hidden: nothing says that there are 50 visits."""
    dated: dict[str, Any] = {"visit_date": OCTOBER.last + timedelta(days=1)}
    made = [
        report(
            [
                *visits(40, 1, "submit", "pass-qc", **dated),
                *visits(failed, 1, "submit", "not-pass-qc", **dated),
                *visits(300, 2, "submit", "pass-qc"),
                *visits(300, 2, "submit", "not-pass-qc"),
            ]
        )
        for failed in (1, 10)
    ]

    assert "<11" == table(made[0], "status")["center-01"]["not-pass-qc"]
    for name in ("days-to-submission", "completeness"):
        assert table(made[0], name) == table(made[1], name)
    assert "25 or more" == table(made[0], "days-to-submission")["center-01"]["negative"]


def test_the_rough_number_of_all_does_not_bound_that_of_each() -> None:
    """Two centers of fewer than 11 are two or more: fewer than 11 would tell that neither is 10."""
    few, more = (report([*visits(1, 1, "submit"), *visits(n, 2, "submit")]) for n in (1, 10))

    assert table(few, "days-to-submission") == table(more, "days-to-submission")


def test_the_fraction_of_a_percentile_does_not_tell_how_many_visits_there_are() -> None:
    """Of an interpolated one it would, up to a multiple of ten."""
    events = [*visits(100, 1, "submit"), *visits(12, 1, "submit", day=6)]

    row = table(report(events), "days-to-submission")["center-01"]
    assert ("15", "16") == (row["median days"], row["9 of 10 within days"])


def told(made: Report, name: str) -> list[list[str]]:
    """Return a table as the page has it: headings, rows, totals."""
    (sheet,) = (sheet for sheet in made.sheets if sheet.name == name)
    rows = [[value.text for value in row] for row in (*sheet.rows, sheet.totals)]
    return [list(sheet.headings), *rows]


def test_the_tables_of_the_page_are_those_of_the_files() -> None:
    """What holds for the tables holds for the page."""
    made = three_centers()

    page = Page(made.page)
    for sheet in made.sheets:
        rows = [row for row in told(made, sheet.name) if row]
        assert page.tables[sheet.name] == rows
        for name, *cells in rows[1 : len(sheet.rows) + 1]:
            plain = table(made, sheet.name)[name].values()
            assert [like_a_file(cell) for cell in cells] == [like_a_file(cell) for cell in plain]


def like_a_file(cell: str) -> str:
    """Return a cell as programs get it; of shares and dashes no more than that they are some."""
    cell = cell.replace("\N{GREATER-THAN OR EQUAL TO} ", ">=").replace("\N{EN DASH}", "")
    return re.sub(r"[0-9.]+%|[01]\.[0-9]+", "share", cell)


@functools.cache
def three_centers() -> Report:
    """Make a report in which the count of one center is small, and that of another withheld."""
    return report([*visits(30, 1, "submit"), *visits(7, 2, "submit"), *visits(20, 3, "submit")])


def check_row(cells: list[str], true: list[str]) -> None:
    """Each cell is its count, or says that this is small or withheld; the last is the total."""
    for cell, count in zip(cells[:-1], true, strict=False):
        if cell == f"<{T}":
            assert 1 <= int(count) < T
        else:
            assert cell == count or (cell == "withheld" and int(count) > 0)
            assert not cell.isdigit() or not 1 <= int(cell) < T
    if cells[0] != "no data":
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


@settings(max_examples=10)
@given(st.integers(1, 10), st.integers(1, 10), st.integers(1, 10))
def test_whatever_the_hidden_counts_are_the_numbers_are_the_same(
    deleted: int, rejected: int, negative: int
) -> None:
    """And so is every word of the page; its charts are drawn from these numbers."""
    made = hidden(deleted, rejected, negative)

    assert hidden(1, 1, 1).figures == made.figures
    assert hidden(1, 1, 1).sheets == made.sheets
    assert words(hidden(1, 1, 1)) == words(made)


def test_with_the_same_numbers_the_page_is_the_same() -> None:
    """Byte for byte, with its charts: nothing in it depends on what is hidden."""
    assert hidden(1, 1, 1).page == hidden(10, 10, 10).page


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
    assert words(hidden(1, 1, 1)) != words(hidden(11, 1, 1))
    assert words(hidden(1, 1, 1)) != words(hidden(1, 11, 1))


def test_charts_say_what_the_table_says_and_no_more() -> None:
    """A hidden count has no bar and no label of its own; the words of a chart are the table's."""
    charts = re.findall(r"<svg.*?</svg>", three_centers().page, re.DOTALL)
    assert charts
    texts = {text for chart in charts for text in re.findall(r">([^<>]+)</text>", chart)}
    assert "&lt;11" in texts
    assert "withheld" in texts
    assert "7" not in texts
    assert not [chart for chart in charts if "aria-label" in chart]
