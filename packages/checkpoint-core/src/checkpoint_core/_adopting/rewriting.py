"""Rebuilding a checkpoint from the source alone, and putting a rewritten one in force.

Whatever is there is replaced and kept under `_previous/`. A lost race is not begun again: somebody
else is at work, and a person should look.
"""

import polars as pl
from msgspec import structs

from checkpoint_core._adopting.pairing import pair
from checkpoint_core._adopting.predecessor import Predecessor
from checkpoint_core._committing.commit import commit
from checkpoint_core._committing.preparation import Base
from checkpoint_core._committing.replacement import Replacement, Task, prepare_changes
from checkpoint_core._committing.row_changes import RowChanges
from checkpoint_core._judging.accepted import in_arrival_order
from checkpoint_core._judging.ends import Judgement
from checkpoint_core.errors import CommitConflictError, WouldLoseRowsError
from checkpoint_format.layout import LEDGER_SCHEMA
from checkpoint_format.ledger import NO_LEDGER
from checkpoint_format.merge import NO_ROWS
from checkpoint_format.names import Names
from checkpoint_format.unclaimed import NONE_ADOPTED


def rebuild(predecessor: Predecessor, judgement: Judgement, task: Task) -> Replacement:
    """Make the checkpoint of what the source yields now, and of nothing else.

    Raises WouldLoseRowsError unless every existing row is found again or the loss is accepted.
    """
    _refuse_loss(predecessor, judgement, task)
    none = judgement.accepted.none()
    base = Base(
        file=None,
        rows=NO_ROWS,
        ledger=NO_LEDGER,
        lineage=predecessor.lineage,
        withheld=predecessor.snapshot.withheld.revision,
    )
    changes = RowChanges(
        judgement=judgement,
        claimed=none,
        added=none.select(pl.lit(None).alias("row")),
        upgraded=none.select("key"),
        adopted=NONE_ADOPTED,
    )
    return rewrite(base, changes, judgement.rejected.clear(), predecessor, task)


def rewrite(
    base: Base, changes: RowChanges, adopted: pl.DataFrame, predecessor: Predecessor, task: Task
) -> Replacement:
    """Write the rows of the base, changed, and a whole ledger; keep what was there.

    `adopted` are the rejects of objects that enter the ledger unread. A dry run only says what
    would come of it. Raises CommitConflictError when another run is first.
    """
    store, snapshot = task.store, predecessor.snapshot
    accepted = changes.judgement.accepted
    result = Replacement(
        committed=None,
        rows=base.rows.count + accepted.height,
        snapshot=snapshot,
        judgement=changes.judgement,
        deferred=adopted.select("key").clear(),
        upgraded=changes.upgraded,
        adopted=adopted,
    )
    is_nothing = (
        predecessor.original is None and predecessor.existing is None and not accepted.height
    )
    if is_nothing or task.request.dry_run:
        return result
    with task.host.observer.stage("merge"):
        prepared = prepare_changes(
            base,
            changes,
            task,
            generation=snapshot.generation + 1,
            unique=task.run_id,
            entries=LEDGER_SCHEMA.to_frame(),
            adopted=adopted,
        )
    with task.host.observer.stage("commit"):
        if predecessor.original is not None:
            kept = Names(store.checkpoint_name).replaced(prepared.metadata.commit_id)
            store.put(kept, predecessor.original)
        if not commit(store, prepared, etag=snapshot.etag, host=task.host):
            raise CommitConflictError(store.location, 1)
    return structs.replace(result, committed=prepared)


def _refuse_loss(predecessor: Predecessor, judgement: Judgement, task: Task) -> None:
    if task.request.allow_loss:
        return
    if predecessor.existing is not None:
        arrived = in_arrival_order(judgement.accepted.collect())
        pairs = pair(predecessor.existing.file, arrived, task.settings.event_format)
        lost = predecessor.existing.rows - pairs.height
        if lost:
            raise WouldLoseRowsError(task.store.location, lost)
    elif predecessor.original is not None or predecessor.snapshot.generation > 1:
        raise WouldLoseRowsError(task.store.location, None)
