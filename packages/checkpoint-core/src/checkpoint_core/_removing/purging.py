"""Deleting what is ours and older than the checkpoint in force."""

from msgspec import Struct

from checkpoint_core._removing.holdings import files_in_force, older_versions
from checkpoint_core.errors import NotAppliedError
from checkpoint_format.names import Names
from checkpoint_format.snapshot import load
from checkpoint_format.stores import CheckpointStore, Host
from checkpoint_format.withholding.listing import load_withheld, refuse_older
from checkpoint_queries.exports.manifest import load_manifest


class Purge(Struct, frozen=True, kw_only=True):
    """How much was deleted, or in a dry run would be.

    `staged` are files that a killed run had read and judged elsewhere. `left` are ledgers and staged
    files that are not older than the ledger in force: a run in progress may need them.
    """

    ledgers: int
    previous_files: int
    staged: int
    versions: int
    left: int


def purge(store: CheckpointStore, *, host: Host, dry_run: bool) -> Purge:
    """Delete ledgers, replaced checkpoints, what was staged, and older versions of all our files.

    Guarantee: what is in force stays as it is, whatever happens meanwhile; what is deleted is older
    than that. Idempotent: where it was interrupted, the next one goes on. The list of the withheld
    keeps its older versions, which hold no more than it.

    Nobody can commit upon what was in force before, so no ledger that was written before the one in
    force is needed any more; not so those that were written later. So it is with what was staged: a
    run that still reads it would lose to the commit in force, and now fails before that.
    Raises NotAppliedError, and changes nothing, where what is in force may hold those who were
    taken out, or its exports may.
    """
    names = Names(store.checkpoint_name)
    snapshot = load(store, host.workdir)
    withheld, _ = load_withheld(store)
    refuse_older(store, snapshot.metadata, withheld)
    metadata = snapshot.metadata
    if metadata is None or withheld.revision is None or metadata.withheld != withheld.revision:
        raise NotAppliedError(store.location, "the list of the withheld has not been applied to it")
    manifest, _ = load_manifest(store, must_be_sound=True)
    for name, export in manifest.exports.items():
        if export.commit_id != metadata.commit_id:
            raise NotAppliedError(store.location, f"its export {name} is not up to date")
    needed = files_in_force(names, metadata)
    written = {file.name: file.last_modified for file in store.list_files(names.ledgers)}
    since = written[names.ledger(metadata.commit_id, metadata.full_ledger)]
    others = {name: when for name, when in written.items() if name not in needed}
    ledgers = [name for name, when in others.items() if when < since]
    staged = [file for file in store.list_files(names.staged) if file.name.endswith(".parquet")]
    left_over = [file.name for file in staged if file.last_modified < since]
    previous = [file.name for file in store.list_files(names.previous)]
    if not dry_run:
        for name in (*ledgers, *previous, *left_over):
            store.delete(name)
    versions = older_versions(store)
    if not dry_run:
        for version in versions:
            store.delete_version(version)
    return Purge(
        ledgers=len(ledgers),
        previous_files=len(previous),
        staged=len(left_over),
        versions=len(versions),
        left=len(others) - len(ledgers) + len(staged) - len(left_over),
    )
