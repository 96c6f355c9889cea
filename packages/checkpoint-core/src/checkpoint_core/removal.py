"""Taking a participant out of a checkpoint, for good; or, where that was a mistake, back in."""

from collections.abc import Callable

import polars as pl
from msgspec import Struct, structs

from checkpoint_core._committing.replacement import Judged, Task, replace
from checkpoint_core._removing.holdings import Holdings, look_up, no_checkpoint
from checkpoint_core._removing.purging import Purge, purge
from checkpoint_core.errors import (
    FormatDowngradeError,
    SourceChangedError,
)
from checkpoint_core.readers import JudgingRules, nothing_judged
from checkpoint_core.settings import Request, Settings
from checkpoint_format.layout import LEDGER_SCHEMA, CheckpointMetadata
from checkpoint_format.names import generation_of, new_commit_id
from checkpoint_format.parquet import collect, read_schema, scan
from checkpoint_format.rejects import load_rejects, save_rejects, without_named
from checkpoint_format.snapshot import damage_told, fetch_rows, load, load_alone
from checkpoint_format.stores import CheckpointStore, Host, Source
from checkpoint_format.withholding.applying import load_reduced
from checkpoint_format.withholding.listing import (
    change_withheld,
    load_withheld,
    refuse_older,
    remember,
)
from checkpoint_format.withholding.withheld import PAIR, Participant, Withheld
from checkpoint_queries.exports import ExportResult, update_exports

__all__ = [
    "Holdings",
    "Listed",
    "Participant",
    "Purge",
    "Removal",
    "find_participants",
    "listed",
    "names_withheld",
    "purge",
    "remove",
    "undo",
]

_NOWHERE = "00000000-nowhere"
"""The revision of a list that no checkpoint names."""


class Removal(Struct, frozen=True, kw_only=True):
    """What held the participants before, and what became of it.

    `commit_id` is the commit without them; None in a dry run, and where what is in force was
    without them already. `exports` is what became of each export.
    """

    holdings: Holdings
    commit_id: str | None
    exports: tuple[ExportResult, ...]


class Listed(Struct, frozen=True, kw_only=True):
    """How many participants are withheld, and how many objects were found to be theirs.

    `is_applied`: the checkpoint in force is without them.
    """

    participants: int
    objects: int
    is_applied: bool


def find_participants(store: CheckpointStore, host: Host, naccid: str) -> tuple[Participant, ...]:
    """Return every participant whose rows bear this naccid; one may have been at several centers.

    Blanks around it do not count. Sorted. Raises what `describe` raises.
    """
    snapshot = load_alone(store, host.workdir)
    with damage_told(store.location):
        if snapshot.metadata is None:
            return ()
        # As it is: a removal that was interrupted is done again by the same naccid.
        rows = fetch_rows(store, snapshot, host.workdir / "rows.parquet")
        if "naccid" not in read_schema(rows):
            return ()
        is_theirs = pl.col("naccid").str.strip_chars() == naccid.strip()
        theirs = scan(rows).filter(is_theirs).select(PAIR).unique()
        return tuple(collect(rows, theirs).sort(PAIR).iter_rows())


def remove(
    store: CheckpointStore,
    participants: tuple[Participant, ...],
    *,
    source: Source | None,
    settings: Settings,
    host: Host,
    new_key: bytes,
    dry_run: bool = False,
    list_is_lost: bool = False,
) -> Removal:
    """Put participants on the list, and the checkpoint, rejects and exports in force without them.

    Guarantee: once this has returned, no row of theirs is in force, and no run commits one, whatever
    it read before and whichever version is restored. Rows of others stay, in their order. Where it
    was interrupted after the list was written, the next run completes it, or doing it again.

    Args:
        store: where the checkpoint is.
        participants: center and ptid of each; leading zeros do not count.
        source: where to look for event objects that are named after them; None: nowhere.
        settings: say how Parquet is written.
        host: as for a run.
        new_key: 32 random bytes, the list's key where there is no list yet.
        dry_run: look everything up, and change nothing.
        list_is_lost: begin a new list where the checkpoint names one that is gone.

    Raises:
        CheckpointError: as of a run; nothing was changed, unless the list is written already.

    """
    with damage_told(store.location):
        alone = Withheld(revision=_NOWHERE, key=new_key)
        digests = frozenset(map(alone.digest_of, participants))
        alone = structs.replace(alone, participants=digests)
        holdings = look_up(store, alone, source, host.workdir)
        if dry_run:
            return Removal(holdings=holdings, commit_id=None, exports=())
        metadata = _load(store, host)
        run_id = host.new_id()

        def decide(present: Withheld) -> Withheld:
            if not (list_is_lost and present.revision is None):
                refuse_older(store, metadata, present)
            keyed = structs.replace(present, key=present.key or new_key)
            wanted = present.participants.union(map(keyed.digest_of, participants))
            if wanted == present.participants:
                return present
            revision = _next_revision(present, metadata, run_id)
            return structs.replace(keyed, revision=revision, participants=wanted)

        change_withheld(store, host, decide)
        commit_id = _commit(store, settings, host, run_id)
        _clean_rejects(store, metadata, host)
    exports = update_exports(store, (), settings=settings, host=host, only_these=False)
    return Removal(holdings=holdings, commit_id=commit_id, exports=exports)


def undo(store: CheckpointStore, participants: tuple[Participant, ...], *, host: Host) -> bool:
    """Take participants off the list; return whether any was on it.

    The next run reads every object anew that was withheld, and takes those in that are theirs.
    Versions that were overwritten, and adopted rows, cannot come back.
    """
    metadata = _load(store, host)
    run_id = host.new_id()
    were_there = False

    def decide(present: Withheld) -> Withheld:
        nonlocal were_there
        refuse_older(store, metadata, present)
        left = present.participants.difference(map(present.digest_of, participants))
        if left == present.participants:
            return present
        were_there = True
        revision = _next_revision(present, metadata, run_id)
        return structs.replace(present, revision=revision, participants=left, objects=frozenset())

    change_withheld(store, host, decide)
    return were_there


def listed(store: CheckpointStore, host: Host) -> Listed:
    """Count what is on the list."""
    metadata = _load(store, host)
    withheld, _ = load_withheld(store)
    refuse_older(store, metadata, withheld)
    return Listed(
        participants=len(withheld.participants),
        objects=len(withheld.objects),
        is_applied=metadata.withheld == withheld.revision,
    )


def names_withheld(store: CheckpointStore) -> Callable[[str], bool]:
    """Return a function that says whether an object's key tells of somebody who was taken out.

    For whoever names objects that no run has judged yet. By the list that is in force now.
    """
    withheld, _ = load_withheld(store)
    return withheld.is_named


def _load(store: CheckpointStore, host: Host) -> CheckpointMetadata:
    metadata = load(store, host.workdir).metadata
    if metadata is None:
        raise no_checkpoint(store)
    return metadata


def _next_revision(present: Withheld, metadata: CheckpointMetadata, run_id: str) -> str:
    last = max(generation_of(each or "") for each in (present.revision, metadata.withheld))
    return new_commit_id(last + 1, run_id)


def _commit(store: CheckpointStore, settings: Settings, host: Host, run_id: str) -> str | None:
    """Commit what is left by the list in force, as a run does that has nothing new.

    Where a run brings it to another event format or source meanwhile, it begins again, once.
    """
    try:
        return _commit_once(store, settings, host, run_id)
    except (FormatDowngradeError, SourceChangedError):
        return _commit_once(store, settings, host, f"{run_id}-again")


def _commit_once(store: CheckpointStore, settings: Settings, host: Host, run_id: str) -> str | None:
    snapshot = load_reduced(store, host.workdir)
    if snapshot.metadata is None:
        raise no_checkpoint(store)
    settings = structs.replace(settings, event_format=snapshot.metadata.event_format)
    task = Task(
        run_id=run_id,
        started_at=host.now(),
        source=snapshot.metadata.source,
        store=store,
        host=host,
        settings=settings,
        request=Request(),
    )
    nothing = nothing_judged(JudgingRules.of(settings, task.request, started_at=task.started_at))
    judged = Judged(judgement=nothing, entries=LEDGER_SCHEMA.to_frame())
    result = replace(snapshot, judged, task)
    reduced = result.snapshot.reduced
    if reduced is not None:
        theirs = reduced.gone.filter(pl.col("state") == "accepted")
        remember(store, host, result.snapshot.withheld, theirs)
    return result.committed.metadata.commit_id if result.committed else None


def _clean_rejects(store: CheckpointStore, metadata: CheckpointMetadata, host: Host) -> None:
    """Write the rejects without those that are named after the participants, if there are such.

    A file that cannot be read is replaced too: nobody knows whom it names.
    """
    withheld, _ = load_withheld(store)
    rejects = load_rejects(store, host.workdir, source=metadata.source)
    left = without_named(rejects, withheld)
    if left.stale:
        save_rejects(store, host.workdir, left, source=metadata.source)
