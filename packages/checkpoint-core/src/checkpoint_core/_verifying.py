"""What verifying looks at: ledger, list, and whether every object of a source is accounted for."""

from pathlib import Path

import polars as pl

from checkpoint_core._adopting.claims import adopted_of, fetch_unclaimed
from checkpoint_core._files.layout import CheckpointMetadata, DamagedFileError
from checkpoint_core._files.ledger import NOT_SORTED
from checkpoint_core._files.parquet import scan
from checkpoint_core._files.rejects import load_rejects
from checkpoint_core._files.snapshot import Snapshot
from checkpoint_core._judging.selection import Rules, select
from checkpoint_core._removing.listing import load_withheld, refuse_older
from checkpoint_core.settings import Settings
from checkpoint_core.stores import UNSETTLED, CheckpointStore, Source


def account_for(
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


def list_is_applied(store: CheckpointStore, metadata: CheckpointMetadata | None) -> str:
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


def ledger_agrees(store: CheckpointStore, file: Path, snapshot: Snapshot, workdir: Path) -> str:
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
