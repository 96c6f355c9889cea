"""The ledger: which event objects are in the checkpoint, and in which version.

A full ledger has a row for each of them, sorted by key. It is read and written as a stream, so that
its size does not have to fit memory. A commit that changes little of it writes a delta: the rows
that were added or changed since the full one.
"""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Final

import polars as pl
from msgspec import Struct, structs

from checkpoint_format.layout import (
    LAYOUT_WITHOUT_LIST,
    LEDGER_SCHEMA,
    DamagedFileError,
    LedgerMetadata,
    metadata_pairs,
)
from checkpoint_format.ledger_totals import Totals, count
from checkpoint_format.parquet import collect, scan, sink

_PART_ROWS: Final = 131_072
_FORMATS_SINCE: Final = 3
"""The first layout whose ledgers know the event format of each row."""
_FULL_BY_DELTA: Final = 16
"""A delta is written as long as the full ledger has at least so many times its rows."""
NOT_SORTED: Final = "the ledger's keys are not sorted, or not each there once"


class LedgerFile(Struct, frozen=True):
    """A local file of a ledger, what it says about itself and, once checked, what is in it."""

    path: Path
    metadata: LedgerMetadata
    totals: Totals | None = None

    @property
    def schema(self) -> pl.Schema:
        """The columns that it has in its layout."""
        names = LEDGER_SCHEMA.names()
        known = names if self.metadata.layout >= _FORMATS_SINCE else names[:-1]
        return pl.Schema({name: LEDGER_SCHEMA[name] for name in known})

    def scan(self) -> pl.LazyFrame:
        """Scan its rows, in LEDGER_SCHEMA."""
        rows = scan(self.path)
        lacking = [name for name in LEDGER_SCHEMA if name not in self.schema]
        return rows.with_columns(pl.lit(None, LEDGER_SCHEMA[name]).alias(name) for name in lacking)


class Ledger(Struct, frozen=True):
    """A full ledger, and the delta upon it if there is one; without either, that of a first run.

    Upon one that is not stored as it is, no delta can be written.
    """

    full: LedgerFile | None = None
    delta: LedgerFile | None = None
    is_stored: bool = True

    @property
    def files(self) -> list[LedgerFile]:
        """Its files; of an object that is in both, the later one's row holds."""
        return [file for file in (self.full, self.delta) if file]

    @property
    def objects(self) -> int:
        """The number of objects in it."""
        return self.files[-1].metadata.objects if self.files else 0

    @property
    def size_bytes(self) -> int:
        """What its files take on the local disk."""
        return sum(file.path.stat().st_size for file in self.files)

    def scan(self) -> pl.LazyFrame:
        """Scan its rows, in LEDGER_SCHEMA, sorted by key; not for one without files."""
        return reduce(_superseded, (file.scan() for file in self.files))

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Collect what was derived from `scan`; raises DamagedFileError."""
        return collect(self.files[0].path, frame)

    def compare(self, listing: pl.DataFrame, *, narrower: Sequence[str]) -> pl.DataFrame:
        """Return the listing sorted by key, and what the ledger has of each object.

        `is_known` says whether it has the key, `is_unchanged` whether with the same etag, and
        `awaits_upgrade` whether moreover its row was taken under one of the `narrower` formats, or
        may have been (nothing awaits it where there are none). A full ledger is gone through part
        by part, so that neither a second listing nor a hash of one is in memory.
        Raises DamagedFileError when it is not sorted, because keys would be overlooked.
        """
        listing = listing if listing["key"].is_sorted() else listing.sort("key")
        compared = _compared(listing, self.full, narrower) if self.full else _unknown(listing)
        if self.delta is None:
            return compared
        changed = _hints(self.delta, narrower)
        if not _is_ascending(changed["key"]):
            raise DamagedFileError(NOT_SORTED)
        return _overruled(compared, listing["key"], changed)

    def entries(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of the given keys (a frame with the column key)."""
        rows = LEDGER_SCHEMA.to_frame()
        if keys.is_empty():
            return rows
        wanted = keys.lazy().select("key")
        for file in self.files:
            found = collect(file.path, file.scan().join(wanted, on="key", how="semi"))
            rows = pl.concat([rows.join(found, on="key", how="anti"), found])
        return rows

    def checked(self, *, rows: int) -> "Ledger":
        """Return it once it is sure to be whole, and its versions to add up to so many rows.

        Files that were checked before are not read again.
        Raises DamagedFileError, whose message says what does not agree.
        """
        files: list[LedgerFile] = []
        objects = versions = 0
        for file in self.files:
            totals = file.totals or count(file.path, file.schema)
            files.append(structs.replace(file, totals=totals))
            objects += totals.objects - file.metadata.superseded_objects
            versions += totals.versions - file.metadata.superseded_versions
            if objects != file.metadata.objects:
                raise DamagedFileError(
                    f"the ledger has {objects} objects and says {file.metadata.objects}"
                )
        if versions != rows:
            raise DamagedFileError(
                f"the ledger accounts for {versions} rows and the checkpoint has {rows}"
            )
        full, delta, *_ = [*files, None, None]
        return structs.replace(self, full=full, delta=delta)

    def in_one_file(self, to: Path) -> Path | None:
        """Return a file of all its rows, written if there is none yet; None without any file."""
        if not self.files:
            return None
        newest = self.files[-1]
        if self.delta is None and newest.schema == LEDGER_SCHEMA:
            return newest.path
        metadata = structs.replace(
            newest.metadata,
            layout=LAYOUT_WITHOUT_LIST,
            full=None,
            superseded_objects=0,
            superseded_versions=0,
        )
        return write_rows(self.scan(), to, metadata).path


NO_LEDGER: Final = Ledger()


def _is_ascending(keys: pl.Series) -> bool:
    return bool((keys > keys.shift()).all())


def _hints(
    file: LedgerFile, narrower: Sequence[str], start: int = 0, rows: int | None = None
) -> pl.DataFrame:
    """Read what tells whether objects are known, unchanged, and to be upgraded."""
    awaits = awaits_upgrade(narrower).alias("awaits_upgrade")
    return collect(file.path, file.scan().slice(start, rows).select("key", "etag", awaits))


def awaits_upgrade(narrower: Sequence[str]) -> pl.Expr:
    """Return whether a ledger's row says that columns are missing, or may be, in the object's row.

    Adopted objects have no row that is known to be theirs.
    """
    if not narrower:
        return pl.lit(value=False)
    known = pl.col("event_format")
    return (pl.col("state") == "accepted") & (known.is_null() | known.is_in(narrower))


def _compared(listing: pl.DataFrame, full: LedgerFile, narrower: Sequence[str]) -> pl.DataFrame:
    """Compare a listing, sorted by key, with a full ledger."""
    compared = [_unknown(listing.clear())]
    last = ""
    for start in range(0, full.metadata.objects, _PART_ROWS):
        part = _hints(full, narrower, start, _PART_ROWS)
        keys = part["key"]
        if (start and keys[0] <= last) or not _is_ascending(keys):
            raise DamagedFileError(NOT_SORTED)
        last = keys[-1]
        reached = int(listing["key"].search_sorted(last, side="right"))
        compared.append(_looked_up(listing[:reached], part))
        listing = listing[reached:]
    return pl.concat([*compared, _unknown(listing)])


def _looked_up(listed: pl.DataFrame, part: pl.DataFrame) -> pl.DataFrame:
    """Compare listed objects, none beyond the part's last key, with a part of a ledger."""
    # Where nothing came or went since, which is usual, there is nothing to look for.
    is_same = listed["key"].equals(part["key"])
    found = part if is_same else part[part["key"].search_sorted(listed["key"])]
    is_known = found["key"] == listed["key"]
    is_unchanged = (is_known & (found["etag"] == listed["etag"])).fill_null(value=False)
    return listed.with_columns(
        is_known=is_known,
        is_unchanged=is_unchanged,
        awaits_upgrade=is_unchanged & found["awaits_upgrade"],
    )


def _overruled(compared: pl.DataFrame, keys: pl.Series, changed: pl.DataFrame) -> pl.DataFrame:
    """Compare anew what a delta has; `keys` are those of the compared objects, in one piece."""
    found = changed.with_columns(place=keys.search_sorted(changed["key"]))
    found = found.filter(found["place"] < keys.len())
    found = found.filter(found["key"] == keys.gather(found["place"]))
    is_unchanged = (found["etag"] == compared["etag"].gather(found["place"])).fill_null(value=False)
    awaits = is_unchanged & found["awaits_upgrade"]
    return compared.with_columns(
        compared["is_known"].scatter(found["place"], values=True),
        compared["is_unchanged"].scatter(found["place"], is_unchanged),
        compared["awaits_upgrade"].scatter(found["place"], awaits),
    )


def _unknown(listed: pl.DataFrame) -> pl.DataFrame:
    no = pl.lit(value=False)
    return listed.with_columns(is_known=no, is_unchanged=no, awaits_upgrade=no)


def write_ledger(
    previous: Ledger,
    changed: pl.DataFrame,
    replaced: pl.DataFrame,
    to: Path,
    *,
    commit_id: str,
    source: str,
) -> Ledger:
    """Write what changed rows, sorted by key, make of the previous ledger; return the next.

    `replaced` are the previous rows of the same keys. A delta is written while it is small, and
    otherwise a full ledger, so that deltas do not add up.
    """
    full, delta = previous.full, previous.delta
    metadata = LedgerMetadata(
        layout=LAYOUT_WITHOUT_LIST,
        commit_id=commit_id,
        source=source,
        objects=previous.objects + changed.height - replaced.height,
    )
    if full is None:
        return Ledger(full=write_rows(changed.lazy(), to, metadata))
    before = collect(delta.path, delta.scan()) if delta else LEDGER_SCHEMA.to_frame()
    kept = before.join(changed, on="key", how="anti")
    rows = pl.concat([kept, changed]).sort("key")
    if not previous.is_stored or rows.height * _FULL_BY_DELTA > full.metadata.objects:
        return Ledger(full=write_rows(_superseded(full.scan(), rows.lazy()), to, metadata))
    superseded = replaced.join(before, on="key", how="anti")
    was = (delta or full).metadata
    metadata = structs.replace(
        metadata,
        full=full.metadata.commit_id,
        superseded_objects=was.superseded_objects + superseded.height,
        superseded_versions=was.superseded_versions + int(superseded["versions"].sum()),
    )
    return Ledger(full=full, delta=write_rows(rows.lazy(), to, metadata))


def _superseded(rows: pl.LazyFrame, by: pl.LazyFrame) -> pl.LazyFrame:
    """Return rows with others put in, or in the place of those of the same key."""
    kept = rows.join(by.select("key"), on="key", how="anti", maintain_order="left")
    return kept.merge_sorted(by, "key", maintain_order=True)


def write_rows(rows: pl.LazyFrame, to: Path, metadata: LedgerMetadata) -> LedgerFile:
    """Write a ledger's file of these rows."""
    sink(
        rows,
        to,
        metadata=metadata_pairs(metadata),
        compression="zstd",
        # Half of it are digests, which no level makes smaller.
        compression_level=1,
        # Several row groups are in memory at a time.
        row_group_rows=32_768,
    )
    return LedgerFile(to, metadata)
