"""From judged objects to the next checkpoint: merge, commit, begin again after a lost race."""

from contextlib import suppress

import polars as pl
from msgspec import Struct, structs

from checkpoint_core._commit import Prepared, back_off, commit
from checkpoint_core._judgement import Judgement
from checkpoint_core._layout import (
    LEDGER_SCHEMA,
    CheckpointMetadata,
    DamagedFileError,
    event_schema,
    new_commit_id,
)
from checkpoint_core._ledger import NO_LEDGER, updates
from checkpoint_core._merge import NO_ROWS, Rows
from checkpoint_core._parquet import read_schema
from checkpoint_core._preparation import Base, Commit, prepare
from checkpoint_core._snapshot import Snapshot, load
from checkpoint_core.errors import (
    ChangedWhileReadingError,
    CommitConflictError,
    FormatDowngradeError,
    MissingCheckpointError,
    SourceChangedError,
)
from checkpoint_core.settings import Request, Settings
from checkpoint_core.stores import CheckpointStore, Host


class Task(Struct, frozen=True, kw_only=True):
    """One run's own particulars."""

    run_id: str
    source: str
    settings: Settings
    request: Request


class Replacement(Struct, frozen=True, kw_only=True):
    """How it went: what was committed (None: there was nothing to commit), and of what.

    `judgement` is what is now in force; `deferred` has the keys that were given up on the way,
    because another run changed their ledger rows first; `adopted` the rejects of objects that
    entered the ledger unread. `rows` is the number of rows that the checkpoint has now; in a dry
    run, would have. `snapshot` is what was built on.
    """

    committed: Prepared | None
    rows: int
    snapshot: Snapshot
    judgement: Judgement
    deferred: pl.DataFrame
    adopted: pl.DataFrame

    def after(self, committed: Prepared) -> "Replacement":
        """Return the same, committed."""
        return structs.replace(self, committed=committed)


def refuse_mismatch(metadata: CheckpointMetadata | None, task: Task, location: str) -> None:
    """Raise unless the checkpoint may be continued from this source in this format."""
    if metadata is None:
        return
    if metadata.source != task.source and not task.request.accept_source_change:
        raise SourceChangedError(location, metadata.source, task.source)
    if metadata.event_format > task.settings.event_format:
        raise FormatDowngradeError(
            location, str(metadata.event_format), str(task.settings.event_format)
        )


def replace(
    store: CheckpointStore,
    snapshot: Snapshot,
    judgement: Judgement,
    *,
    entries: pl.DataFrame,
    task: Task,
    host: Host,
) -> Replacement:
    """Merge what was judged into the checkpoint in force, and commit it.

    `entries` are the ledger's rows of the judged keys at the time of selection. When another run
    commits first, its result is loaded, keys whose rows it changed are given up (only a new listing
    can tell what is newest), and the rest is merged again, a bounded number of times.
    Raises CommitConflictError after the last.
    """
    deferred = judgement.touched.select("key").clear()
    for attempt in range(task.settings.commit_attempts):
        result = Replacement(
            committed=None,
            rows=snapshot.rows + judgement.accepted.height,
            snapshot=snapshot,
            judgement=judgement,
            deferred=deferred,
            adopted=judgement.rejected.clear(),
        )
        if task.request.dry_run or not _has_work(snapshot, judgement, task):
            return result
        with suppress(ChangedWhileReadingError):
            with host.observer.stage("merge"):
                prepared = _prepare(
                    store, snapshot, judgement, entries, task=task, host=host, attempt=attempt
                )
            with host.observer.stage("commit"):
                if commit(store, prepared, etag=snapshot.etag, host=host):
                    return result.after(prepared)
        back_off(host, attempt)
        before = snapshot.generation
        snapshot = load(store, host.workdir)
        if before and snapshot.metadata is None:
            raise MissingCheckpointError(store.location, before)
        refuse_mismatch(snapshot.metadata, task, store.location)
        changed = _changed_since(entries, snapshot, judgement)
        deferred = pl.concat([deferred, changed])
        judgement = judgement.without(changed)
    raise CommitConflictError(store.location, task.settings.commit_attempts)


def _has_work(snapshot: Snapshot, judgement: Judgement, task: Task) -> bool:
    moved = snapshot.metadata is not None and snapshot.metadata.source != task.source
    return moved or judgement.accepted.height > 0 or judgement.touched.height > 0


def _prepare(
    store: CheckpointStore,
    snapshot: Snapshot,
    judgement: Judgement,
    entries: pl.DataFrame,
    *,
    task: Task,
    host: Host,
    attempt: int,
) -> Prepared:
    """Prepare a commit on this snapshot; raises ChangedWhileReadingError if it was replaced."""
    base = _base(store, snapshot, host, attempt)
    unique = task.run_id if attempt == 0 else f"{task.run_id}-{attempt}"
    particulars = Commit(
        commit_id=new_commit_id(snapshot.generation + 1, unique),
        generation=snapshot.generation + 1,
        source=task.source,
        committed_at=host.now(),
        settings=task.settings,
    )
    # What is still judged has the ledger rows that it had at selection.
    changed = updates(judgement, entries, commit_id=particulars.commit_id)
    replaced = entries.join(changed, on="key", how="semi")
    return prepare(
        base, judgement.accepted, changed, particulars, replaced=replaced, workdir=host.workdir
    )


def _base(store: CheckpointStore, snapshot: Snapshot, host: Host, attempt: int) -> Base:
    metadata = snapshot.metadata
    if metadata is None:
        return Base(file=None, rows=NO_ROWS, adopted_rows=0, ledger=NO_LEDGER, lineage=())
    file = host.workdir / f"previous-{attempt}.parquet"
    if not store.fetch(store.checkpoint_name, file, etag=snapshot.etag):
        message = f"{store.location}: it was removed"
        raise ChangedWhileReadingError(message)
    snapshot.check(file)
    if read_schema(file) != event_schema(metadata.event_format):
        problem = f"its columns are not those of event format {metadata.event_format}"
        raise DamagedFileError(problem)
    return Base(
        file=file,
        rows=Rows(metadata.rows, metadata.first_timestamp, metadata.last_timestamp),
        adopted_rows=metadata.adopted_rows,
        ledger=snapshot.ledger,
        lineage=metadata.lineage,
    )


def _changed_since(entries: pl.DataFrame, now: Snapshot, judgement: Judgement) -> pl.DataFrame:
    """Return the judged keys whose ledger rows are not what they were at selection."""
    judged = pl.concat(
        [part.select("key") for part in (judgement.accepted, judgement.touched, judgement.rejected)]
    )
    present = now.ledger.entries(judged)
    columns = LEDGER_SCHEMA.names()
    new = present.join(entries, on=columns, how="anti", nulls_equal=True)
    gone = entries.join(judged, on="key", how="semi").join(
        present, on=columns, how="anti", nulls_equal=True
    )
    return pl.concat([new.select("key"), gone.select("key")]).unique()
