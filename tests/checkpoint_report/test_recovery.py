"""No hidden count can be brought back from a page, its charts, its words or its files."""

import functools
import itertools
import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checkpoint_report import Report
from tests.checkpoint_report.visits import (
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
    stands = {"submit": "waiting", "delete": "deleted"}
    status = Counter(
        (each["center_label"], stands.get(each["action"], each["action"])) for each in last.values()
    )
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
    made = made_of(events, threshold=3)
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


def column_of(made: Made, name: str, column: str) -> list[str]:
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
        made_of(
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
    few, more = (made_of([*visits(1, 1, "submit"), *visits(n, 2, "submit")]) for n in (1, 10))

    assert table(few, "days-to-submission") == table(more, "days-to-submission")


def test_the_fraction_of_a_percentile_does_not_tell_how_many_visits_there_are() -> None:
    """Of an interpolated one it would, up to a multiple of ten."""
    events = [*visits(100, 1, "submit"), *visits(12, 1, "submit", day=6)]

    row = table(made_of(events), "days-to-submission")["center-01"]
    assert ("15", "16") == (row["median days"], row["9 of 10 within days"])


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
            assert cell in {f"<{T}" if 1 <= count < T else str(count), "withheld"}
            assert count > 0 or cell == "0"
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
