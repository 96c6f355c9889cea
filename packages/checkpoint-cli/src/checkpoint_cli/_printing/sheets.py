"""Rows as CSV, which people open with a spreadsheet."""

import io
import sys
from itertools import chain
from typing import Final

import msgspec
import polars as pl

from checkpoint_cli._printing.plain import plain
from checkpoint_cli._printing.text import complain, harmless, write

__all__ = ["SIGNIFICANT_DIGITS", "write_csv"]

SIGNIFICANT_DIGITS: Final = 12
"""Of a fraction: more are an echo of how computers add, as in 0.30000000000000004."""
_SLICE_ROWS: Final = 10_000
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_FORMULA: Final = r"^[=+\-@\t\r]"
"""How a text begins that spreadsheets take for a formula. Of numbers they know the sign."""


def write_csv(rows: pl.DataFrame, *, safe: bool) -> None:
    """Print the rows as CSV, with a header; lists and the like are JSON in it.

    Where a text begins as a formula does, that is said once, on stderr; with `safe` an apostrophe
    goes before it instead.
    """
    on_terminal = sys.stdout.isatty()
    formulas = 0
    names = pl.DataFrame([[name] for name in rows.columns], orient="col")
    for part in chain([names], map(_texts, rows.iter_slices(_SLICE_ROWS))):
        texts = [column.name for column in part if column.dtype == pl.String]
        if safe:
            part = part.with_columns(map(_defused, texts))  # noqa: PLW2901 - from here on it is that
        elif texts:
            formulas += sum(part.select(_is_formula(name).sum() for name in texts).row(0))
        data = io.BytesIO()
        part.write_csv(data, include_header=False)
        write(harmless(data.getvalue()) if on_terminal else data.getvalue())
    if formulas:
        complain(
            f"warning: {formulas:,} texts begin as formulas do (=, +, -, @), which a spreadsheet "
            "would compute; --csv-safe puts an apostrophe before them"
        )


def _is_formula(name: str) -> pl.Expr:
    return pl.col(name).str.contains(_FORMULA)


def _defused(name: str) -> pl.Expr:
    return pl.when(_is_formula(name)).then("'" + pl.col(name)).otherwise(name).alias(name)


def _texts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of what CSV has: texts, numbers and booleans, fractions without noise."""
    return plain(rows).with_columns(
        pl.Series(column.name, [_text(value) for value in column.to_list()], dtype=pl.String)
        if column.dtype.is_nested()
        else pl.Series(column.name, [_number(value) for value in column.to_list()])
        for column in plain(rows)
        if column.dtype.is_nested() or column.dtype == pl.Float64
    )


def _text(value: object) -> str | None:
    return None if value is None else _ENCODER.encode(value).decode()


def _number(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{SIGNIFICANT_DIGITS}g}")
