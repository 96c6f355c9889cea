"""Rebuilding a checkpoint from the source alone, and putting a rewritten one in force.

Whatever is there is replaced and kept under `_previous/`. A lost race is not begun again: somebody
else is at work, and a person should look.
"""

import polars as pl
from msgspec import Struct, structs

from checkpoint_core._adopting.claims import NONE_ADOPTED
from checkpoint_core._adopting.pairing import pair
from checkpoint_core._adopting.predecessor import Predecessor
from checkpoint_core._committing.commit import commit
from checkpoint_core._committing.merge import NO_ROWS, in_arrival_order
from checkpoint_core._committing.preparation import Base, Commit, prepare
from checkpoint_core._committing.replacement import Replacement, Task, new_commit
from checkpoint_core._committing.row_changes import RowChanges
from checkpoint_core._files.layout import LEDGER_SCHEMA, Names
from checkpoint_core._files.ledger import NO_LEDGER
from checkpoint_core._files.ledger_changes import updates
from checkpoint_core._judging.judgement import Judgement
from checkpoint_core.errors import CommitConflictError, WouldLoseRowsError


class Plan(Struct, frozen=True, kw_only=True):
    """What the new pair is made of: rows to merge with, judged objects, and the whole ledger.

    `adopted` are the rejects of objects that enter the ledger unread.
    """

    base: Base
    changes: RowChanges
    changed: pl.DataFrame
    adopted: pl.DataFrame


def rebuild(predecessor: Predecessor, judgement: Judgement, task: Task) -> Replacement:
    """Make the checkpoint of what the source yields now, and of nothing else.

    Raises WouldLoseRowsError unless every existing row is found again or the loss is accepted.
    """
    _refuse_loss(predecessor, judgement, task)
    particulars = commit_after(predecessor, task)
    accepted = judgement.accepted
    plan = Plan(
        base=Base(file=None, rows=NO_ROWS, ledger=NO_LEDGER, lineage=predecessor.lineage),
        changes=RowChanges(
            judgement=judgement,
            claimed=accepted.clear(),
            added=accepted.select(pl.lit(None).alias("row")).clear(),
            upgraded=accepted.select("key").clear(),
            adopted=NONE_ADOPTED,
        ),
        changed=updates(
            accepted,
            judgement.touched,
            LEDGER_SCHEMA.to_frame(),
            commit_id=particulars.commit_id,
            event_format=task.settings.event_format,
        ),
        adopted=judgement.rejected.clear(),
    )
    return rewrite(plan, predecessor, particulars, task)


def rewrite(plan: Plan, predecessor: Predecessor, particulars: Commit, task: Task) -> Replacement:
    """Write what was planned, and keep what was there; a dry run only says what would come of it.

    Raises CommitConflictError when another run is first.
    """
    store, host, changes = task.store, task.host, plan.changes
    accepted = changes.judgement.accepted
    result = Replacement(
        committed=None,
        rows=plan.base.rows.count + accepted.height,
        snapshot=predecessor.snapshot,
        judgement=changes.judgement,
        deferred=accepted.select("key").clear(),
        upgraded=changes.upgraded,
        adopted=plan.adopted,
    )
    is_nothing = (
        predecessor.original is None and predecessor.existing is None and accepted.is_empty()
    )
    if is_nothing or task.request.dry_run:
        return result
    with host.observer.stage("merge"):
        prepared = prepare(
            plan.base,
            accepted,
            plan.changed,
            particulars,
            replaced=LEDGER_SCHEMA.to_frame(),
            added=changes.added,
            workdir=host.workdir,
        )
    with host.observer.stage("commit"):
        if predecessor.original is not None:
            kept = Names(store.checkpoint_name).replaced(particulars.commit_id)
            store.put(kept, predecessor.original)
        if not commit(store, prepared, etag=predecessor.snapshot.etag, host=host):
            raise CommitConflictError(store.location, 1)
    return structs.replace(result, committed=prepared)


def commit_after(predecessor: Predecessor, task: Task) -> Commit:
    """Return what is particular to the commit that rewrites what is there."""
    return new_commit(task, predecessor.snapshot.generation + 1, task.run_id)


def _refuse_loss(predecessor: Predecessor, judgement: Judgement, task: Task) -> None:
    if task.request.allow_loss:
        return
    if predecessor.existing is not None:
        arrived = in_arrival_order(judgement.accepted)
        pairs = pair(predecessor.existing.file, arrived, task.settings.event_format)
        lost = predecessor.existing.rows - pairs.height
        if lost:
            raise WouldLoseRowsError(task.store.location, lost)
    elif predecessor.original is not None or predecessor.snapshot.generation > 1:
        raise WouldLoseRowsError(task.store.location, None)
