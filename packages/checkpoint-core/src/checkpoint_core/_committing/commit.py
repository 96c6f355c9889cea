"""Replacing checkpoint and ledger as one atomic step.

The ledger and the digests of both are written first, under names that no other commit uses. Then
the checkpoint, which names it, is replaced on the condition that it is still the one that was
merged with. A crash before that leaves a ledger that nothing refers to; after it, the new pair is
in force.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from checkpoint_core.errors import CommitOutcomeUnknownError
from checkpoint_format.errors import CheckpointError, OutcomeUnknownError, StorageError
from checkpoint_format.layout import CheckpointMetadata
from checkpoint_format.names import Names, commits_of, generation_of, is_digests
from checkpoint_format.snapshot import look
from checkpoint_format.stores import (
    CheckpointStore,
    Condition,
    Host,
    PutOutcome,
    StoredFile,
    back_off,
)

_WRITES: Final = 3


class Prepared(Struct, frozen=True, kw_only=True):
    """The files of a commit, whole on the local disk.

    `unclaimed` is there where the commit has a new file of adopted rows that nobody has claimed.
    """

    metadata: CheckpointMetadata
    checkpoint: Path
    ledger: Path
    digests: Path
    unclaimed: Path | None = None


def commit(store: CheckpointStore, prepared: Prepared, *, etag: str | None, host: Host) -> bool:
    """Put a prepared pair in force if the checkpoint still has this etag (None: does not exist).

    Returns whether it took place; False: another commit came first. An unclear answer is settled
    by looking for our commit in the lineage of what is in force, because a request that seemed to
    fail may have been carried out, even after it was sent again. A lineage that does not reach back
    to our generation settles nothing. What is written beside the checkpoint is removed only where
    the commit certainly did not take place; so not where it is interrupted on the way.
    Raises CommitOutcomeUnknownError where that is not possible, StorageError where nothing
    was changed.
    """
    names = Names(store.checkpoint_name)
    commit_id = prepared.metadata.commit_id
    beside = {
        names.ledger(commit_id, prepared.metadata.full_ledger): prepared.ledger,
        names.digests(commit_id): prepared.digests,
    }
    if prepared.unclaimed:
        beside[names.unclaimed(commit_id)] = prepared.unclaimed
    for name, file in beside.items():
        store.put(name, file)
    unclear: OutcomeUnknownError | None = None
    for attempt in range(_WRITES):
        try:
            outcome = store.put_if(names.checkpoint, prepared.checkpoint, Condition(etag))
        except OutcomeUnknownError as error:
            unclear = error
        except StorageError as error:
            if unclear:
                raise CommitOutcomeUnknownError(store.location, commit_id, unclear) from error
            _forget(store, beside)
            raise
        else:
            if outcome is PutOutcome.WRITTEN:
                return True
        try:
            present, metadata = look(store)
        except CheckpointError as error:
            if not unclear:
                raise
            raise CommitOutcomeUnknownError(store.location, commit_id, unclear) from error
        lineage = metadata.lineage if metadata else ()
        if commit_id in lineage:
            return True
        if present != etag:
            if _reaches(lineage, commit_id):
                unclear = None
            break
        back_off(host, attempt)
    if unclear:
        raise CommitOutcomeUnknownError(store.location, commit_id, unclear) from unclear
    _forget(store, beside)
    return False


def _reaches(lineage: tuple[str, ...], commit_id: str) -> bool:
    """Whether a commit that is not in the lineage is none of its ancestors.

    A lineage holds the last few dozen commits. If it begins later than the one in question, that
    may have been left out.
    """
    return bool(lineage) and generation_of(lineage[0]) <= generation_of(commit_id)


def _forget(store: CheckpointStore, beside: Iterable[str]) -> None:
    """Remove the files of a commit that certainly did not take place, if that is possible."""
    with suppress(StorageError):
        for name in beside:
            store.delete(name)


def delete_old_ledgers(
    store: CheckpointStore, committed: CheckpointMetadata, *, now: datetime, retention: timedelta
) -> None:
    """Delete superseded ledgers, and their digests, that were written longer ago than a time.

    What supersedes them is the checkpoint that is in force just before, which need not be the one
    that we committed. It leaves alone its own ledger, its predecessor's, those of later generations,
    which may belong to runs in progress, and full ones below a delta that is kept. Younger ones may
    belong to an earlier version of the checkpoint that somebody restores; how old they are is
    reckoned by the store's clock where ours is ahead of it.
    """
    files = [
        file
        for file in store.list_files(Names(store.checkpoint_name).ledgers)
        if generation_of(file.name) > 0
    ]
    newest = max((file.last_modified for file in files), default=now)
    before = min(now, newest) - retention
    if not _superseded(files, committed, before):
        return
    _, present = look(store)
    if present is None:
        return
    # A ledger before its digests: none is left without them.
    for name in sorted(_superseded(files, present, before), key=is_digests):
        store.delete(name)


def _superseded(
    files: Iterable[StoredFile], present: CheckpointMetadata, before: datetime
) -> list[str]:
    """Return the names of the files that are older, and that this checkpoint makes superfluous."""
    commits = {file.name: commits_of(file.name) for file in files}
    kept = {present.full_ledger, *present.lineage[-2:]}
    for file in files:
        own, full = commits[file.name]
        is_later = generation_of(own) > present.generation
        if own in kept or is_later or file.last_modified >= before:
            kept |= {own, full}
    return [name for name, (own, _) in commits.items() if own not in kept]
