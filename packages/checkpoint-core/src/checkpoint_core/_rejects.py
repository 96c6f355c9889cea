"""The rejects: event objects that are not in the checkpoint, and why.

They are derived: without the file the next run reads those objects again.
"""

from datetime import datetime
from pathlib import Path

import polars as pl
from msgspec import Struct

from checkpoint_core._layout import (
    LAYOUT_VERSION,
    REJECTS_SCHEMA,
    DamagedFileError,
    LayoutTooNewError,
    Names,
    NotOurFileError,
    RejectsMetadata,
    metadata_pairs,
    read_metadata,
)
from checkpoint_core._parquet import collect, scan, sink
from checkpoint_core.stores import CheckpointStore


class Rejects(Struct, frozen=True, kw_only=True):
    """The rejects as they were found: rows in REJECTS_SCHEMA, one per key.

    `stale`: there is a file, but none of it can be used; `unreadable`: because it is damaged.
    """

    rows: pl.DataFrame
    restores_listed_at: datetime | None = None
    stale: bool = False
    unreadable: bool = False

    def differs(self, other: "Rejects") -> bool:
        """Whether the other one is not what is stored already."""
        return (
            self.stale
            or self.restores_listed_at != other.restores_listed_at
            or not self.rows.equals(other.rows)
        )


def load_rejects(store: CheckpointStore, workdir: Path, *, source: str | None) -> Rejects:
    """Read the rejects of this source (None: of any); a file that cannot be used counts as none."""
    file = workdir / "rejects.parquet"
    file.unlink(missing_ok=True)
    if not store.fetch(Names(store.checkpoint_name).rejects, file):
        return Rejects(rows=REJECTS_SCHEMA.to_frame())
    try:
        metadata = read_metadata(file, RejectsMetadata)
        rows = collect(file, scan(file))
    except (DamagedFileError, NotOurFileError, LayoutTooNewError):
        return Rejects(rows=REJECTS_SCHEMA.to_frame(), stale=True, unreadable=True)
    if rows.schema != REJECTS_SCHEMA:
        return Rejects(rows=REJECTS_SCHEMA.to_frame(), stale=True, unreadable=True)
    if source is not None and metadata.source != source:
        return Rejects(rows=REJECTS_SCHEMA.to_frame(), stale=True)
    return Rejects(rows=rows, restores_listed_at=metadata.restores_listed_at)


def next_rejects(present: pl.DataFrame, *, kept: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Return the rejects after a run, sorted by key.

    `kept` has the keys whose present row still stands; `new` the rows of this run, which keep the
    time that their key was first seen here.
    """
    seen = present.select("key", earlier="first_seen")
    renewed = (
        new.join(seen, on="key", how="left")
        .with_columns(first_seen=pl.coalesce("earlier", "first_seen"))
        .select(REJECTS_SCHEMA.names())
    )
    standing = present.join(kept.select("key"), on="key", how="semi").join(
        new.select("key"), on="key", how="anti"
    )
    return pl.concat([standing, renewed]).sort("key")


def save_rejects(store: CheckpointStore, workdir: Path, rejects: Rejects, *, source: str) -> None:
    """Write the rejects, whatever is there."""
    file = workdir / "rejects-next.parquet"
    metadata = RejectsMetadata(
        layout=LAYOUT_VERSION, source=source, restores_listed_at=rejects.restores_listed_at
    )
    sink(
        rejects.rows.lazy(),
        file,
        metadata=metadata_pairs(metadata),
        compression="zstd",
        row_group_rows=131_072,
    )
    store.put(Names(store.checkpoint_name).rejects, file)
