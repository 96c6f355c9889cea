"""Rows for people: a table where it fits the terminal, otherwise one field on each line."""

from collections.abc import Iterator
from decimal import Decimal
from math import isfinite
from typing import Final

import msgspec
import polars as pl
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from checkpoint_cli._form import RECORDS
from checkpoint_cli._printing.plain import plain
from checkpoint_cli._printing.text import one_line

__all__ = ["shown"]

_ENDLESS: Final = 1_000_000
_GROUPED: Final = 10_000
_SMALL: Final = 0.001
_LARGE: Final = 1e15
_MISSING: Final = "NULL"


def shown(
    rows: pl.DataFrame, *, total: int, records: int | None = None, width: int | None = None
) -> Iterator[RenderableType]:
    """Yield the rows, and how many there are.

    Where no table fits into `width`, each row is shown as a record: `records` of them, or a few.
    """
    cells = [_cells(column, rows[column.name].dtype) for column in plain(rows)]
    table = _fitting(rows, cells, width)
    if table is not None:
        count = rows.height
        yield table
    else:
        count = min(rows.height, RECORDS if records is None else records)
        for number in range(count):
            yield Text(f"── {number + 1:,} of {total:,}", "bold")
            yield _record(rows.columns, [column[number] for column in cells])
    if count < total:
        yield f"{total - count:,} more; see --limit, --json, --csv and --parquet"
    else:
        yield "1 row" if total == 1 else f"{total:,} rows"


def _fitting(rows: pl.DataFrame, cells: list[list[Text]], width: int | None) -> Table | None:
    """Return the roomiest table that fits, None where none does."""
    for breaks, padding in ((False, 1), (True, 1), (True, 0)):
        made = _table(rows, cells, breaks=breaks, padding=padding)
        if width is None or Console(width=_ENDLESS).measure(made).maximum <= width:
            return made
    return None


def _table(rows: pl.DataFrame, cells: list[list[Text]], *, breaks: bool, padding: int) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, padding), collapse_padding=breaks)
    for name, kind in rows.schema.items():
        header = one_line(name)
        made.add_column(
            Text(header.replace("_", "_\n") if breaks else header),
            justify="right" if kind.is_numeric() else "left",
            overflow="fold",
        )
    for row in zip(*cells, strict=True):
        made.add_row(*row)
    return made


def _record(names: list[str], values: list[Text]) -> Table:
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", overflow="fold")
    made.add_column(overflow="fold")
    for name, value in zip(names, values, strict=True):
        made.add_row(Text(one_line(name)), value)
    return made


def _cells(column: pl.Series, kind: pl.DataType) -> list[Text]:
    """Return what to show of a column; what it was before times became text is its kind."""
    return [
        Text(_MISSING, "dim") if value is None else Text(_cell(value, is_time=kind.is_temporal()))
        for value in column.to_list()
    ]


def _cell(value: object, *, is_time: bool) -> str:
    match value:
        case str() if is_time:
            return value.replace(".000000", "")
        case str():
            return _text(value)
        case bool():
            return str(value).lower()
        case int() | Decimal():
            return f"{value:{_grouping(value)}{'d' if isinstance(value, int) else 'f'}}"
        case float():
            return _number(value)
        case _:
            return one_line(msgspec.json.encode(value).decode())


def _text(value: str) -> str:
    """Return the text as it is, in quotes where it could be taken for something else."""
    doubtful = value == _MISSING or value != value.strip() or value[:1] in {"", '"'}
    return one_line(f'"{value}"' if doubtful else value)


def _number(value: float) -> str:
    if not isfinite(value) or 0 < abs(value) < _SMALL or abs(value) >= _LARGE:
        return f"{value:.4g}"
    digits = 2 if abs(value) >= 1 else 4
    return f"{value:{_grouping(value)}.{digits}f}".rstrip("0").rstrip(".")


def _grouping(value: float | Decimal) -> str:
    """Return how to write the thousands; smaller ones may be years, or the numbers of centers."""
    return "" if -_GROUPED < value < _GROUPED else ","
