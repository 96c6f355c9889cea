"""The rejects: event objects that are not in the checkpoint, and why.

They are derived: without the file the next run reads those objects again.
The same file has the names that are not those of event objects, so that one can page through all.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
from msgspec import Struct, field, structs

from checkpoint_format.digests import UNSIGNED, check_signed, sign
from checkpoint_format.layout import (
    LAYOUT_WITHOUT_LIST,
    REJECTS_SCHEMA,
    CheckpointMetadata,
    DamagedFileError,
    LayoutTooNewError,
    NotOurFileError,
    RejectsMetadata,
    metadata_pairs,
    read_metadata,
)
from checkpoint_format.names import Names, generation_of
from checkpoint_format.parquet import collect, scan, sink
from checkpoint_format.stores import CheckpointStore
from checkpoint_format.withholding.withheld import Withheld

_UNRECOGNIZED: Final = "unrecognized"
_UNRECOGNIZED_COLUMNS: Final = ("key", "reason", "first_seen")
_SIGNED_SINCE: Final = 3
_UNSIGNED_SCHEMA: Final = pl.Schema(
    {name: kind for name, kind in REJECTS_SCHEMA.items() if name != "max_object_size_bytes"}
)


def _none_unrecognized() -> pl.DataFrame:
    return REJECTS_SCHEMA.to_frame().select(_UNRECOGNIZED_COLUMNS)


class Rejects(Struct, frozen=True, kw_only=True):
    """The rejects as they were found: rows in REJECTS_SCHEMA, one per key.

    `unrecognized`: key, reason and first_seen of what is not named like an event object.
    `stale`: there is a file, but none of it can be used; `unreadable`: because it is damaged.
    `absent`: there is none. `commit_id`: of the checkpoint that was in force when it was written.
    """

    rows: pl.DataFrame
    unrecognized: pl.DataFrame = field(default_factory=_none_unrecognized)
    restores_listed_at: datetime | None = None
    stale: bool = False
    unreadable: bool = False
    absent: bool = False
    commit_id: str | None = None

    def unknown(self, metadata: CheckpointMetadata | None) -> str | None:
        """Return why they say nothing of a checkpoint, None where they do.

        Where no commit has changed them, those of an earlier commit are right.
        """
        if self.absent and metadata is not None:
            return "there is no rejects file beside it"
        if self.unreadable:
            return "the rejects file is damaged; the next run makes it anew"
        if self.commit_id is None or metadata is None:
            return None
        at_most = generation_of(self.commit_id) < generation_of(metadata.lineage[0])
        if self.commit_id in metadata.lineage or at_most:
            return None
        return "the rejects file is of another commit; the next run brings it up to date"

    def differs(self, other: "Rejects") -> bool:
        """Whether the other one is not what is stored already."""
        return (
            self.stale
            or self.restores_listed_at != other.restores_listed_at
            or not self.rows.equals(other.rows)
            or not self.unrecognized.equals(other.unrecognized)
        )


def load_rejects(store: CheckpointStore, workdir: Path, *, source: str | None) -> Rejects:
    """Read the rejects of this source (None: of any); a file that cannot be used counts as none."""
    file = workdir / "rejects.parquet"
    file.unlink(missing_ok=True)
    if not store.fetch(Names(store.checkpoint_name).rejects, file):
        return Rejects(rows=REJECTS_SCHEMA.to_frame(), absent=True)
    try:
        metadata, rows = _read(file)
    except (DamagedFileError, NotOurFileError, LayoutTooNewError):
        return Rejects(rows=REJECTS_SCHEMA.to_frame(), stale=True, unreadable=True)
    if source is not None and metadata.source != source:
        return Rejects(rows=REJECTS_SCHEMA.to_frame(), stale=True)
    is_name = rows["outcome"] == _UNRECOGNIZED
    return Rejects(
        rows=rows.filter(~is_name),
        unrecognized=rows.filter(is_name).select(_UNRECOGNIZED_COLUMNS),
        restores_listed_at=metadata.restores_listed_at,
        commit_id=metadata.commit_id,
    )


def _read(file: Path) -> tuple[RejectsMetadata, pl.DataFrame]:
    """Read a whole and sound file; raises DamagedFileError and what `read_metadata` raises.

    Its digest is checked first: over some damaged pages polars would end the process.
    """
    is_signed = check_signed(file)
    metadata = read_metadata(file, RejectsMetadata)
    if metadata.layout >= _SIGNED_SINCE and not is_signed:
        raise DamagedFileError
    rows = collect(file, scan(file))
    if rows.schema == _UNSIGNED_SCHEMA:
        rows = pl.concat([rows, REJECTS_SCHEMA.to_frame()], how="diagonal")
    if rows.schema != REJECTS_SCHEMA or not _is_sound(rows):
        raise DamagedFileError
    return metadata, rows


def _is_sound(rows: pl.DataFrame) -> bool:
    """Whether each key is there once, with an outcome and a reason."""
    texts = rows.select("key", "outcome", "reason")
    return not rows["key"].is_duplicated().any() and not sum(texts.null_count().row(0))


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


def next_unrecognized(
    present: pl.DataFrame, found: pl.DataFrame, *, seen_at: datetime, checkpoint: str
) -> pl.DataFrame:
    """Return the names that a run did not recognize, with the time that each was first seen.

    The checkpoint's own files, where it lies inside its source, are left out: whatever a run
    writes would be news to the next one.
    """
    seen = pl.lit(seen_at).cast(REJECTS_SCHEMA["first_seen"])
    beside = "_(?:ledger|rejects|previous|withheld|exports|lock|work)/"
    is_own = pl.col("key").str.contains(rf"(?:^|/)(?:{beside}|{re.escape(checkpoint)}$)")
    return (
        found.filter(~is_own)
        .join(present.select("key", "first_seen"), on="key", how="left", maintain_order="left")
        .with_columns(pl.col("first_seen").fill_null(seen))
    )


def save_rejects(store: CheckpointStore, workdir: Path, rejects: Rejects, *, source: str) -> None:
    """Write the rejects, whatever is there."""
    file = workdir / "rejects-next.parquet"
    metadata = RejectsMetadata(
        layout=LAYOUT_WITHOUT_LIST,
        source=source,
        commit_id=rejects.commit_id,
        restores_listed_at=rejects.restores_listed_at,
        digest=UNSIGNED,
    )
    names = rejects.unrecognized.with_columns(outcome=pl.lit(_UNRECOGNIZED))
    sink(
        pl.concat([rejects.rows, names], how="diagonal").lazy(),
        file,
        metadata=metadata_pairs(metadata),
        compression="zstd",
        row_group_rows=131_072,
    )
    sign(file)
    store.put(Names(store.checkpoint_name).rejects, file)


def without_named(rejects: Rejects, withheld: Withheld) -> Rejects:
    """Return the rejects without what is named after a participant on the list."""
    rows = withheld.without_named(rejects.rows)
    unrecognized = withheld.without_named(rejects.unrecognized)
    had = rejects.rows.height + rejects.unrecognized.height
    return structs.replace(
        rejects,
        rows=rows,
        unrecognized=unrecognized,
        # So that they are written, whatever else becomes of them.
        stale=rejects.stale or rows.height + unrecognized.height < had,
    )
