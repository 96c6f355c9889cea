"""The ledger: which event objects are in the checkpoint, and in which version.

It is read and replaced as a stream, sorted by key, so that its size does not have to fit memory.
"""

from pathlib import Path
from typing import Final

import polars as pl
from msgspec import Struct

from checkpoint_core._judgement import Judgement
from checkpoint_core._layout import LEDGER_SCHEMA, DamagedFileError, LedgerMetadata, metadata_pairs
from checkpoint_core._parquet import collect, read_schema, scan, sink

_PART_ROWS: Final = 131_072


class Ledger(Struct, frozen=True):
    """A ledger of so many objects in a local file, or the empty one of a first run (None)."""

    file: Path | None
    objects: int

    def scan(self) -> pl.LazyFrame:
        """Scan its rows, in LEDGER_SCHEMA, sorted by key."""
        if self.file is None:
            return pl.LazyFrame(schema=LEDGER_SCHEMA)
        return scan(self.file)

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Collect what was derived from `scan`; raises DamagedFileError."""
        return frame.collect() if self.file is None else collect(self.file, frame)

    def compare(self, listing: pl.DataFrame) -> pl.DataFrame:
        """Return the listing sorted by key, and what the ledger has of each object.

        `is_known` says whether it has the key, `is_unchanged` whether with the same etag. It is
        gone through part by part, so that neither a second listing nor a hash of one is in memory.
        Raises DamagedFileError when it is not sorted, because keys would be overlooked.
        """
        waiting = listing if listing["key"].is_sorted() else listing.sort("key")
        compared = [_unknown(waiting.clear())]
        last = ""
        for start in range(0, self.objects, _PART_ROWS):
            part = self.collect(self.scan().select("key", "etag").slice(start, _PART_ROWS))
            keys = part["key"]
            if keys[0] < last or not keys.is_sorted():
                problem = "the ledger's keys are not sorted"
                raise DamagedFileError(problem)
            last = keys[-1]
            reached = int(waiting["key"].search_sorted(last, side="right"))
            compared.append(_looked_up(waiting[:reached], part))
            waiting = waiting[reached:]
        return pl.concat([*compared, _unknown(waiting)])

    def entries(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of the given keys (a frame with the column key)."""
        if keys.is_empty():
            return LEDGER_SCHEMA.to_frame()
        return self.collect(self.scan().join(keys.lazy().select("key"), on="key", how="semi"))

    def check(self, *, rows: int) -> None:
        """Make sure that it is whole and that its versions add up to so many rows.

        Raises DamagedFileError, whose message says what does not agree.
        """
        if self.file is not None and read_schema(self.file) != LEDGER_SCHEMA:
            problem = "the ledger's columns are not a ledger's"
            raise DamagedFileError(problem)
        totals = self.collect(self.scan().select(pl.len(), versions=pl.col("versions").sum()))
        objects, versions = totals.row(0)
        if objects != self.objects:
            problem = f"the ledger has {objects} objects and says {self.objects}"
            raise DamagedFileError(problem)
        if versions != rows:
            problem = f"the ledger accounts for {versions} rows and the checkpoint has {rows}"
            raise DamagedFileError(problem)


NO_LEDGER: Final = Ledger(None, 0)


def _looked_up(listed: pl.DataFrame, part: pl.DataFrame) -> pl.DataFrame:
    """Compare listed objects, none beyond the part's last key, with a part of a ledger."""
    found = part[part["key"].search_sorted(listed["key"])]
    is_known = found["key"] == listed["key"]
    is_unchanged = (is_known & (found["etag"] == listed["etag"])).fill_null(value=False)
    return listed.with_columns(is_known=is_known, is_unchanged=is_unchanged)


def _unknown(listed: pl.DataFrame) -> pl.DataFrame:
    return listed.with_columns(is_known=pl.lit(value=False), is_unchanged=pl.lit(value=False))


def updates(judgement: Judgement, entries: pl.DataFrame, *, commit_id: str) -> pl.DataFrame:
    """Return the ledger rows that a judgement changes or adds, sorted by key.

    `entries` are the present rows of the judged keys. An accepted object gets a new version;
    a touched one keeps everything but its etag, size and time.
    """
    accepted = judgement.accepted.join(
        entries.select("key", present="versions"), on="key", how="left"
    ).select(
        "key",
        "digest",
        "etag",
        "size",
        "last_modified",
        versions=pl.col("present").fill_null(0) + 1,
        state=pl.lit("accepted"),
        timestamp="timestamp",
        pipeline_adcid="pipeline_adcid",
        ptid="ptid",
        commit_id=pl.lit(commit_id),
    )
    touched = entries.drop("etag", "size", "last_modified").join(
        judgement.touched.drop("digest"), on="key", how="inner"
    )
    return pl.concat(
        [frame.select(LEDGER_SCHEMA.names()).cast(LEDGER_SCHEMA) for frame in (accepted, touched)]
    ).sort("key")


def write_ledger(
    previous: Ledger, changed: pl.DataFrame, to: Path, metadata: LedgerMetadata
) -> None:
    """Write the previous ledger with the changed rows put in, still sorted by key."""
    kept = previous.scan().join(
        changed.lazy().select("key"), on="key", how="anti", maintain_order="left"
    )
    sink(
        kept.merge_sorted(changed.lazy(), "key", maintain_order=True),
        to,
        metadata=metadata_pairs(metadata),
        compression="zstd",
        # It is written with every commit, and half of it are digests, which no level makes smaller.
        compression_level=1,
        # Several row groups are in memory at a time.
        row_group_rows=32_768,
    )
