"""Putting new rows into the checkpoint: a stream from the previous file into the next."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl
from msgspec import Struct

from checkpoint_format.event_columns import event_schema
from checkpoint_format.layout import (
    EPOCH,
    CheckpointMetadata,
    DamagedFileError,
    metadata_pairs,
)
from checkpoint_format.parquet import collect, read_schema, scan, sink
from checkpoint_format.writing import Compression
from nacc_event_model import EventFormat


class Rows(Struct, frozen=True):
    """How many rows a file holds, and from when to when."""

    count: int
    first: datetime | None
    last: datetime | None

    def check_span(self, metadata: CheckpointMetadata) -> None:
        """Raise DamagedFileError unless they are of the times that the metadata say."""
        if (self.first, self.last) != (metadata.first_timestamp, metadata.last_timestamp):
            raise DamagedFileError("its first and last timestamps are not those that it says")


NO_ROWS: Final = Rows(0, None, None)


def scan_rows(file: Path, schema: pl.Schema) -> pl.LazyFrame:
    """Scan a checkpoint's rows with all columns of the schema, null where the file lacks them."""
    present = read_schema(file)
    lacking = [pl.lit(None, schema[name]).alias(name) for name in schema if name not in present]
    return scan(file).with_columns(lacking).select(schema.names())


def moment(microseconds: int | None) -> datetime | None:
    """Return a time given in microseconds since 1970.

    Polars would look its time zone up in a database that small systems do not have.
    """
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


def measure(file: Path, event_format: EventFormat) -> Rows:
    """Count the rows and make sure that they can be merged with: right columns, sorted by time.

    Raises DamagedFileError, whose message says what is wrong.
    """
    if read_schema(file) != event_schema(event_format):
        raise DamagedFileError(f"its columns are not those of event format {event_format}")
    timestamp = pl.col("timestamp")
    count, first, last, is_sorted, nulls = collect(
        file,
        scan(file).select(
            pl.len(),
            timestamp.first().cast(pl.Int64).alias("first"),
            timestamp.last().cast(pl.Int64).alias("last"),
            timestamp.is_sorted().alias("is_sorted"),
            timestamp.null_count().alias("nulls"),
        ),
    ).row(0)
    if not is_sorted or nulls:
        raise DamagedFileError("its rows are not sorted by timestamp")
    return Rows(count, moment(first), moment(last))


def merge(
    previous: Path | None,
    incoming: pl.LazyFrame,
    to: Path,
    metadata: CheckpointMetadata,
    *,
    added: pl.DataFrame | None = None,
    compression: Compression,
    row_group_rows: int,
) -> None:
    """Write the rows of both, sorted by timestamp; on equal timestamps the previous rows first.

    Both inputs must be sorted by timestamp already. Nothing is dropped and nothing deduplicated.
    Columns that the previous rows do not have yet are null in them, but for those of `added`: its
    `row` is the place of a previous row, and its other columns are put in where that one is null.
    Raises DamagedFileError.
    """
    schema = event_schema(metadata.event_format)
    rows = incoming.select(schema.names())
    if previous is not None:
        complete = scan_rows(previous, schema)
        if added is not None and added.height:
            complete = _filled(complete, added)
        rows = complete.merge_sorted(rows, "timestamp", maintain_order=True)
    sink(
        rows,
        to,
        metadata=metadata_pairs(metadata),
        compression=compression,
        row_group_rows=row_group_rows,
    )


def _filled(rows: pl.LazyFrame, added: pl.DataFrame) -> pl.LazyFrame:
    """Put values into rows in place, as a stream; only the values are in memory."""
    names = [name for name in added.columns if name != "row"]
    values = added.rename({name: f"added {name}" for name in names}).lazy()
    return (
        rows.with_row_index("row")
        .join(values, on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce(name, f"added {name}").alias(name) for name in names)
        .drop("row", *(f"added {name}" for name in names))
    )
