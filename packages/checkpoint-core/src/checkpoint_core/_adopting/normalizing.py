"""Bringing the rows of any tool's file into our columns, or saying why they cannot be."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl
from msgspec import Struct

from checkpoint_format.event_columns import event_schema
from checkpoint_format.layout import DamagedFileError
from checkpoint_format.parquet import collect, read_schema, scan, sink
from nacc_event_model import EventFormat

_REQUIRED: Final = event_schema(EventFormat.V1_0).names()
_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_OFFSET: Final = r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$"
_ROW_GROUP_ROWS: Final = 131_072
_TOLD: Final = 5


class ExistingRows(Struct, frozen=True, kw_only=True):
    """The rows of one or several checkpoints, in our columns and sorted by timestamp."""

    file: Path
    rows: int


def unite(parts: Sequence[ExistingRows], to: Path) -> ExistingRows:
    """Put the rows of several files into one; of equal timestamp, those of earlier files first."""
    if len(parts) == 1:
        return parts[0]
    together = pl.concat([scan(part.file) for part in parts])
    _write(together.sort("timestamp", maintain_order=True), to)
    return ExistingRows(file=to, rows=sum(part.rows for part in parts))


def normalize(original: Path, to: Path, schema: pl.Schema) -> ExistingRows:
    """Write the rows of a checkpoint in our types and order into `to`; none is dropped.

    Rows of equal timestamp keep their order. Other types are taken where every value keeps its
    meaning: dates, times and numbers as text, times without a zone as UTC, whole floats.
    Raises DamagedFileError where that is not possible: other columns, values of other types,
    rows without a timestamp. Its message has columns and types, never a value.
    """
    found = read_schema(original)
    _refuse_other_columns(found, schema)
    present = [name for name in schema if name in found]
    refused = [name for name in present if _converted(name, found[name], schema[name]) is None]
    if refused:
        raise DamagedFileError(_mistyped(refused, found, schema))
    rows = scan(original).select(
        _converted(name, found[name], dtype) if name in found else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.items()
    )
    try:
        _write(rows.sort("timestamp", maintain_order=True), to)
        before, after = _nulls(original, present), _nulls(to, present)
    except DamagedFileError:
        problem = "its rows cannot be read"
        # The cause may quote values of the file, so it must not be chained.
        raise DamagedFileError(problem) from None
    refused = [name for name in present if before[name] != after[name]]
    if refused:
        raise DamagedFileError(_mistyped(refused, found, schema))
    if after["timestamp"]:
        raise DamagedFileError("it has rows without a timestamp")
    return ExistingRows(file=to, rows=after["len"])


def _write(rows: pl.LazyFrame, to: Path) -> None:
    sink(rows, to, metadata={}, compression="zstd", row_group_rows=_ROW_GROUP_ROWS)


def _nulls(file: Path, names: Sequence[str]) -> dict[str, int]:
    """Count the rows, and the nulls in each column."""
    counted = collect(file, scan(file).select(pl.len(), pl.col(names).null_count()))
    return counted.row(0, named=True)


def _refuse_other_columns(found: pl.Schema, schema: pl.Schema) -> None:
    missing = [name for name in _REQUIRED if name not in found]
    unknown = [name for name in found if name not in schema]
    if not missing and not unknown:
        return
    problem = (
        f"its columns are not those of events (missing: {', '.join(missing) or 'none'}; "
        f"unknown: {_places(unknown, found)})"
    )
    if not missing and all(name in event_schema(EventFormat.V1_1) for name in unknown):
        problem += "; event format 1.1 has them, select it"
    raise DamagedFileError(problem)


def _places(unknown: Sequence[str], found: pl.Schema) -> str:
    """Say where some of the columns stand; their names may be values, as in a pivoted table."""
    if not unknown:
        return "none"
    names = found.names()
    places = ", ".join(str(names.index(name) + 1) for name in unknown[:_TOLD])
    more = f" and {len(unknown) - _TOLD} more" if len(unknown) > _TOLD else ""
    return f"column {places}{more} of {len(names)}"


def _mistyped(names: Sequence[str], found: pl.Schema, schema: pl.Schema) -> str:
    wanted = {
        pl.String: "text",
        pl.Int32: "whole numbers of 32 bits, or such as text",
        pl.Date: "dates, or such as text in the form YYYY-MM-DD",
        pl.Datetime: "times, or such as text in the form YYYY-MM-DDTHH:MM:SS, UTC without an offset",
    }
    each = (
        f"{name} is {found[name]}, or has values, that cannot be taken as "
        f"{wanted[schema[name].base_type()]}"
        for name in names
    )
    return f"its rows cannot be read as events: {'; '.join(each)}"


def _converted(name: str, found: pl.DataType, wanted: pl.DataType) -> pl.Expr | None:
    """Return a column in the wanted type, null where a value would lose its meaning.

    None: no value of the type that was found could keep it.
    """
    column = pl.col(name)
    if isinstance(found, pl.Null):
        return column.cast(wanted)
    if isinstance(wanted, pl.String):
        is_text = isinstance(found, pl.String | pl.Categorical | pl.Enum)
        return column.cast(wanted) if is_text else None
    if isinstance(wanted, pl.Int32):
        return _number(column, found)
    if isinstance(wanted, pl.Date):
        return _date(column, found)
    return _time(column, found)


def _number(column: pl.Expr, found: pl.DataType) -> pl.Expr | None:
    if found.is_float():
        whole = column.cast(pl.Int32, strict=False)
        return pl.when(whole == column).then(whole)
    if found.is_integer() or isinstance(found, pl.String):
        return column.cast(pl.Int32, strict=False)
    return None


def _date(column: pl.Expr, found: pl.DataType) -> pl.Expr | None:
    if isinstance(found, pl.String):
        # More than ten characters could be a time of that day.
        date = column.str.to_date("%Y-%m-%d", strict=False)
        return pl.when(column.str.contains(_DATE)).then(date)
    if isinstance(found, pl.Datetime):
        date = column.dt.date()
        return pl.when(column.dt.time() == pl.time()).then(date)
    return column if isinstance(found, pl.Date) else None


def _time(column: pl.Expr, found: pl.DataType) -> pl.Expr | None:
    """Return times in UTC. Digits beyond microseconds are cut off, as the event model does."""
    utc = pl.Datetime("us", "UTC")
    if isinstance(found, pl.String):
        offset = pl.when(column.str.contains(_OFFSET)).then(pl.lit("")).otherwise(pl.lit("Z"))
        return (column + offset).str.to_datetime(
            "%+", time_unit="us", time_zone="UTC", strict=False, ambiguous="null"
        )
    if not isinstance(found, pl.Datetime):
        return None
    return (column if found.time_zone else column.dt.replace_time_zone("UTC")).cast(
        utc, strict=False
    )
