"""What a run writes and deletes after its commit."""

from collections.abc import Iterator
from datetime import timedelta

from checkpoint_core._committing.commit import delete_old_ledgers
from checkpoint_core._committing.replacement import Replacement, Task
from checkpoint_format.errors import CheckpointError, StorageError
from checkpoint_format.rejects import Rejects, save_rejects, without_named
from checkpoint_format.withholding.listing import load_withheld, remember
from checkpoint_format.withholding.withheld import Withheld


def tidy(
    task: Task, result: Replacement, before: Rejects, after: Rejects, judged_by: Withheld
) -> Iterator[str]:
    """Write the rejects, remember what was withheld, delete old ledgers; yield what failed.

    All of it comes after the commit and no data depends on it, so it cannot fail a run.
    """
    store, host, withheld = task.store, task.host, result.snapshot.withheld
    # Empty ones are written with a commit, so that they can be told from those that are lost.
    is_first = before.absent and result.committed is not None
    try:
        if before.differs(after) or is_first:
            _save(task, after)
    except CheckpointError as error:
        yield f"the rejects could not be written: {error}"
    try:
        # By a list that came in between, something else may be withheld.
        if withheld.revision == judged_by.revision:
            remember(store, host, withheld, result.judgement.withheld)
    except CheckpointError as error:
        yield f"what was withheld could not be remembered, and is read again: {error}"
    try:
        if result.committed is not None:
            delete_old_ledgers(
                store,
                result.committed.metadata,
                now=task.started_at,
                retention=timedelta(days=task.settings.ledger_retention_days),
            )
    except StorageError as error:
        yield f"old ledgers could not be deleted: {error}"


def _save(task: Task, rejects: Rejects) -> None:
    """Write the rejects without those whom the list in force withholds; raises CheckpointError.

    A removal writes the list, and the rejects anew after it. So whoever of both is last has seen
    the list: looks again, and writes again where it has changed meanwhile.
    """
    withheld, _ = load_withheld(task.store)
    while True:
        left = without_named(rejects, withheld)
        save_rejects(task.store, task.host.workdir, left, source=task.source)
        by, (withheld, _) = withheld, load_withheld(task.store)
        if withheld.revision == by.revision:
            break
