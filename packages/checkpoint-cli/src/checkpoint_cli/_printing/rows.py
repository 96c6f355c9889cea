"""Rows for people: a table where it fits the terminal, otherwise one field on each line."""

from collections.abc import Iterator, Sequence
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
_DECIMALS: Final = 4
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
    values = column.to_list()
    how = _format([each for each in values if isinstance(each, int | float | Decimal)])
    return [
        Text(_MISSING, "dim")
        if value is None
        else Text(_cell(value, how, is_time=kind.is_temporal()))
        for value in values
    ]


def _cell(value: object, how: str, *, is_time: bool) -> str:
    match value:
        case str() if is_time:
            return value.replace(".000000", "")
        case str():
            return _text(value)
        case bool():
            return str(value).lower()
        case int() | float() | Decimal():
            return f"{value:{how}}"
        case _:
            return one_line(msgspec.json.encode(value).decode())


def _text(value: str) -> str:
    """Return the text as it is, in quotes where it could be taken for something else."""
    doubtful = value == _MISSING or value != value.strip() or value[:1] in {"", '"'}
    return one_line(f'"{value}"' if doubtful else value)


def _format(numbers: Sequence[float | Decimal]) -> str:
    """Return how all numbers of a column are written: as many decimals, the thousands alike.

    Thousands are apart where a number is large; smaller ones may be years, or numbers of centers.
    """
    sizes = [abs(float(number)) for number in numbers if isfinite(number)]
    grouping = "," if any(size >= _GROUPED for size in sizes) else ""
    if not any(isinstance(number, float) for number in numbers):
        return grouping
    if any(0 < size < _SMALL or size >= _LARGE for size in sizes):
        return ".4g"
    decimals = _DECIMALS if any(0 < size < 1 for size in sizes) else 2
    written = (f"{size:.{decimals}f}".rstrip("0").partition(".")[2] for size in sizes)
    return f"{grouping}.{max(map(len, written), default=0)}f"
