"""What people and programs get to read: documents, lines and tables on stdout, the rest on stderr.

Object names and the like are input: nothing of them is taken as a terminal's control sequence.
"""

import io
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

__all__ = ["complain", "harmless", "one_line", "table", "write", "write_document", "write_lines"]

_ENDLESS = 100_000
_UNPRINTABLE: Final = re.compile(r"[^\n\x20-\x7e]")


def write_document(document: Any) -> None:
    """Write one JSON document, indented on a terminal, and nothing else."""
    data = msgspec.json.encode(document)
    write(harmless((msgspec.json.format(data, indent=2) if sys.stdout.isatty() else data) + b"\n"))


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


def harmless(data: bytes) -> bytes:
    """Escape, as JSON does, what a terminal might obey; newlines are left.

    For a terminal, in its encoding.
    """
    text = _UNPRINTABLE.sub(
        lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1],
        data.decode(),
    )
    encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
    return text.encode(encoding, "backslashreplace")


def write(data: bytes) -> None:
    """Write to stdout at once."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # Python would otherwise try again when it ends, and complain in its own words.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise OSError(error.errno, error.strerror, "standard output") from error


def complain(text: str) -> None:
    """Write a line to stderr; where nobody reads it, nothing more can be done."""
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def one_line(text: str) -> str:
    """Return the text with everything escaped that is not plainly visible."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


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
