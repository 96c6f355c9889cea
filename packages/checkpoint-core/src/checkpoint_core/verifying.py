"""Verifying: whether checkpoint, ledger and list agree, and every object of a source is accounted for."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
from msgspec import Struct

from checkpoint_core._judging.selection import Rules, select
from checkpoint_core.settings import Settings
from checkpoint_format.errors import (
    CheckpointError,
    MissingLedgerError,
    StorageError,
    WithheldListError,
)
from checkpoint_format.inspection import fetch_events
from checkpoint_format.layout import CheckpointMetadata, DamagedFileError
from checkpoint_format.ledger import NOT_SORTED
from checkpoint_format.merge import measure
from checkpoint_format.names import Names
from checkpoint_format.parquet import read_all, scan
from checkpoint_format.rejects import load_rejects
from checkpoint_format.snapshot import Snapshot, load
from checkpoint_format.stores import UNSETTLED, CheckpointStore, Source
from checkpoint_format.unclaimed import adopted_of, fetch_unclaimed
from checkpoint_format.withholding.listing import load_withheld, refuse_older

__all__ = ["Check", "verify"]


class Check(Struct, frozen=True, kw_only=True):
    """One thing that must hold, whether it does, and what was found."""

    name: str
    passed: bool
    detail: str


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
    file = fetch_events(store, snapshot, workdir)
    digests = _checked("digests", lambda: _digests(file, snapshot))
    checks = [Check(name="pair", passed=True, detail=detail), digests]
    if snapshot.digests and not digests.passed:
        return checks
    checks += [
        _checked("rows", lambda: _rows(file, snapshot.metadata)),
        _checked("content", lambda: _content(file)),
        _checked("ledger", lambda: _ledger_agrees(store, file, snapshot, workdir)),
    ]
    if snapshot.metadata.withheld or store.read_tail(Names(store.checkpoint_name).withheld, 1):
        checks.append(_checked("list", lambda: _list_is_applied(store, snapshot.metadata)))
    if source is None:
        return checks
    look = partial(_account_for, store, source, snapshot, settings, workdir)
    return [*checks, _checked("source", look)]


def _checked(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, passed=True, detail=look())
    except (DamagedFileError, MissingLedgerError, WithheldListError) as error:
        return Check(name=name, passed=False, detail=str(error) or "a part of it is damaged")


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


def _content(file: Path) -> str:
    read_all(file)
    return "every page of every column can be read"


def _account_for(
    store: CheckpointStore, source: Source, snapshot: Snapshot, settings: Settings, workdir: Path
) -> str:
    """Tell what each listed object is to the checkpoint.

    Raises DamagedFileError where some are nothing to it.
    """
    found = load_rejects(store, workdir, source=source.location)
    if found.unreadable:
        raise DamagedFileError("the rejects file is damaged; the next run makes it anew")
    rejects = found.rows
    listing = source.list_objects(restore_states=False)
    if listing.is_empty() and snapshot.ledger.objects:
        raise DamagedFileError(
            f"no objects are listed, although the ledger knows {snapshot.ledger.objects}; the "
            "source is another one, or they were removed"
        )
    compared = snapshot.ledger.compare(listing, narrower=())
    withheld, _ = load_withheld(store)
    rules = Rules.of(settings)
    selection = select(compared, rejects=rejects, rules=rules, withheld=withheld)
    # What is withheld by its name is looked at again by every run.
    to_read = withheld.without_named(selection.to_read)
    named = selection.to_read.height - to_read.height
    young = _unsettled(snapshot.ledger.entries(selection.rewritten), to_read)
    rejected = pl.concat([rejects.select("key", "etag"), _unsettled(rejects, to_read)])
    rejected = to_read.join(rejected, on=["key", "etag"], how="semi")
    waiting = to_read.height - young.height - rejected.height
    if waiting:
        raise DamagedFileError(
            f"{waiting} of {listing.height} objects are neither in the ledger nor in the rejects "
            "as they are now; the next run looks at them"
        )
    others = "rejected or withheld" if withheld.participants else "in the rejects"
    return (
        f"{listing.height} objects: {selection.unchanged + young.height} in the ledger, "
        f"{selection.rejected_before.height + rejected.height + named} {others}, "
        f"{selection.unrecognized.height} not named like events"
    )


def _list_is_applied(store: CheckpointStore, metadata: CheckpointMetadata | None) -> str:
    """Tell that who is withheld was taken out; raises DamagedFileError or WithheldListError."""
    assert metadata is not None  # noqa: S101 - verify has looked
    withheld, _ = load_withheld(store)
    refuse_older(store, metadata, withheld)
    if metadata.withheld != withheld.revision:
        raise DamagedFileError(
            "the list of withheld participants has changed since the last commit; the next run "
            "applies it"
        )
    return f"the checkpoint is without the {len(withheld.participants)} participants on it"


def _ledger_agrees(store: CheckpointStore, file: Path, snapshot: Snapshot, workdir: Path) -> str:
    """Tell that ledger and rows agree; raises DamagedFileError or MissingLedgerError."""
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


def _unsettled(known: pl.DataFrame, to_read: pl.DataFrame) -> pl.DataFrame:
    """Return keys and etags of what was read as it is now, and is only looked at once more."""
    etag = pl.col("etag")
    unsettled = known.filter(etag.str.ends_with(UNSETTLED)).select(
        "key", etag.str.strip_suffix(UNSETTLED)
    )
    return unsettled.join(to_read, on=["key", "etag"], how="semi")
