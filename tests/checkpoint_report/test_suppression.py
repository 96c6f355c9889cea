"""Small counts are hidden, and stay hidden."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_report._figures.suppression import (
    CountTable,
    Hidden,
    Total,
    roughly,
    share,
    sum_shown,
    suppress,
)

ROWS = ("a", "b", "c")
COLUMNS = ("x", "y")
T = 11

counts_of_tables = st.fixed_dictionaries(
    {(row, column): st.integers(0, 40) for row in ROWS for column in COLUMNS}
)


def made(counts: dict[tuple[str, str], int], threshold: int = T) -> CountTable:
    """Make the table."""
    return suppress(ROWS, COLUMNS, counts, threshold=threshold)


@given(counts_of_tables)
def test_what_is_shown_is_true_and_gives_no_small_count_away(
    counts: dict[tuple[str, str], int],
) -> None:
    """A shown cell is the count, and never small; no column hides one count alone among others; each
    total is the sum of what is shown, and exact only where no part is hidden.
    """
    table = made(counts)
    columns = [table.column(name) for name in COLUMNS]
    parts = [*table.cells, *columns, [cell for cells in table.cells for cell in cells]]
    totals = [*table.row_totals(), *table.column_totals(), table.total()]

    for (row, column), true in counts.items():
        cell = table.row(row)[COLUMNS.index(column)]
        assert cell == (Hidden.SMALL if 1 <= true < T else true) or (
            cell is Hidden.WITHHELD and true >= T
        )
    for cells in columns:
        hidden = [cell for cell in cells if isinstance(cell, Hidden)]
        assert len(hidden) != 1 or all(cell == 0 for cell in cells if isinstance(cell, int))
    for part, total in zip(parts, totals, strict=True):
        assert total.exact is not any(isinstance(cell, Hidden) for cell in part)
        assert total.at_least == sum(cell for cell in part if isinstance(cell, int))


@given(counts_of_tables, st.data())
def test_tables_that_differ_in_small_counts_look_the_same(
    counts: dict[tuple[str, str], int], data: st.DataObject
) -> None:
    """Nothing in a table, its totals included, depends on how small a small count is."""
    others = {
        place: data.draw(st.integers(1, T - 1)) if 1 <= count < T else count
        for place, count in counts.items()
    }

    assert made(counts) == made(others)


@given(counts_of_tables)
def test_a_threshold_of_one_hides_nothing(counts: dict[tuple[str, str], int]) -> None:
    """Then the table is the counts."""
    expected = tuple(tuple(counts[row, column] for column in COLUMNS) for row in ROWS)

    assert expected == made(counts, threshold=1).cells


def test_the_next_smallest_count_is_withheld_with_a_single_small_one() -> None:
    """Of 5, 30 and 20, the 20; nothing in a column of large counts."""
    table = made({("a", "x"): 5, ("b", "x"): 30, ("c", "x"): 20, ("a", "y"): 11, ("b", "y"): 12})

    assert (Hidden.SMALL, 30, Hidden.WITHHELD) == table.column("x")
    assert (11, 12, 0) == table.column("y")
    assert (Total(30, exact=False), Total(23, exact=True)) == table.column_totals()


def test_rows_and_columns_that_are_not_there_are_noughts() -> None:
    """A center without visits in a table has none there."""
    table = made({})

    assert (0, 0) == table.row("nobody")
    assert (0, 0, 0) == table.column("nothing")


@pytest.mark.parametrize("part", [Hidden.SMALL, Hidden.WITHHELD])
def test_a_share_is_known_only_of_shown_counts(part: Hidden) -> None:
    """Otherwise it would tell the hidden one."""
    assert share(part, 20) is None
    assert share(20, part) is None
    assert share(0, 0) is None
    assert share(30, 10) == 0.75


def test_the_sum_of_nothing_is_exact() -> None:
    """As of a checkpoint without events."""
    assert Total(0, exact=True) == sum_shown([])


@given(st.integers(2, 60), st.integers(0, 200_000), st.integers(0, 200_000))
def test_a_rough_number_is_true_and_tells_no_more_than_is_known(
    threshold: int, count: int, known: int
) -> None:
    """From the threshold on it is a lower bound, and beyond that one that other tables tell."""
    told = roughly(count, known, threshold=threshold).replace(",", "")

    if count == 0:
        assert told == "none"
    elif count < threshold:
        assert told == f"fewer than {threshold}"
    else:
        least = int(told.removesuffix(" or more"))
        assert threshold <= least <= max(threshold, min(count, known))


def test_without_a_threshold_a_rough_number_is_exact() -> None:
    """There is nothing to hide then."""
    assert "1,234" == roughly(1234, 1234, threshold=1)


def test_what_is_known_of_a_sum_makes_more_be_withheld() -> None:
    """Of 30, 1, 1 and 12, all of which are known to be at most 44, neither 1 is 2: so 12 goes."""
    counts = {("a", "x"): 30, ("b", "x"): 1, ("c", "x"): 1, ("d", "x"): 12}
    rows = ("a", "b", "c", "d")
    known = suppress(rows, ("x",), counts, threshold=T, at_most={"x": 44})
    unknown = suppress(rows, ("x",), counts, threshold=T)

    assert (30, Hidden.SMALL, Hidden.SMALL, 12) == unknown.column("x")
    assert {Hidden.SMALL, Hidden.WITHHELD} == set(known.column("x"))
