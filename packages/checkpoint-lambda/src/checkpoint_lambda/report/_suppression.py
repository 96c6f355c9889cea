"""Suppression of small counts: what leaves this module may be handed on, and nothing else may.

A count of at least one and less than the threshold is hidden. A column that has just one hidden
count hides its next smallest as well, because what the column adds up to may be known from
elsewhere. Totals are made from what is shown: with a hidden count among its parts a total is only a
lower bound, so that no subtraction brings a hidden count back.
Nought is shown: it is about nobody.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

__all__ = [
    "Cell",
    "CountTable",
    "Hidden",
    "Total",
    "band",
    "is_shown",
    "share",
    "sum_shown",
    "suppress",
]


class Hidden(enum.Enum):
    """Why a count is not shown."""

    SMALL = "small"
    WITHHELD = "withheld"


Cell = int | Hidden


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


def suppress(
    rows: Sequence[str],
    columns: Sequence[str],
    counts: Mapping[tuple[str, str], int],
    *,
    threshold: int,
) -> CountTable:
    """Make a table of counts by (row, column), 0 where there is none, without the small ones."""
    by_column = [
        _complemented([_cell(counts.get((row, column), 0), threshold) for row in rows])
        for column in columns
    ]
    cells = tuple(zip(*by_column, strict=True)) if columns else ((),) * len(rows)
    return CountTable(rows=tuple(rows), columns=tuple(columns), cells=cells)


def sum_shown(cells: Sequence[Cell]) -> Total:
    """Return the total of some cells."""
    shown = [cell for cell in cells if not isinstance(cell, Hidden)]
    return Total(sum(shown), exact=len(shown) == len(cells))


def share(part: Cell, rest: Cell) -> float | None:
    """Return which share a part has of the whole; None where that is not known or of nothing."""
    if isinstance(part, Hidden) or isinstance(rest, Hidden) or part + rest == 0:
        return None
    return part / (part + rest)


def is_shown(count: int, *, threshold: int) -> bool:
    """Tell whether a count is none or large enough."""
    return count == 0 or count >= threshold


_STEPS: Final = (25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000)


def band(count: int, *, threshold: int) -> str:
    """Return in words how many these are, roughly: exactly would tell too much beside other tables."""
    if count == 0:
        return "none"
    edges = [max(threshold, 1), *(step for step in _STEPS if step > threshold)]
    if count < edges[0]:
        return f"fewer than {edges[0]}"
    reached = max(index for index, edge in enumerate(edges) if edge <= count)
    if reached + 1 == len(edges):
        return f"{edges[-1]:,} or more"
    return f"{edges[reached]:,} to {edges[reached + 1] - 1:,}"


def _cell(count: int, threshold: int) -> Cell:
    return count if is_shown(count, threshold=threshold) else Hidden.SMALL


def _complemented(cells: list[Cell]) -> list[Cell]:
    """Hide the smallest other count, where just one is hidden and there is another."""
    shown = [
        (cell, index) for index, cell in enumerate(cells) if not isinstance(cell, Hidden) and cell
    ]
    if len(cells) - len(shown) - cells.count(0) == 1 and shown:
        cells[min(shown)[1]] = Hidden.WITHHELD
    return cells
