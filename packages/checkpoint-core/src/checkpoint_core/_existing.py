"""Taking over rows that no ledger accounts for: adoption, and what a rebuild would lose."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl
from msgspec import Struct
from polars.exceptions import PolarsError

from checkpoint_core._layout import DamagedFileError, event_schema
from checkpoint_core._parquet import collect, read_schema, scan, sink
from nacc_event_model import EventFormat

_NOT_EVENTS: Final = "its rows cannot be read as events"
_REQUIRED: Final = event_schema(EventFormat.V1_0).names()


class Existing(Struct, frozen=True, kw_only=True):
    """The rows of a checkpoint, whoever wrote it, in our columns and sorted by timestamp.

    `columns` are those that the file really had; rows can be compared by these only.
    """

    file: Path
    rows: int
    columns: tuple[str, ...]


class Match(Struct, frozen=True, kw_only=True):
    """New rows divided into those that exist already, as a multiset, and the rest."""

    matched: pl.DataFrame
    unmatched: pl.DataFrame


def normalize(original: Path, to: Path, schema: pl.Schema) -> Existing:
    """Write the rows of a checkpoint in our types and order into `to`; none is dropped.

    Rows of equal timestamp keep their order. Times without a zone are taken as UTC.
    Raises DamagedFileError where that is not possible: other columns, values of other types,
    rows without a timestamp.
    """
    found = read_schema(original)
    missing = [name for name in _REQUIRED if name not in found]
    unknown = [name for name in found if name not in schema]
    if missing or unknown:
        problem = (
            f"its columns are not those of events (missing: {', '.join(missing) or 'none'}; "
            f"unknown: {len(unknown)})"
        )
        if not missing and all(name in event_schema(EventFormat.V1_1) for name in unknown):
            problem += "; event format 1.1 has them, select it"
        raise DamagedFileError(problem)
    if not all(_is_convertible(found[name], schema[name]) for name in found):
        raise DamagedFileError(_NOT_EVENTS)
    columns = tuple(name for name in schema if name in found)
    rows = scan(original).select(
        _converted(name, found[name], dtype) if name in found else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.items()
    )
    try:
        sink(
            rows.sort("timestamp", maintain_order=True),
            to,
            metadata={},
            compression="zstd",
            row_group_rows=131_072,
        )
    except (DamagedFileError, PolarsError):
        # The cause quotes values of the file, so it must not be chained.
        problem = _NOT_EVENTS
    else:
        count, without_time = collect(
            to, scan(to).select(pl.len(), pl.col("timestamp").null_count())
        ).row(0)
        if not without_time:
            return Existing(file=to, rows=count, columns=columns)
        problem = "it has rows without a timestamp"
    raise DamagedFileError(problem)


def match(existing: pl.LazyFrame, columns: Sequence[str], arrived: pl.DataFrame) -> Match:
    """Subtract existing rows from those that arrived, as multisets.

    Rows are compared by the given columns. A row that was taken under an earlier format has nulls
    in the columns that were added since; it also matches an arrived one that differs only there.
    `arrived` is in arrival order; of several equal rows the earliest are matched first.
    """
    counts = existing.group_by(columns).agg(present=pl.len()).collect(engine="streaming")
    first, left = _subtract(counts, columns, arrived)
    added = [name for name in columns if name not in _REQUIRED]
    if not added:
        return first
    older = left.filter(pl.all_horizontal(pl.col(added).is_null()))
    older = older.group_by(_REQUIRED).agg(pl.col("present").sum())
    second, _ = _subtract(older, _REQUIRED, first.unmatched)
    return Match(matched=pl.concat([first.matched, second.matched]), unmatched=second.unmatched)


def _subtract(
    counts: pl.DataFrame, columns: Sequence[str], arrived: pl.DataFrame
) -> tuple[Match, pl.DataFrame]:
    """Match by these columns; return also the counts that are left."""
    numbered = arrived.with_columns(occurrence=pl.int_range(pl.len()).over(columns)).join(
        counts, on=columns, how="left", nulls_equal=True, maintain_order="left"
    )
    is_matched = pl.col("occurrence") < pl.col("present").fill_null(0)
    result = Match(
        matched=numbered.filter(is_matched).select(arrived.columns),
        unmatched=numbered.filter(~is_matched).select(arrived.columns),
    )
    used = result.matched.group_by(columns).len("used")
    left = counts.join(used, on=columns, how="left", nulls_equal=True).with_columns(
        present=pl.col("present") - pl.col("used").fill_null(0)
    )
    return result, left.filter(pl.col("present") > 0).drop("used")


def _is_convertible(found: pl.DataType, wanted: pl.DataType) -> bool:
    """Whether values keep their meaning; a cast alone would cut fractions and times off."""
    if isinstance(wanted, pl.String):
        return isinstance(found, pl.String | pl.Categorical | pl.Enum | pl.Null)
    if isinstance(wanted, pl.Int32):
        return found.is_integer() or isinstance(found, pl.String)
    return isinstance(found, type(wanted))


def _converted(name: str, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(found, pl.Datetime) and isinstance(wanted, pl.Datetime) and not found.time_zone:
        return column.dt.replace_time_zone("UTC").cast(wanted)
    return column.cast(wanted, strict=True)
