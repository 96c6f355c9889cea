"""The file of adopted rows that no object accounts for.

A checkpoint that has such rows names a file beside its ledgers that holds exactly these, and after
them, with nothing but a `key`, the objects that were there and gave no row; it never changes. A
commit by which some are claimed writes another file, of those that are left. So the rows belong to
the pair, whatever becomes of it: a lost race, a crash, an older version that is restored.
"""

from datetime import datetime
from pathlib import Path

import polars as pl
from msgspec import Struct

from checkpoint_format.errors import MissingLedgerError
from checkpoint_format.layout import DamagedFileError
from checkpoint_format.names import Names
from checkpoint_format.parquet import digest_of, sink
from checkpoint_format.snapshot import Snapshot
from checkpoint_format.stores import CheckpointStore


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
