"""Suppression of small counts: what leaves this module may be handed on, and nothing else may.

A count of at least one and less than the threshold is hidden. A column that has just one hidden
count hides its next smallest as well, because what the column adds up to may be known from
elsewhere; and what other tables tell about that sum is reckoned with, as an attacker would. Totals
are made from what is shown: with a hidden count among its parts a total is only a lower bound, so
that no subtraction brings a hidden count back.
Nought is shown: it is about nobody.
"""

import enum
from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Self, TypeGuard

from msgspec import Struct
from msgspec.structs import replace

__all__ = [
    "Cell",
    "CountTable",
    "Hidden",
    "Total",
    "floor",
    "greatest",
    "is_shown",
    "least",
    "or_more",
    "roughly",
    "share",
    "sum_shown",
    "suppress",
    "tells",
    "together",
]


class Hidden(enum.Enum):
    """Why a count is not shown."""

    SMALL = "small"
    WITHHELD = "withheld"


Cell = int | Hidden

_NOTHING_KNOWN: Final[Mapping[str, Any]] = MappingProxyType({})


class Total(Struct, frozen=True):
    """The sum of the cells that are shown; all there is to it only where none is hidden."""

    at_least: int
    exact: bool


class CountTable(Struct, frozen=True, kw_only=True):
    """Counts by row and column, small ones hidden."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]

    def column(self, name: str) -> tuple[Cell, ...]:
        """Return the cells of a column, one for each row; noughts where there is no such column."""
        if name not in self.columns:
            return (0,) * len(self.rows)
        index = self.columns.index(name)
        return tuple(row[index] for row in self.cells)

    def row(self, name: str) -> tuple[Cell, ...]:
        """Return the cells of a row, one for each column; noughts where there is no such row."""
        if name not in self.rows:
            return (0,) * len(self.columns)
        return self.cells[self.rows.index(name)]

    def row_totals(self) -> tuple[Total, ...]:
        """Return the total of each row."""
        return tuple(sum_shown(row) for row in self.cells)

    def column_totals(self) -> tuple[Total, ...]:
        """Return the total of each column."""
        return tuple(sum_shown(self.column(name)) for name in self.columns)

    def total(self) -> Total:
        """Return the total of all."""
        return sum_shown([cell for row in self.cells for cell in row])

    def withheld(self, columns: Container[str]) -> Self:
        """Return the table with nothing but noughts told in these columns, not even what is small."""
        rows = (
            (
                Hidden.WITHHELD if name in columns and cell != 0 else cell
                for name, cell in zip(self.columns, cells, strict=True)
            )
            for cells in self.cells
        )
        return replace(self, cells=tuple(map(tuple, rows)))


def suppress(
    rows: Sequence[str],
    columns: Sequence[str],
    counts: Mapping[tuple[str, str], int],
    *,
    threshold: int,
    at_least: Mapping[str, int] = _NOTHING_KNOWN,
    at_most: Mapping[str, int | None] = _NOTHING_KNOWN,
) -> CountTable:
    """Make a table of counts by (row, column), 0 where there is none, without the small ones.

    `at_least` and `at_most` are what else is known, from other tables, about the sum of a column.
    Nothing but what is shown and known decides what more is withheld, so that this tells nothing.
    """
    by_column = []
    for column in columns:
        cells = [_cell(counts.get((row, column), 0), threshold) for row in rows]
        known = (at_least.get(column, 0), at_most.get(column))
        while _is_alone(cells) or tells(cells, *known, threshold=threshold):
            shown = [(cell, index) for index, cell in enumerate(cells) if _is_some(cell)]
            if not shown:
                break
            cells[min(shown)[1]] = Hidden.WITHHELD
        by_column.append(cells)
    table = tuple(zip(*by_column, strict=True)) if columns else ((),) * len(rows)
    return CountTable(rows=tuple(rows), columns=tuple(columns), cells=table)


def least(cells: Sequence[Cell], threshold: int) -> int:
    """Return the least sum that cells can have, for those who see them."""
    small, withheld = cells.count(Hidden.SMALL), cells.count(Hidden.WITHHELD)
    return sum_shown(cells).at_least + small + withheld * threshold


def greatest(cells: Sequence[Cell], threshold: int) -> int | None:
    """Return the greatest sum that the cells of a column can have, None where there is no end."""
    small, withheld = cells.count(Hidden.SMALL), cells.count(Hidden.WITHHELD)
    # What was withheld was no greater than what was not.
    end = min((cell for cell in cells if _is_some(cell)), default=None)
    if withheld and end is None:
        return None
    return sum_shown(cells).at_least + small * (threshold - 1) + withheld * (end or 0)


def tells(cells: Sequence[Cell], at_least: int, at_most: int | None, *, threshold: int) -> bool:
    """Tell whether some small count cannot be all of 1 to threshold - 1, with the sum so bounded."""
    if Hidden.SMALL not in cells:
        return False
    others = list(cells)
    others.remove(Hidden.SMALL)
    end = greatest(others, threshold)
    from_above = at_most is not None and at_most - least(others, threshold) < threshold - 1
    from_below = end is not None and at_least - end > 1
    return from_above or from_below


def _is_alone(cells: list[Cell]) -> bool:
    """Tell whether just one count is hidden."""
    return sum(isinstance(cell, Hidden) for cell in cells) == 1


def _is_some(cell: Cell) -> TypeGuard[int]:
    """Tell whether it is a count that is shown, and not 0."""
    return not isinstance(cell, Hidden) and cell > 0


def sum_shown(cells: Sequence[Cell]) -> Total:
    """Return the total of some cells."""
    shown = [cell for cell in cells if not isinstance(cell, Hidden)]
    return Total(sum(shown), exact=len(shown) == len(cells))


def together(cells: Sequence[Cell]) -> Cell:
    """Return the sum of cells as one, which is shown only where each of them is."""
    hidden = [cell for cell in cells if isinstance(cell, Hidden)]
    whole = sum_shown(cells)
    if whole.exact:
        return whole.at_least
    return hidden[0] if len(hidden) == 1 and whole.at_least == 0 else Hidden.WITHHELD


def share(part: Cell, rest: Cell) -> float | None:
    """Return which share a part has of the whole; None where that is not known or of nothing."""
    if isinstance(part, Hidden) or isinstance(rest, Hidden) or part + rest == 0:
        return None
    return part / (part + rest)


def is_shown(count: int, *, threshold: int) -> bool:
    """Tell whether a count is none or large enough."""
    return count == 0 or count >= threshold


_STEPS: Final = (25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000)


def roughly(count: int, known: int, *, threshold: int) -> str:
    """Return in words how many these are, roughly: exactly would tell too much beside other tables.

    Of no more than `known`, which other tables tell: more would tell what these hide.
    """
    if 1 <= count < threshold:
        return f"fewer than {threshold}"
    return or_more(floor(count, known, threshold=threshold), threshold=threshold)


def floor(count: int, known: int, *, threshold: int) -> int:
    """Return how many these are at the least, for those who see what `roughly` says."""
    if threshold <= 1:
        return count
    if count < threshold:
        return min(count, 1)
    return max(
        (step for step in _STEPS if threshold < step <= min(count, known)), default=threshold
    )


def or_more(count: int, *, threshold: int) -> str:
    """Return a floor in words; without a threshold it is the count."""
    if count == 0:
        return "none"
    return f"{count:,} or more" if threshold > 1 else f"{count:,}"


def _cell(count: int, threshold: int) -> Cell:
    return count if is_shown(count, threshold=threshold) else Hidden.SMALL
