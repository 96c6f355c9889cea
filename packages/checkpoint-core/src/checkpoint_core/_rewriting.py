"""Adopting a checkpoint that has no ledger, and rebuilding one from the source alone.

Both replace whatever is there, keep the replaced file under `_previous/`, and do not begin again
after a lost race: somebody else is at work, and a person should look.
"""

from pathlib import Path
from typing import Final

import polars as pl
from msgspec import Struct, structs

from checkpoint_core._commit import commit
from checkpoint_core._existing import Existing, match, normalize
from checkpoint_core._judgement import Judge, Judgement
from checkpoint_core._layout import (
    LEDGER_SCHEMA,
    CheckpointMetadata,
    DamagedFileError,
    Names,
    event_schema,
    new_commit_id,
)
from checkpoint_core._ledger import NO_LEDGER, updates
from checkpoint_core._merge import NO_ROWS, in_arrival_order, measure
from checkpoint_core._naming import name_time
from checkpoint_core._parquet import read_all, scan
from checkpoint_core._preparation import Base, Commit, prepare
from checkpoint_core._replacement import Replacement, Task, refuse_mismatch
from checkpoint_core._snapshot import (
    NOTHING,
    Snapshot,
    latest_generation,
    load,
    load_digests,
    own_metadata,
)
from checkpoint_core.errors import (
    AdoptionIncompleteError,
    ChangedWhileReadingError,
    CommitConflictError,
    CorruptCheckpointError,
    MissingLedgerError,
    NothingToAdoptError,
    WouldLoseRowsError,
)
from checkpoint_core.stores import CheckpointStore, Host

_EXAMPLES: Final = 5


class Ground(Struct, frozen=True, kw_only=True):
    """What is there before it is rewritten.

    `original` is the file as it is, None where there is none; `existing` its rows, None where they
    cannot be read. `snapshot` has its etag, and an empty ledger.
    """

    original: Path | None
    existing: Existing | None
    snapshot: Snapshot
    lineage: tuple[str, ...]


def find_ground(store: CheckpointStore, task: Task, host: Host) -> Ground:
    """Pin what is there; raises where adoption or rebuilding makes no sense, changes nothing."""
    adopting = task.request.mode == "adopt"
    tail = store.read_tail(store.checkpoint_name, 1)
    generation = latest_generation(store)
    if tail is None:
        if adopting:
            raise NothingToAdoptError(store.location, "there is no checkpoint")
        # A ledger of the first generation proves no checkpoint; one of the second would.
        nothing = structs.replace(NOTHING, generation=generation if generation > 1 else 0)
        return Ground(original=None, existing=None, snapshot=nothing, lineage=())
    original = host.workdir / "original.parquet"
    if not store.fetch(store.checkpoint_name, original, etag=tail.etag):
        message = f"{store.location}: it was removed meanwhile. Try again."
        raise ChangedWhileReadingError(message)
    metadata = _metadata(store, original)
    refuse_mismatch(metadata, task, store.location)
    if adopting and metadata is not None and metadata.source == task.source:
        _refuse_sound_pair(store, original, host)
    if metadata is not None:
        generation = max(generation, metadata.generation)
    return Ground(
        original=original,
        existing=_existing(store, original, metadata, task, host),
        snapshot=structs.replace(
            NOTHING, etag=tail.etag, size_bytes=tail.size_bytes, generation=generation
        ),
        lineage=metadata.lineage if metadata else (),
    )


def adopt(
    store: CheckpointStore,
    ground: Ground,
    judgement: Judgement,
    judge: Judge,
    *,
    task: Task,
    host: Host,
) -> Replacement:
    """Give the existing rows a ledger, and append what they do not hold yet.

    Existing rows are subtracted from those that arrived as a multiset: no row is lost, none comes
    twice. Archived objects whose names are not later than the last row enter as adopted.
    Raises AdoptionIncompleteError when other objects could not be read.
    """
    existing = ground.existing
    assert existing is not None  # noqa: S101 - find_ground refuses to adopt anything else
    outcome = pl.col("outcome")
    unread = judgement.rejected.filter(outcome.is_in(["unreadable", "denied"]))
    if unread.height:
        first = unread.sort("key").head(_EXAMPLES)
        keys, reason = tuple(first["key"]), first["reason"][0]
        raise AdoptionIncompleteError(store.location, unread.height, keys, reason)
    rows = measure(existing.file, task.settings.event_format)
    matching = match(scan(existing.file), existing.columns, in_arrival_order(judgement.accepted))
    kept, excluded = judge.exclude(matching.unmatched)
    # A name's time is in its event's own offset, so it may be up to twelve hours behind UTC.
    latest = name_time(task.settings.event_format) + pl.duration(hours=12)
    old = (outcome == "archived") & (latest <= pl.lit(rows.last))
    adopted = judgement.rejected.filter(old)
    known = Judgement(
        accepted=pl.concat([matching.matched, kept]),
        touched=judgement.touched.clear(),
        rejected=judgement.rejected.clear(),
        before_cutoff=0,
    )
    particulars = _particulars(ground, task, host)
    entered = updates(known, NO_LEDGER.entries(known.accepted), commit_id=particulars.commit_id)
    plan = _Plan(
        base=Base(
            file=existing.file,
            rows=rows,
            adopted_rows=existing.rows - matching.matched.height,
            ledger=NO_LEDGER,
            lineage=ground.lineage,
        ),
        judgement=Judgement(
            accepted=kept,
            touched=matching.matched.select(judgement.touched.columns),
            rejected=pl.concat(
                [judgement.rejected.join(adopted.select("key"), on="key", how="anti"), excluded]
            ),
            before_cutoff=0,
        ),
        changed=pl.concat([entered, _adopted_entries(adopted, particulars.commit_id)]).sort("key"),
        adopted=adopted,
    )
    return _rewrite(plan, ground, particulars, store=store, task=task, host=host)


def rebuild(
    store: CheckpointStore, ground: Ground, judgement: Judgement, *, task: Task, host: Host
) -> Replacement:
    """Make the checkpoint of what the source yields now, and of nothing else.

    Raises WouldLoseRowsError unless every existing row is found again or the loss is accepted.
    """
    _refuse_loss(store, ground, judgement, task)
    particulars = _particulars(ground, task, host)
    nothing_known = NO_LEDGER.entries(judgement.accepted)
    plan = _Plan(
        base=Base(
            file=None, rows=NO_ROWS, adopted_rows=0, ledger=NO_LEDGER, lineage=ground.lineage
        ),
        judgement=judgement,
        changed=updates(judgement, nothing_known, commit_id=particulars.commit_id),
        adopted=judgement.rejected.clear(),
    )
    return _rewrite(plan, ground, particulars, store=store, task=task, host=host)


class _Plan(Struct, frozen=True, kw_only=True):
    """What the new pair is made of: rows to merge with, judged objects, and the whole ledger."""

    base: Base
    judgement: Judgement
    changed: pl.DataFrame
    adopted: pl.DataFrame


def _rewrite(
    plan: _Plan,
    ground: Ground,
    particulars: Commit,
    *,
    store: CheckpointStore,
    task: Task,
    host: Host,
) -> Replacement:
    accepted = plan.judgement.accepted
    result = Replacement(
        committed=None,
        rows=plan.base.rows.count + accepted.height,
        snapshot=ground.snapshot,
        judgement=plan.judgement,
        deferred=accepted.select("key").clear(),
        adopted=plan.adopted,
    )
    nothing_at_all = ground.original is None and accepted.is_empty()
    if nothing_at_all or task.request.dry_run:
        return result
    with host.observer.stage("merge"):
        prepared = prepare(
            plan.base,
            accepted,
            plan.changed,
            particulars,
            replaced=LEDGER_SCHEMA.to_frame(),
            workdir=host.workdir,
        )
    names = Names(store.checkpoint_name)
    with host.observer.stage("commit"):
        if ground.original is not None:
            store.put(names.replaced(particulars.commit_id), ground.original)
        if not commit(store, prepared, etag=ground.snapshot.etag, host=host):
            raise CommitConflictError(store.location, 1)
    return result.after(prepared)


def _particulars(ground: Ground, task: Task, host: Host) -> Commit:
    generation = ground.snapshot.generation + 1
    return Commit(
        commit_id=new_commit_id(generation, task.run_id),
        generation=generation,
        source=task.source,
        committed_at=host.now(),
        settings=task.settings,
    )


def _adopted_entries(adopted: pl.DataFrame, commit_id: str) -> pl.DataFrame:
    nulls = [
        pl.lit(None, LEDGER_SCHEMA[name]).alias(name)
        for name in ("digest", "timestamp", "pipeline_adcid", "ptid")
    ]
    return (
        adopted.select("key", "etag", "size", "last_modified")
        .with_columns(
            *nulls,
            versions=pl.lit(0, LEDGER_SCHEMA["versions"]),
            state=pl.lit("adopted"),
            commit_id=pl.lit(commit_id),
        )
        .select(LEDGER_SCHEMA.names())
    )


def _refuse_sound_pair(store: CheckpointStore, original: Path, host: Host) -> None:
    try:
        load(store, host.workdir).check(original)
        read_all(original)
    except (MissingLedgerError, CorruptCheckpointError, DamagedFileError):
        return
    raise NothingToAdoptError(store.location, "it has a ledger already")


def _metadata(store: CheckpointStore, original: Path) -> CheckpointMetadata | None:
    """Read what the file says about itself; None where it is not ours or cannot be read."""
    try:
        return own_metadata(store, original)
    except (MissingLedgerError, CorruptCheckpointError):
        return None


def _existing(
    store: CheckpointStore,
    original: Path,
    metadata: CheckpointMetadata | None,
    task: Task,
    host: Host,
) -> Existing | None:
    schema = event_schema(task.settings.event_format)
    digests = load_digests(store, metadata.commit_id, host.workdir) if metadata else None
    try:
        if digests:
            digests.check_checkpoint(original)
        return normalize(original, host.workdir / "existing.parquet", schema)
    except DamagedFileError as error:
        if task.request.mode == "adopt":
            problem = str(error) or "is not a whole Parquet file"
            raise CorruptCheckpointError(store.location, problem) from error
        return None


def _refuse_loss(store: CheckpointStore, ground: Ground, judgement: Judgement, task: Task) -> None:
    if task.request.allow_loss:
        return
    if ground.existing is not None:
        existing = ground.existing
        arrived = in_arrival_order(judgement.accepted)
        matching = match(scan(existing.file), existing.columns, arrived)
        lost = ground.existing.rows - matching.matched.height
        if lost:
            raise WouldLoseRowsError(store.location, lost)
    elif ground.original is not None or ground.snapshot.generation > 1:
        raise WouldLoseRowsError(store.location, None)
