"""What is left of a checkpoint by the list of withheld participants.

Every load goes through here, the first of a run and each one after a lost race. So it does not
matter which version of the checkpoint is in force: one that was restored, or a rival's.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import polars as pl
from msgspec import structs

from checkpoint_format.errors import ChangedWhileReadingError, StorageError
from checkpoint_format.layout import LEDGER_SCHEMA, CheckpointMetadata
from checkpoint_format.ledger import Ledger, write_rows
from checkpoint_format.merge import Rows, measure
from checkpoint_format.parquet import collect, digest_of, read_schema, scan, sink
from checkpoint_format.snapshot import Reduced, Snapshot, fetch_rows, load
from checkpoint_format.stores import CheckpointStore
from checkpoint_format.unclaimed import adopted_of, fetch_unclaimed
from checkpoint_format.withholding.listing import load_withheld, refuse_older
from checkpoint_format.withholding.withheld import PAIR, Withheld

_LOOKS: Final = 5
_ROW_GROUP_ROWS: Final = 131_072


def load_reduced(store: CheckpointStore, workdir: Path) -> Snapshot:
    """Load the pair in force, and return what is left of it by the list in force.

    The list is read after the pair, so it is never one that the pair is ahead of. Where it was
    applied already, or there is none, that is all. Raises what `load` raises, and
    WithheldListError.
    """

    def in_force(snapshot: Snapshot) -> Withheld:
        withheld, _ = load_withheld(store)
        refuse_older(store, snapshot.metadata, withheld)
        return withheld

    _, left = load_by(store, workdir, in_force)
    return left


def load_by(
    store: CheckpointStore, workdir: Path, choose: Callable[[Snapshot], Withheld]
) -> tuple[Snapshot, Snapshot]:
    """Load the pair in force; return it, and what is left of it by the list that is chosen then.

    When the checkpoint is replaced meanwhile, looks again.
    """
    for _ in range(_LOOKS):
        snapshot = load(store, workdir)
        withheld = choose(snapshot)
        with suppress(ChangedWhileReadingError):
            return snapshot, _reduced(store, snapshot, withheld, workdir)
    raise StorageError(
        f"{store.location}: it keeps being replaced; other runs are at work. Try again."
    )


def _reduced(
    store: CheckpointStore, snapshot: Snapshot, withheld: Withheld, workdir: Path
) -> Snapshot:
    """Return what is left of a snapshot by a list, all of it where that was applied.

    The files are local, and the metadata say what is in them. Raises ChangedWhileReadingError
    where the rows were replaced meanwhile, and DamagedFileError.
    """
    metadata = snapshot.metadata
    if metadata is None or withheld.revision in {None, metadata.withheld}:
        return structs.replace(snapshot, withheld=withheld)
    own = f"{metadata.commit_id}-{withheld.revision}.parquet"
    whole = fetch_rows(store, snapshot, workdir / f"whole-{own}")
    kept = without_participants(whole, withheld, workdir / f"kept-{own}")
    if kept != whole:
        whole.unlink()
    rows = measure(kept, metadata.event_format)
    gone = _gone(snapshot.ledger, withheld)
    ledger = _left(snapshot.ledger, gone, workdir / f"kept-ledger-{own}")
    versions = metadata.versions_in_ledger - int(gone["versions"].sum())
    unclaimed = fetch_unclaimed(store, adopted_of(snapshot), workdir)
    if unclaimed:
        unclaimed = _unclaimed_left(unclaimed, withheld, workdir / f"kept-unclaimed-{own}")
        adopted_rows = _count(unclaimed)
    else:
        # Nobody knows which those are: what no version accounts for.
        adopted_rows = min(metadata.adopted_rows, max(0, rows.count - versions))
    return structs.replace(
        snapshot,
        metadata=_metadata(metadata, rows, adopted_rows, versions),
        ledger=ledger,
        withheld=withheld,
        reduced=Reduced(
            rows=kept,
            unclaimed=unclaimed,
            unclaimed_digest=digest_of(unclaimed) if unclaimed else None,
            gone=gone,
        ),
    )


def without_participants(rows: Path, withheld: Withheld, to: Path) -> Path:
    """Return a file of the rows that are of nobody on the list, in their order."""
    pairs = withheld.pairs_in(collect(rows, scan(rows).select(PAIR).unique()))
    if pairs.is_empty():
        return rows
    left = _anti(scan(rows), pairs)
    sink(left, to, metadata={}, compression="zstd", row_group_rows=_ROW_GROUP_ROWS)
    return to


def ledger_without(ledger: Ledger, withheld: Withheld, to: Path) -> Ledger:
    """Return a ledger without the objects that are of somebody on the list, in one file."""
    return _left(ledger, _gone(ledger, withheld), to)


def _metadata(
    metadata: CheckpointMetadata, rows: Rows, adopted_rows: int, versions: int
) -> CheckpointMetadata:
    return structs.replace(
        metadata,
        rows=rows.count,
        first_timestamp=rows.first,
        last_timestamp=rows.last,
        adopted_rows=adopted_rows,
        balance=rows.count - adopted_rows - versions,
    )


def _anti(rows: pl.LazyFrame, pairs: pl.DataFrame) -> pl.LazyFrame:
    return rows.join(pairs.lazy(), on=PAIR, how="anti", maintain_order="left")


def _gone(ledger: Ledger, withheld: Withheld) -> pl.DataFrame:
    """Return the ledger's rows of objects whose newest version is a participant's.

    Of those that were adopted unread, the name says whose they are.
    """
    if not ledger.files:
        return LEDGER_SCHEMA.to_frame()
    pairs = withheld.pairs_in(ledger.collect(ledger.scan().select(PAIR).unique()))
    theirs = ledger.collect(ledger.scan().join(pairs.lazy(), on=PAIR, how="semi"))
    unread = ledger.collect(ledger.scan().filter(pl.col("state") == "adopted"))
    named = unread.join(withheld.without_named(unread), on="key", how="anti")
    return pl.concat([theirs, named])


def _left(ledger: Ledger, gone: pl.DataFrame, to: Path) -> Ledger:
    """Return a ledger in one file without these rows; it has to be written whole."""
    if not ledger.files:
        return ledger
    metadata = structs.replace(
        ledger.files[-1].metadata,
        objects=ledger.objects - gone.height,
        full=None,
        superseded_objects=0,
        superseded_versions=0,
    )
    left = ledger.scan().join(
        gone.lazy().select("key"), on="key", how="anti", maintain_order="left"
    )
    return Ledger(full=write_rows(left, to, metadata), is_stored=False)


def _unclaimed_left(file: Path, withheld: Withheld, to: Path) -> Path:
    """Return the adopted rows that are of nobody on the list, and the other objects' keys."""
    left = _anti(scan(file), withheld.pairs_in(collect(file, scan(file).select(PAIR).unique())))
    if "key" in read_schema(file):
        keys = collect(file, scan(file).select("key").drop_nulls())
        named = keys.join(withheld.without_named(keys), on="key", how="anti")
        left = left.join(named.lazy(), on="key", how="anti", maintain_order="left")
    sink(left, to, metadata={}, compression="zstd", row_group_rows=_ROW_GROUP_ROWS)
    return to


def _count(unclaimed: Path) -> int:
    rows = scan(unclaimed)
    if "key" in read_schema(unclaimed):
        rows = rows.filter(pl.col("key").is_null())
    return int(collect(unclaimed, rows.select(pl.len())).item())
