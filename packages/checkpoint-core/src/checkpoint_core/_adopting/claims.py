"""Adopted rows that no object accounts for, and the objects that turn out to be theirs.

A checkpoint that has such rows names a file beside its ledgers that holds exactly these, and after
them, with nothing but a `key`, the objects that were there and gave no row; it never changes. A
commit by which some are claimed writes another file, of those that are left. So the rows belong to
the pair, whatever becomes of it: a lost race, a crash, an older version that is restored.
"""

from datetime import datetime
from pathlib import Path

import polars as pl
from msgspec import Struct

from checkpoint_core._adopting.pairing import pair
from checkpoint_core._committing.merge import scan_rows
from checkpoint_core._files.layout import DamagedFileError
from checkpoint_core._files.names import Names
from checkpoint_core._files.parquet import collect, digest_of, read_schema, scan, sink
from checkpoint_core._files.snapshot import Snapshot
from checkpoint_core._judging.accepted import AcceptedRows, in_arrival_order
from checkpoint_core.errors import MissingLedgerError
from checkpoint_core.stores import CheckpointStore
from nacc_event_model import EventFormat


class Adopted(Struct, frozen=True, kw_only=True):
    """The adopted rows of a checkpoint that no object accounts for.

    `at` is when the adoption began; `commit` whose file holds the rows, or `file` a new one that is
    to be kept by the next commit; neither where the rows cannot be claimed any more. `digest` is
    that of the file.
    """

    rows: int = 0
    at: datetime | None = None
    commit: str | None = None
    file: Path | None = None
    digest: str | None = None


NONE_ADOPTED = Adopted()


class Claims(Struct, frozen=True, kw_only=True):
    """Accepted objects divided: `claimed` have their row already, and `new` have not.

    `lacking` are the claimed ones whose row lacks values that they have.
    """

    claimed: pl.DataFrame
    lacking: pl.DataFrame
    new: AcceptedRows
    adopted: Adopted


def adopted_of(snapshot: Snapshot) -> Adopted:
    """Return what a checkpoint says of its adopted rows."""
    metadata = snapshot.metadata
    if metadata is None:
        return NONE_ADOPTED
    if snapshot.reduced and snapshot.reduced.unclaimed:
        return Adopted(
            rows=metadata.adopted_rows,
            at=metadata.adopted_at,
            file=snapshot.reduced.unclaimed,
            digest=snapshot.reduced.unclaimed_digest,
        )
    return Adopted(
        rows=metadata.adopted_rows,
        at=metadata.adopted_at,
        commit=metadata.unclaimed,
        digest=metadata.unclaimed_digest,
    )


def keep_unclaimed(rows: pl.LazyFrame, paired: pl.DataFrame, to: Path) -> None:
    """Write the rows, which have their place in `row`, that were not paired.

    Those that have a `key`, and nothing else, stay: they are the objects that were there.
    """
    free = rows.join(paired.lazy().select("row"), on="row", how="anti", maintain_order="left")
    sink(free.drop("row"), to, metadata={}, compression="zstd", row_group_rows=131_072)


def claim(
    store: CheckpointStore,
    snapshot: Snapshot,
    accepted: AcceptedRows,
    *,
    entries: pl.DataFrame,
    event_format: EventFormat,
    workdir: Path,
) -> Claims:
    """Let objects that were there at the adoption claim the rows that were adopted for them.

    They were there if the ledger has them as adopted, if the file of unclaimed rows has their keys,
    or if they were not modified since. An object whose row the ledger knows claims none.
    Raises MissingLedgerError or DamagedFileError where the file is not what it should be.
    """
    adopted = adopted_of(snapshot)
    none = accepted.none()
    nothing = Claims(claimed=none, lacking=none, new=accepted, adopted=adopted)
    is_kept = adopted.commit is not None or adopted.file is not None
    if not is_kept or adopted.at is None:
        return nothing
    known = entries.filter(pl.col("state") != "adopted")
    candidates = accepted.collect().join(known, on="key", how="anti")
    if candidates.is_empty():
        return nothing
    file = adopted.file or fetch_unclaimed(store, adopted, workdir)
    assert file is not None  # noqa: S101 - it is named
    here = [entries.select("key"), _keys(file)]
    was_here = pl.concat(here)["key"].implode()
    is_old = pl.col("key").is_in(was_here) | (pl.col("last_modified") <= adopted.at)
    claimants = in_arrival_order(candidates.filter(is_old))
    pairs = pair(file, claimants, event_format)
    if pairs.is_empty():
        return nothing
    claimed = claimants[pairs["event"]]
    left = workdir / f"unclaimed-without-{snapshot.generation}.parquet"
    rows = scan_rows(file, scan(file).collect_schema()).with_row_index("row")
    keep_unclaimed(rows, pairs, left)
    return Claims(
        claimed=claimed,
        lacking=claimants[pairs.filter("adds")["event"]],
        new=accepted.without(claimed.select("key")),
        adopted=Adopted(
            rows=adopted.rows - claimed.height,
            at=adopted.at,
            file=left,
            digest=digest_of(left),
        ),
    )


def _keys(file: Path) -> pl.DataFrame:
    """Return the objects that a file of unclaimed rows names; the first such files named none."""
    if "key" not in read_schema(file):
        return pl.DataFrame(schema={"key": pl.String()})
    return collect(file, scan(file).select("key").drop_nulls())


def fetch_unclaimed(store: CheckpointStore, adopted: Adopted, workdir: Path) -> Path | None:
    """Fetch the file of unclaimed rows, None where none is named, and check it.

    Raises MissingLedgerError or DamagedFileError where it is not what it should be.
    """
    if adopted.commit is None:
        return None
    name = Names(store.checkpoint_name).unclaimed(adopted.commit)
    file = workdir / name.rpartition("/")[2]
    if not file.exists() and not store.fetch(name, file):
        raise MissingLedgerError(store.location, f"{name}, which belongs to its ledger, is gone")
    if digest_of(file) != adopted.digest:
        raise DamagedFileError(f"{name} is not as it was committed")
    return file
