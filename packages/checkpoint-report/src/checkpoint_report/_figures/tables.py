"""Tables of counts, and what is known to hold between them: the whole truth, nothing hidden yet."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, Literal, TypeVar

from msgspec import Struct

__all__ = ["Place", "Relation", "Table", "counted", "places"]

Cell = TypeVar("Cell")


class Table(Struct, Generic[Cell], frozen=True, kw_only=True):
    """Counts by row and column: whole numbers, or what may be said of them.

    `rows` and `columns` are keys, each there once: a center's is its number, that of days their
    first one as ISO date. Of one table no count is the sum of others. `sums` are what is said of the
    sum of each column, where more may be said of it than of its cells.
    """

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    sums: tuple[Cell, ...] = ()

    def row(self, key: str) -> tuple[Cell, ...]:
        """Return the cells of a row, one for each column; none where there is no such row."""
        return self.cells[self.rows.index(key)] if key in self.rows else ()

    def column(self, key: str) -> tuple[Cell, ...]:
        """Return the cells of a column, one for each row."""
        index = self.columns.index(key)
        return tuple(cells[index] for cells in self.cells)

    def totals(self) -> tuple[tuple[Cell, ...], ...]:
        """Return of each column what adds up to its sum: the sum itself, or its cells."""
        return tuple((each,) for each in self.sums) or tuple(map(self.column, self.columns))

    def total(self, key: str) -> tuple[Cell, ...]:
        """Return what adds up to the sum of a column."""
        return self.totals()[self.columns.index(key)]

    def part(self, row: str, *columns: str) -> tuple[Cell, ...]:
        """Return the cells of some columns in a row; none where there is no such row."""
        cells = self.row(row)
        return tuple(cells[self.columns.index(key)] for key in columns) if cells else ()


class Place(Struct, frozen=True):
    """Some cells of a table: those of all its rows or of some, in all its columns or in some."""

    table: str
    rows: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None


class Relation(Struct, frozen=True, kw_only=True):
    """What holds of the sums of two sets of cells, by the definitions that the page states."""

    left: tuple[Place, ...]
    how: Literal["equals", "is at most"]
    right: tuple[Place, ...]
    why: str


def places(
    tables: Mapping[str, Table[Cell]], sides: Iterable[Place]
) -> Iterator[tuple[str, int, int]]:
    """Yield table, row and column of each cell that is meant; keys that are not there are none."""
    for side in sides:
        table = tables[side.table]
        for row, row_key in enumerate(table.rows):
            for column, column_key in enumerate(table.columns):
                of_row = side.rows is None or row_key in side.rows
                if of_row and (side.columns is None or column_key in side.columns):
                    yield side.table, row, column


def counted(
    name: str,
    rows: Iterable[str],
    columns: Iterable[str],
    counts: Mapping[tuple[str, str], int],
) -> Table[int]:
    """Make a table of counts by row and column, 0 where there is none."""
    rows, columns = tuple(rows), tuple(columns)
    cells = tuple(tuple(counts.get((row, column), 0) for column in columns) for row in rows)
    return Table(name=name, rows=rows, columns=columns, cells=cells)
