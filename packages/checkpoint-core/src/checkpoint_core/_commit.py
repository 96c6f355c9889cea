"""Replacing checkpoint and ledger as one atomic step.

The ledger is written first, under a name that no other commit uses. Then the checkpoint, which
names it, is replaced on the condition that it is still the one that was merged with. A crash
before that leaves a ledger that nothing refers to; after it, the new pair is in force.
"""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from checkpoint_core._layout import CheckpointMetadata, Names, commits_of, generation_of
from checkpoint_core._snapshot import look
from checkpoint_core.errors import CheckpointError, CommitOutcomeUnknownError, StorageError
from checkpoint_core.stores import CheckpointStore, Condition, Host, PutOutcome

_WRITES: Final = 3
_LONGEST_PAUSE_S: Final = 20.0


class Prepared(Struct, frozen=True, kw_only=True):
    """The two files of a commit, whole on the local disk."""

    metadata: CheckpointMetadata
    checkpoint: Path
    ledger: Path


def commit(store: CheckpointStore, prepared: Prepared, *, etag: str | None, host: Host) -> bool:
    """Put a prepared pair in force if the checkpoint still has this etag (None: does not exist).

    Returns whether it took place; False: another commit came first. An unclear answer is settled
    by looking for our commit in the lineage of what is in force, because a request that seemed to
    fail may have been carried out, even after it was sent again.
    Raises CommitOutcomeUnknownError where that is not possible, StorageError where nothing
    was changed.
    """
    names = Names(store.checkpoint_name)
    commit_id = prepared.metadata.commit_id
    ledger = names.ledger(commit_id, prepared.metadata.full_ledger)
    store.put(ledger, prepared.ledger)
    unclear = False
    for attempt in range(_WRITES):
        try:
            outcome = store.put_if(names.checkpoint, prepared.checkpoint, Condition(etag))
        except StorageError as error:
            if unclear:
                raise CommitOutcomeUnknownError(store.location, commit_id) from error
            _forget(store, ledger)
            raise
        if outcome is PutOutcome.WRITTEN:
            return True
        unclear = unclear or outcome is PutOutcome.UNKNOWN
        try:
            present, lineage = look(store)
        except CheckpointError as error:
            if not unclear:
                raise
            raise CommitOutcomeUnknownError(store.location, commit_id) from error
        if commit_id in lineage:
            return True
        if present != etag:
            _forget(store, ledger)
            return False
        back_off(host, attempt)
    if unclear:
        raise CommitOutcomeUnknownError(store.location, commit_id)
    _forget(store, ledger)
    return False


def _forget(store: CheckpointStore, ledger: str) -> None:
    """Remove the ledger of a commit that certainly did not take place, if that is possible."""
    with suppress(StorageError):
        store.delete(ledger)


def back_off(host: Host, attempt: int) -> None:
    """Wait before the next attempt: exponentially longer, and never in step with other runs."""
    host.pause(min(_LONGEST_PAUSE_S, 0.1 * 2**attempt) * (0.5 + host.jitter()))


def delete_old_ledgers(
    store: CheckpointStore, metadata: CheckpointMetadata, *, before: datetime
) -> None:
    """Delete ledgers last modified before a time, never the one in force or its predecessor.

    Younger ones may belong to a run in progress, or to an earlier version of the checkpoint that
    somebody restores. A full ledger stays as long as a delta upon it is kept.
    """
    files = [
        (file, commits_of(file.name))
        for file in store.list_files(Names(store.checkpoint_name).ledgers)
        if generation_of(file.name) > 0
    ]
    needed = {
        commit_id
        for file, (own, full) in files
        if own in metadata.lineage[-2:] or file.last_modified >= before
        for commit_id in (own, full)
    }
    for file, (own, _) in files:
        if own not in needed:
            store.delete(file.name)
