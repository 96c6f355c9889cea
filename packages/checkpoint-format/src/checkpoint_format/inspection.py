"""Looking at a checkpoint without changing it: what it holds, what it lacks, whether it is sound."""

from pathlib import Path

import polars as pl
from msgspec import Struct, structs

from checkpoint_format.errors import MissingLedgerError, StorageError
from checkpoint_format.format_hints import hints
from checkpoint_format.layout import CheckpointMetadata
from checkpoint_format.ledger import Ledger
from checkpoint_format.merge import measure
from checkpoint_format.parquet import collect, scan
from checkpoint_format.rejects import Rejects, load_rejects, without_named
from checkpoint_format.snapshot import Snapshot, damage_told, load, load_alone
from checkpoint_format.stores import CheckpointStore
from checkpoint_format.withholding.applying import ledger_without, without_participants
from checkpoint_format.withholding.listing import load_withheld

__all__ = [
    "Description",
    "Opened",
    "OpenedRejects",
    "describe",
    "fetch_events",
    "hints_of",
    "open_for_queries",
    "open_rejects",
]


class Description(Struct, frozen=True, kw_only=True):
    """What a checkpoint holds.

    `objects` is the number of objects in the ledger, None where the ledger is not beside it, as in
    a copy. `events` counts rows by center_label and action; `rejects` counts objects by outcome,
    and is None where `rejects_unknown` says why they are not known. Who is withheld is in none of
    it; where no run has taken them out yet, the `adopted_rows` are how many there are at most.
    """

    metadata: CheckpointMetadata
    size_bytes: int
    objects: int | None
    events: pl.DataFrame
    rejects: dict[str, int] | None
    rejects_unknown: str | None


class OpenedRejects(Struct, frozen=True, kw_only=True):
    """The rejects, in REJECTS_SCHEMA, and key, reason and first_seen of what the last run did not recognize, by key.

    `unknown` says why they are not those of the checkpoint in force; None where they are.
    """

    rows: pl.DataFrame
    unrecognized: pl.DataFrame
    unknown: str | None


class Opened(Struct, frozen=True, kw_only=True):
    """A checkpoint to ask questions of: local files of one commit.

    `ledger` is None where it was not asked for or is not beside the checkpoint, as in a copy.
    """

    metadata: CheckpointMetadata
    events: Path
    ledger: Path | None


def open_for_queries(store: CheckpointStore, workdir: Path, *, ledger: bool) -> Opened | None:
    """Bring the checkpoint in force, and if asked for its ledger, into reach of questions.

    Both are of the same commit, and stay as they are whatever runs meanwhile; without participants
    who are withheld, also where that commit is from before. None where there is no checkpoint.
    Raises what `describe` raises.
    """
    snapshot = _load(store, workdir) if ledger else load_alone(store, workdir)
    if snapshot.metadata is None:
        return None
    metadata, file, entries = _left(store, snapshot, snapshot.metadata, workdir)
    with damage_told(store.location):
        whole = entries.in_one_file(workdir / "ledger.parquet")
    return Opened(metadata=metadata, events=file, ledger=whole)


def _left(
    store: CheckpointStore, snapshot: Snapshot, metadata: CheckpointMetadata, workdir: Path
) -> tuple[CheckpointMetadata, Path, Ledger]:
    """Fetch the rows, checked; return them and the ledger without participants who are withheld."""
    file, ledger = _fetch_checked(store, snapshot, workdir), snapshot.ledger
    withheld, _ = load_withheld(store)
    if withheld.revision == metadata.withheld:
        return metadata, file, ledger
    # The list is new, or it was restored, and no run has been there since.
    with damage_told(store.location):
        file = without_participants(file, withheld, workdir / "events-kept.parquet")
        ledger = ledger_without(ledger, withheld, workdir / "ledger-kept.parquet")
        rows = measure(file, metadata.event_format)
    left = structs.replace(
        metadata,
        rows=rows.count,
        adopted_rows=min(metadata.adopted_rows, rows.count),
        first_timestamp=rows.first,
        last_timestamp=rows.last,
    )
    return left, file, ledger


def _load(store: CheckpointStore, workdir: Path) -> Snapshot:
    """Load the pair in force, with an empty ledger where it is not beside the checkpoint."""
    try:
        return load(store, workdir)
    except MissingLedgerError:
        return load_alone(store, workdir)


def describe(store: CheckpointStore, workdir: Path) -> Description | None:
    """Describe the checkpoint in force; None where there is none. Raises what a run raises."""
    snapshot = _load(store, workdir)
    if snapshot.metadata is None:
        return None
    metadata, file, ledger = _left(store, snapshot, snapshot.metadata, workdir)
    with damage_told(store.location):
        by_center = scan(file).group_by("center_label", "action").len("events")
        events = collect(file, by_center.sort(pl.all()))
    rejects = _load_rejects(store, workdir)
    unknown = rejects.unknown(snapshot.metadata)
    outcomes = rejects.rows["outcome"].value_counts(sort=True)
    return Description(
        metadata=metadata,
        size_bytes=snapshot.size_bytes,
        objects=ledger.objects if ledger.full else None,
        events=events,
        rejects=None if unknown else dict(outcomes.iter_rows()),
        rejects_unknown=unknown,
    )


def open_rejects(store: CheckpointStore, workdir: Path) -> OpenedRejects | None:
    """Return the rejects that are beside the checkpoint; None where there is neither.

    Raises StorageError when the file cannot be read as rejects, and what `describe` raises.
    """
    rejects = _load_rejects(store, workdir)
    if rejects.unreadable:
        raise StorageError(
            f"{store.location}: its rejects file is damaged or of a later version. "
            "The next run makes it anew; no data depends on it."
        )
    metadata = load_alone(store, workdir).metadata
    if metadata is None and rejects.absent:
        return None
    unknown = rejects.unknown(metadata)
    return OpenedRejects(rows=rejects.rows, unrecognized=rejects.unrecognized, unknown=unknown)


def hints_of(objects: pl.DataFrame) -> tuple[str, ...]:
    """Return what a newer event format would do with rejects or unrecognized names, in a line.

    Empty where that is nothing. Goes by their reasons.
    """
    return hints(objects["reason"])


def _load_rejects(store: CheckpointStore, workdir: Path) -> Rejects:
    """Load the rejects without what is named after somebody who is withheld."""
    withheld, _ = load_withheld(store)
    return without_named(load_rejects(store, workdir, source=None), withheld)


def fetch_events(store: CheckpointStore, snapshot: Snapshot, workdir: Path) -> Path:
    """Fetch the checkpoint as it was loaded, unchecked. Raises StorageError where it is gone."""
    file = workdir / "checkpoint.parquet"
    if not store.fetch(store.checkpoint_name, file, etag=snapshot.etag):
        raise StorageError(f"{store.location}: it was removed meanwhile")
    return file


def _fetch_checked(store: CheckpointStore, snapshot: Snapshot, workdir: Path) -> Path:
    file = fetch_events(store, snapshot, workdir)
    with damage_told(store.location):
        snapshot.check(file)
    return file
