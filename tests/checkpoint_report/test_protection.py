"""No small count can be found out from tables that are told, however they hang together."""

from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from checkpoint_report._figures.known import Count
from checkpoint_report._figures.protection import protect
from checkpoint_report._figures.tables import Place, Relation, Table, counted
from tests.checkpoint_report.auditing import Auditor

CENTERS = ("1", "2", "3", "4")
STUDIES = ("adrc", "leads")
STATUSES = ("passed", "failed")
SUM = "the sum"

Things = Mapping[tuple[str, str, str], int]
"""How many there are of each center, study and status."""

sizes = st.one_of(st.integers(0, 4), st.integers(0, 15), st.integers(90, 99))
things = st.dictionaries(
    st.tuples(*map(st.sampled_from, (CENTERS, STUDIES, STATUSES))), sizes, max_size=12
)
thresholds = st.sampled_from([2, 3, 5, 11])


def relation(left: Place, how: str, right: Place) -> Relation:
    """Say what holds."""
    return Relation(left=(left,), how=how, right=(right,), why="because")  # type: ignore[arg-type] # one of two


RELATIONS = (
    *(
        relation(Place("study", columns=(status,)), "equals", Place("center", columns=(status,)))
        for status in STATUSES
    ),
    relation(Place("all"), "equals", Place("center")),
    *(
        relation(Place("late", (center,)), "is at most", Place("center", (center,)))
        for center in CENTERS
    ),
    relation(Place("center", columns=("passed",)), "is at most", Place("events")),
)


def tables_of(them: Things) -> dict[str, Table[int]]:
    """Count them by center, by study, and all; those that are late, and events of those that passed."""
    by: dict[str, Counter[tuple[str, str]]] = {
        name: Counter() for name in ("center", "study", "all", "late", "events")
    }
    for (center, study, status), number in them.items():
        by["center"][center, status] += number
        by["study"][study, status] += number
        by["all"]["all", "all"] += number
        by["late"][center, "late"] += number // 2
        by["events"][study, "events"] += number if status == "passed" else 0
    shapes = {
        "center": (CENTERS, STATUSES),
        "study": (STUDIES, STATUSES),
        "all": (("all",), ("all",)),
        "late": (CENTERS, ("late",)),
        "events": (STUDIES, ("events",)),
    }
    return {name: counted(name, *shape, by[name]) for name, shape in shapes.items()}


Cell = TypeVar("Cell")


def told(tables: Mapping[str, Table[Cell]]) -> dict[tuple[str, str, str], Cell]:
    """Return all cells by table, row and column, and the sums of columns that are told."""
    return {
        (name, row, column): cell
        for name, table in tables.items()
        for row, cells in zip([*table.rows, SUM], [*table.cells, table.sums], strict=True)
        for column, cell in zip(table.columns, cells, strict=False)
    }


def summed(tables: Mapping[str, Table[int]]) -> dict[str, Table[int]]:
    """Return tables that have their sums."""
    return {
        name: structs.replace(table, sums=tuple(map(sum, zip(*table.cells, strict=True))))
        for name, table in tables.items()
    }


def auditor_of(cells: Mapping[tuple[str, str, str], Count]) -> Auditor:
    """Return one who has read all tables, and knows what holds between them."""
    auditor = Auditor()
    for name, cell in cells.items():
        auditor.is_told(name, cell.least, cell.most)

    def those(table: str, **keys: str) -> list[tuple[str, str, str]]:
        wanted = {*keys.values()}
        return [
            name for name in cells if name[0] == table and name[1] != SUM and wanted <= {*name[1:]}
        ]

    for name in cells:
        if name[1] == SUM:
            auditor.equal([name], those(name[0], by=name[2]))

    for status in STATUSES:
        auditor.equal(those("study", by=status), those("center", by=status))
    auditor.equal(those("all"), those("center"))
    for center in CENTERS:
        auditor.at_most(those("late", by=center), those("center", by=center))
    auditor.at_most(those("center", by="passed"), those("events"))
    return auditor


@pytest.mark.on_one_python
@settings(max_examples=20)
@given(things, thresholds)
@example({("1", "adrc", "passed"): 1}, 11)
@example(
    {("1", "adrc", "passed"): 100, ("2", "adrc", "passed"): 1, ("3", "leads", "passed"): 95}, 11
)
@example({(center, "adrc", "passed"): 1 for center in CENTERS}, 5)
@example({(center, "adrc", "failed"): 10 for center in CENTERS}, 11)
@example({(center, "adrc", "failed"): 11 for center in CENTERS}, 11)
@example({}, 2)
def test_no_count_is_known_better_than_it_is_told_and_no_small_one_well(
    them: Things, threshold: int
) -> None:
    """What can be found out of a hidden count is what is told, and in it the truth; nought is shown.

    Of one that can be small at least as many numbers come into question as there are small ones.
    """
    tables = tables_of(them)
    true, cells = told(summed(tables)), told(protect(tables, RELATIONS, threshold))
    auditor = auditor_of(cells)

    for name, cell in cells.items():
        number = true[name]
        assert cell.least <= number
        assert cell.most is None or number <= cell.most
        assert cell.exact is None or not 1 <= number < threshold
        assert number or cell.exact == 0
        if cell.is_hidden:
            assert (cell.least, cell.most) == auditor.finds(name, cell.least, cell.most)
            assert (
                cell.least >= threshold
                or cell.most is None
                or cell.most - cell.least + 1 >= max(threshold - 1, 2)
            )
        if 1 <= number < threshold:
            assert cell.is_hidden


@settings(max_examples=10)
@given(things, thresholds)
def test_what_is_told_does_not_depend_on_how_small_a_small_count_is(
    them: Things, threshold: int
) -> None:
    """Where one goes from a small count to another, and both stay small, nothing changes."""
    before = tables_of(them)
    after = {name: [list(cells) for cells in table.cells] for name, table in before.items()}
    column = after["center"]
    small = [row for row in range(len(CENTERS)) if 1 <= column[row][0] < threshold]
    less = [row for row in small if column[row][0] > 1]
    more = [row for row in small if column[row][0] < threshold - 1 and row not in less[:1]]
    for row, step in ((less[:1], -1), (more[:1], 1)):
        if less and more:
            column[row[0]][0] += step
    changed = {
        name: Table(
            name=name,
            rows=table.rows,
            columns=table.columns,
            cells=tuple(map(tuple, after[name])),
        )
        for name, table in before.items()
    }

    without = [each for each in RELATIONS if each.left[0].table != "late"]
    assert protect(before, without, threshold) == protect(changed, without, threshold)


def test_of_two_tables_of_the_same_a_large_count_is_told_as_a_range() -> None:
    """Beside one small count it has as many values as that; all others are shown, sums too."""
    them = {("1", "adrc", "passed"): 400, ("2", "leads", "passed"): 30, ("3", "leads", "passed"): 4}
    cells = told(protect(tables_of(them), RELATIONS[:1], 11))

    assert "1 to 10" == cells["center", "3", "passed"].words
    assert "30" == cells["center", "2", "passed"].words
    assert "34" == cells["study", "leads", "passed"].words
    assert "394 to 403" == cells["center", "1", "passed"].words
    assert "434" == cells["center", SUM, "passed"].words
    assert "400" == cells["study", "adrc", "passed"].words


@given(things)
def test_a_threshold_of_one_tells_everything(them: Things) -> None:
    """Then each count is exact."""
    tables = tables_of(them)

    cells = told(protect(tables, RELATIONS, 1))
    known = {name: cell.exact for name, cell in cells.items()}
    assert known == {name: number for name, number in told(summed(tables)).items() if name in known}


def test_what_does_not_hold_is_not_reckoned_with() -> None:
    """Who reckons with it is wrong; the report is made all the same."""
    tables = tables_of({("1", "adrc", "passed"): 3}) | {"all": counted("all", ["all"], ["all"], {})}

    assert "0" == told(protect(tables, RELATIONS, 11))["all", "all", "all"].words
