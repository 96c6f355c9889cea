"""Lines and tables on stdout, styled where that is a terminal."""

import io
import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from checkpoint_cli._printing.text import one_line, write

__all__ = ["table", "terminal_width", "write_lines"]

_ENDLESS = 100_000


def terminal_width() -> int | None:
    """Return how many characters fit on a line; None where stdout is no terminal."""
    return Console(file=io.StringIO()).width if sys.stdout.isatty() else None


def write_lines(parts: Iterable[RenderableType]) -> None:
    """Write text and tables: styled on a terminal, plain and never wrapped elsewhere."""
    on_terminal = sys.stdout.isatty()
    console = Console(
        file=io.StringIO(),
        force_terminal=on_terminal,
        width=None if on_terminal else _ENDLESS,
        markup=False,
        highlight=False,
        emoji=False,
    )
    with console.capture() as captured:
        for part in parts:
            console.print(_shown(part), soft_wrap=not isinstance(part, Table))
    lines = (line.rstrip() + "\n" for line in captured.get().splitlines())
    write("".join(lines).encode(sys.stdout.encoding, "backslashreplace"))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table; numbers are grouped and to the right, long text is folded, not cut."""
    body = [list(row) for row in rows]
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, header in enumerate(headers):
        is_number = all(isinstance(row[index], int) for row in body)
        made.add_column(
            Text(one_line(header)), justify="right" if is_number else "left", overflow="fold"
        )
    for row in body:
        made.add_row(*(Text(_cell(value)) for value in row))
    return made


def _shown(part: RenderableType) -> RenderableType:
    """Return text without anything in it that a terminal might obey; tables are made of such."""
    if isinstance(part, str):
        return _lines(part)
    if isinstance(part, Text) and part.plain != _lines(part.plain):
        return Text(_lines(part.plain), part.style)
    return part


def _lines(text: str) -> str:
    return "\n".join(map(one_line, text.split("\n")))


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else one_line(str(value))
