"""Accepted rows, wherever they are: in memory, or in sorted files that are streamed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import polars as pl
from msgspec import Struct

from checkpoint_format.errors import StorageError
from checkpoint_format.layout import DAMAGED

ARRIVAL: Final = ("timestamp", "last_modified", "key")
"""The order of new rows: by event time, then by when their object was written, then by its key."""


def in_arrival_order(accepted: pl.DataFrame) -> pl.DataFrame:
    """Sort new rows; the same whatever order they were read in."""
    return accepted.sort(*ARRIVAL)


class AcceptedRows(Struct, frozen=True, kw_only=True):
    """The event's columns, then key, digest, etag, size and last_modified of each accepted object.

    A frame is in memory; a lazy frame scans files on the local disk. What needs all of a row takes
    `collect`, what needs some columns `select`, and what can stream `in_arrival_order`.
    """

    height: int
    rows: pl.DataFrame | pl.LazyFrame
    is_sorted: bool = False

    @classmethod
    def in_memory(cls, rows: pl.DataFrame) -> "AcceptedRows":
        """Return rows that are in memory, in any order."""
        return cls(height=rows.height, rows=rows)

    @classmethod
    def in_files(cls, files: Sequence[Path], height: int) -> "AcceptedRows":
        """Return so many rows in Parquet files, of which one after the other is in arrival order."""
        rows = pl.scan_parquet(list(files), glob=False, hive_partitioning=False)
        return cls(height=height, rows=rows, is_sorted=True)

    @classmethod
    def together(cls, parts: Sequence["AcceptedRows"]) -> "AcceptedRows":
        """Return the rows of all these parts, of which there is at least one."""
        frames = [part.rows for part in parts if isinstance(part.rows, pl.DataFrame)]
        if len(frames) == len(parts):
            return cls.in_memory(pl.concat(frames))
        filled = [part for part in parts if part.height] or parts[:1]
        if len(filled) == 1:
            return filled[0]
        return cls(
            height=sum(part.height for part in filled),
            rows=pl.concat([part.rows.lazy() for part in filled]),
        )

    def collect(self) -> pl.DataFrame:
        """Return the whole rows, in memory."""
        return self.rows if isinstance(self.rows, pl.DataFrame) else _collected(self.rows)

    def select(self, *columns: str | pl.Expr) -> pl.DataFrame:
        """Return these columns, or what is made of them, in memory."""
        if isinstance(self.rows, pl.DataFrame):
            return self.rows.select(*columns)
        return _collected(self.rows.select(*columns))

    def none(self) -> pl.DataFrame:
        """Return no row, with the columns of these."""
        return self.select(pl.all().head(0))

    def distinct(self, *columns: str) -> pl.DataFrame:
        """Return what is in these columns, each once, in memory."""
        found = self.rows.select(*columns).unique()
        return found if isinstance(found, pl.DataFrame) else _collected(found)

    def without(self, others: pl.DataFrame, on: Sequence[str] = ("key",)) -> "AcceptedRows":
        """Return the rows that have other keys, or others of these columns, in the same order."""
        return self._joined(others, on, "anti") if others.height else self

    def only(self, others: pl.DataFrame, on: Sequence[str]) -> "AcceptedRows":
        """Return the rows that have one of these in these columns, in the same order."""
        return self._joined(others, on, "semi") if others.height else self.in_memory(self.none())

    def _joined(
        self, others: pl.DataFrame, on: Sequence[str], how: Literal["anti", "semi"]
    ) -> "AcceptedRows":
        if isinstance(self.rows, pl.DataFrame):
            return self.in_memory(self.rows.join(others, on=on, how=how, maintain_order="left"))
        rows = self.rows.join(others.lazy(), on=on, how=how, maintain_order="left")
        height = _collected(rows.select(pl.len())).item()
        return AcceptedRows(height=height, rows=rows, is_sorted=self.is_sorted)

    def in_arrival_order(self) -> pl.LazyFrame:
        """Return the rows sorted as they come into the checkpoint; files are not read for it."""
        if isinstance(self.rows, pl.DataFrame):
            return in_arrival_order(self.rows).lazy()
        return self.rows if self.is_sorted else self.rows.sort(*ARRIVAL)

    def check(self) -> None:
        """Read all of the rows; raises StorageError where they are in files that are damaged."""
        self.select(pl.all().hash().count())


def _collected(rows: pl.LazyFrame) -> pl.DataFrame:
    try:
        return rows.collect(engine="streaming")
    except (*DAMAGED, OSError):
        # Polars' texts may quote values of the files.
        raise StorageError(
            "what was read and judged is not in its files any more. Nothing was changed. "
            "Look after the disk of the working folder, and run again."
        ) from None
