"""Looking at a checkpoint without changing it: what it holds, what it lacks, whether it is sound."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
from msgspec import Struct

from checkpoint_core._adopting.claims import adopted_of, fetch_unclaimed
from checkpoint_core._committing.merge import measure
from checkpoint_core._files.layout import CheckpointMetadata, DamagedFileError, Names
from checkpoint_core._files.ledger import NOT_SORTED
from checkpoint_core._files.parquet import collect, read_all, scan
from checkpoint_core._files.rejects import load_rejects
from checkpoint_core._files.snapshot import Snapshot, damage_told, load, load_alone
from checkpoint_core._judging.format_hints import hints
from checkpoint_core._removing.applying import ledger_without, without_participants
from checkpoint_core._removing.listing import load_withheld, refuse_older
from checkpoint_core._verifying import account_for
from checkpoint_core.errors import (
    CheckpointError,
    MissingLedgerError,
    StorageError,
    WithheldListError,
)
from checkpoint_core.settings import Settings
from checkpoint_core.stores import CheckpointStore, Source

__all__ = [
    "Check",
    "Description",
    "Opened",
    "OpenedRejects",
    "describe",
    "hints_of",
    "open_for_queries",
    "open_rejects",
    "verify",
]


class Description(Struct, frozen=True, kw_only=True):
    """What a checkpoint holds.

    `objects` is the number of objects in the ledger, None where the ledger is not beside it, as in
    a copy. `events` counts rows by center_label and action; `rejects` counts objects by outcome,
    and is None where `rejects_unknown` says why they are not known.
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


class Check(Struct, frozen=True, kw_only=True):
    """One thing that must hold, whether it does, and what was found."""

    name: str
    passed: bool
    detail: str


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
    who are withheld, also where that commit is from before. None where there is no checkpoint. Raises what `describe` raises.
    """
    snapshot = _load(store, workdir) if ledger else load_alone(store, workdir)
    if snapshot.metadata is None:
        return None
    file = _fetch_checked(store, snapshot, workdir)
    withheld, _ = load_withheld(store)
    with damage_told(store.location):
        entries = snapshot.ledger
        if withheld.revision != snapshot.metadata.withheld:
            # It was restored, and no run has been there since.
            file = without_participants(file, withheld, workdir / "events-kept.parquet")
            entries = ledger_without(entries, withheld, workdir / "ledger-kept.parquet")
        whole = entries.in_one_file(workdir / "ledger.parquet")
    return Opened(metadata=snapshot.metadata, events=file, ledger=whole)


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
    file = _fetch_checked(store, snapshot, workdir)
    with damage_told(store.location):
        by_center = scan(file).group_by("center_label", "action").len("events")
        events = collect(file, by_center.sort(pl.all()))
    rejects = load_rejects(store, workdir, source=None)
    unknown = rejects.unknown(snapshot.metadata)
    outcomes = rejects.rows["outcome"].value_counts(sort=True)
    return Description(
        metadata=snapshot.metadata,
        size_bytes=file.stat().st_size,
        objects=snapshot.ledger.objects if snapshot.ledger.full else None,
        events=events,
        rejects=None if unknown else dict(outcomes.iter_rows()),
        rejects_unknown=unknown,
    )


def open_rejects(store: CheckpointStore, workdir: Path) -> OpenedRejects | None:
    """Return the rejects that are beside the checkpoint; None where there is neither.

    Raises StorageError when the file cannot be read as rejects, and what `describe` raises.
    """
    rejects = load_rejects(store, workdir, source=None)
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


def verify(
    store: CheckpointStore, source: Source | None, settings: Settings, workdir: Path
) -> list[Check]:
    """Check that checkpoint, metadata and ledger agree; with a source, that no object is missing.

    Reads the whole checkpoint. Later checks are left out where an earlier one makes them
    impossible. Raises StorageError only when the storage itself fails.
    """
    try:
        snapshot = load(store, workdir)
    except StorageError:
        raise
    except CheckpointError as error:
        return [Check(name="pair", passed=False, detail=str(error))]
    if snapshot.metadata is None:
        return [Check(name="pair", passed=False, detail="there is no checkpoint")]
    objects = snapshot.ledger.objects
    detail = f"commit {snapshot.metadata.commit_id}, its ledger accounts for {objects} objects"
    file = _fetch(store, snapshot, workdir)
    digests = _checked("digests", lambda: _digests(file, snapshot))
    checks = [Check(name="pair", passed=True, detail=detail), digests]
    if snapshot.digests and not digests.passed:
        return checks
    checks += [
        _checked("rows", lambda: _rows(file, snapshot.metadata)),
        _checked("content", lambda: _content(file)),
        _checked("ledger", lambda: _ledger(store, file, snapshot, workdir)),
    ]
    if snapshot.metadata.withheld or store.read_tail(Names(store.checkpoint_name).withheld, 1):
        checks.append(_checked("list", lambda: _list(store, snapshot.metadata)))
    if source is None:
        return checks
    look = partial(account_for, store, source, snapshot, settings, workdir)
    return [*checks, _checked("source", look)]


def _checked(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, passed=True, detail=look())
    except (DamagedFileError, MissingLedgerError, WithheldListError) as error:
        return Check(name=name, passed=False, detail=str(error) or "a part of it is damaged")


def _fetch(store: CheckpointStore, snapshot: Snapshot, workdir: Path) -> Path:
    file = workdir / "checkpoint.parquet"
    if not store.fetch(store.checkpoint_name, file, etag=snapshot.etag):
        raise StorageError(f"{store.location}: it was removed meanwhile")
    return file


def _fetch_checked(store: CheckpointStore, snapshot: Snapshot, workdir: Path) -> Path:
    file = _fetch(store, snapshot, workdir)
    with damage_told(store.location):
        snapshot.check(file)
    return file


def _digests(file: Path, snapshot: Snapshot) -> str:
    if snapshot.remarks:
        raise DamagedFileError(*snapshot.remarks)
    if snapshot.digests is None:
        return "none: it was committed by an earlier version, which did not keep any"
    snapshot.check(file)
    return "every byte of checkpoint and ledger is as it was committed"


def _rows(file: Path, metadata: CheckpointMetadata | None) -> str:
    assert metadata is not None  # noqa: S101 - verify has looked
    rows = measure(file, metadata.event_format)
    if rows.count != metadata.rows:
        raise DamagedFileError(f"it has {rows.count} rows and says {metadata.rows}")
    rows.check_span(metadata)
    return f"{rows.count} rows of event format {metadata.event_format}, sorted by timestamp"


def _list(store: CheckpointStore, metadata: CheckpointMetadata | None) -> str:
    assert metadata is not None  # noqa: S101 - verify has looked
    withheld, _ = load_withheld(store)
    refuse_older(store, metadata, withheld)
    if metadata.withheld != withheld.revision:
        raise DamagedFileError(
            "the list of withheld participants has changed since the last commit; the next run "
            "applies it"
        )
    return f"the checkpoint is without the {len(withheld.participants)} participants on it"


def _content(file: Path) -> str:
    read_all(file)
    return "every page of every column can be read"


def _ledger(store: CheckpointStore, file: Path, snapshot: Snapshot, workdir: Path) -> str:
    fetch_unclaimed(store, adopted_of(snapshot), workdir)
    ledger = snapshot.ledger
    keys = ledger.collect(
        ledger.scan().select(is_sorted=pl.col("key").is_sorted(), distinct=pl.col("key").n_unique())
    )
    if keys.row(0) != (True, ledger.objects):
        raise DamagedFileError(NOT_SORTED)
    traits = ["timestamp", "pipeline_adcid", "ptid"]
    accepted = ledger.scan().filter(pl.col("state") == "accepted")
    orphans = accepted.join(scan(file).select(traits), on=traits, how="anti")
    without_row = ledger.collect(orphans.select(pl.len())).item()
    if without_row:
        raise DamagedFileError(f"{without_row} objects of the ledger have no row in the checkpoint")
    return f"{ledger.objects} objects, each with a row of its time, center and participant"
