"""What an analyst gets: rows as a table for people, or as JSON, CSV or Parquet for programs."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
import polars as pl
import typer
from msgspec import Struct

from checkpoint_cli._option_groups import OptionGroup
from checkpoint_cli._options import JsonOption
from checkpoint_cli._printing.output import harmless, one_line, write, write_lines
from checkpoint_cli._printing.plain import plain
from checkpoint_cli._printing.rows import RECORDS, SHOWN, shown, terminal_width

__all__ = ["Answer", "Form", "deliver"]

_SLICE_ROWS: Final = 10_000
_MANY: Final = 10**9
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Answer(Struct, frozen=True, kw_only=True):
    """The rows that were asked for, and how many there are without the limit."""

    rows: pl.DataFrame
    total: int


class Form(OptionGroup, frozen=True, kw_only=True):
    """How rows are delivered, and at most how many; more than one way is wrong usage."""

    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=_MANY,
            metavar="N",
            help=f"At most so many rows. [default: {SHOWN} in a table, {RECORDS} where none fits "
            "the terminal, else all]",
        ),
    ] = None
    as_json: JsonOption = False
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV; lists and the like are JSON in it.")
    ] = False
    parquet: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write a Parquet file, which must not be there yet."),
    ] = None

    def __post_init__(self) -> None:
        """Check what typer cannot: the options together, and the file."""
        if self.as_json + self.as_csv + (self.parquet is not None) > 1:
            raise typer.BadParameter("choose one", param_hint="--json, --csv, --parquet")
        if self.parquet is None:
            return
        if "://" in self.parquet:
            raise typer.BadParameter("give a local file", param_hint="--parquet")
        if Path(self.parquet).exists():
            raise typer.BadParameter(
                f"{one_line(self.parquet)} is there already; remove it, or choose another name",
                param_hint="--parquet",
            )

    @property
    def rows(self) -> int | None:
        """At most how many rows are needed; None where all of them are."""
        for_programs = self.as_json or self.as_csv or self.parquet is not None
        return SHOWN if self.limit is None and not for_programs else self.limit


def deliver(answer: Answer, form: Form) -> None:
    """Print the answer, or write it to the file."""
    if form.as_json:
        _write_each(_json(answer.rows))
    elif form.as_csv:
        _write_each(_csv(answer.rows))
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


def _csv(rows: pl.DataFrame) -> Iterator[bytes]:
    table = plain(rows)
    yield _csv_of(table.head(0), include_header=True)
    for part in table.iter_slices(_SLICE_ROWS):
        nested = [column for column in part if column.dtype.is_nested()]
        texts = (
            pl.Series(
                column.name,
                [
                    None if value is None else _ENCODER.encode(value).decode()
                    for value in column.to_list()
                ],
                dtype=pl.String,
            )
            for column in nested
        )
        yield _csv_of(part.with_columns(*texts), include_header=False)


def _csv_of(rows: pl.DataFrame, *, include_header: bool) -> bytes:
    # Of the empty table only the names matter, and not every type can be written.
    if include_header:
        rows = rows.cast(pl.String, strict=False) if rows.width else rows
    text = io.BytesIO()
    rows.write_csv(text, include_header=include_header)
    return text.getvalue()


def _write_each(parts: Iterator[bytes]) -> None:
    on_terminal = sys.stdout.isatty()
    for part in parts:
        write(harmless(part) if on_terminal else part)


def _write_parquet(rows: pl.DataFrame, path: Path) -> None:
    """Write a file that was not there; nothing is left of it where that fails."""
    with path.open("xb") as file:
        try:
            rows.write_parquet(file, compression="snappy")
        except BaseException:
            path.unlink()
            raise
