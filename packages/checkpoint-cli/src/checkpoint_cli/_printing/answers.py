"""The delivery of rows: printed as a table, as JSON or CSV, or written as Parquet."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import polars as pl
from msgspec import Struct

from checkpoint_cli._form import Form
from checkpoint_cli._printing.output import terminal_width, write_lines
from checkpoint_cli._printing.plain import plain
from checkpoint_cli._printing.rows import shown
from checkpoint_cli._printing.sheets import write_csv
from checkpoint_cli._printing.text import harmless, one_line, write
from checkpoint_storage.refusals import refused

__all__ = ["Answer", "deliver"]

_SLICE_ROWS: Final = 10_000
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Answer(Struct, frozen=True, kw_only=True):
    """The rows that were asked for, and how many there are without the limit."""

    rows: pl.DataFrame
    total: int


def deliver(answer: Answer, form: Form) -> None:
    """Print the answer, or write it to the file."""
    if form.as_json:
        on_terminal = sys.stdout.isatty()
        for part in _json(answer.rows):
            write(harmless(part) if on_terminal else part)
    elif form.is_csv:
        write_csv(answer.rows, safe=form.csv_safe)
    elif form.parquet is not None:
        file = Path(form.parquet)
        _write_parquet(answer.rows, file)
        write_lines([f"Wrote {answer.rows.height:,} rows to {one_line(str(file))}."])
    else:
        width = terminal_width()
        write_lines(shown(answer.rows, total=answer.total, records=form.limit, width=width))


def _json(rows: pl.DataFrame) -> Iterator[bytes]:
    """Yield an array with an object on each line."""
    before = b"[\n"
    for part in plain(rows).iter_slices(_SLICE_ROWS):
        lines = (_ENCODER.encode(row) for row in part.iter_rows(named=True))
        yield before + b",\n".join(lines)
        before = b",\n"
    yield b"[]\n" if rows.is_empty() else b"\n]\n"


def _write_parquet(rows: pl.DataFrame, path: Path) -> None:
    """Write a file that was not there; nothing is left of it where that fails."""
    try:
        with path.open("xb") as file:
            try:
                rows.write_parquet(file, compression="snappy")
            except BaseException:
                path.unlink()
                raise
    except OSError as error:
        raise refused(path, error) from error
