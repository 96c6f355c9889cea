"""From judged objects to the next checkpoint: merge, commit, begin again after a lost race."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import polars as pl
from msgspec import Struct, structs

from checkpoint_core._adopting.claims import claim
from checkpoint_core._committing.commit import Prepared, commit
from checkpoint_core._committing.preparation import Base, Commit, prepare
from checkpoint_core._committing.row_changes import RowChanges, find_row_changes, lacking
from checkpoint_core._judging.ends import Judgement
from checkpoint_core._removing.withholding import withhold
from checkpoint_core.errors import CommitConflictError, FormatDowngradeError, SourceChangedError
from checkpoint_core.settings import Request, Settings
from checkpoint_format.errors import ChangedWhileReadingError, MissingCheckpointError, StorageError
from checkpoint_format.event_columns import event_schema
from checkpoint_format.layout import LEDGER_SCHEMA, CheckpointMetadata, DamagedFileError
from checkpoint_format.ledger import NO_LEDGER
from checkpoint_format.ledger_changes import ACCEPTED_COLUMNS, adopted_entries, updates
from checkpoint_format.merge import NO_ROWS, Rows
from checkpoint_format.names import new_commit_id
from checkpoint_format.parquet import read_schema
from checkpoint_format.snapshot import Snapshot, fetch_rows
from checkpoint_format.stores import CheckpointStore, Host, back_off
from checkpoint_format.withholding.applying import load_reduced


class Task(Struct, frozen=True, kw_only=True):
    """One run's own particulars: what is asked of it, and where; `source` is where objects are."""

    run_id: str
    started_at: datetime
    source: str
    store: CheckpointStore
    host: Host
    settings: Settings
    request: Request


class Replacement(Struct, frozen=True, kw_only=True):
    """How it went: what was committed (None: there was nothing to commit), and of what.

    `judgement` is what is now in force; `deferred` has the keys that were given up on the way,
    because another run changed their ledger rows first; `upgraded` the keys of objects of which a
    row was filled, which are among the touched; `adopted` the rejects of objects that entered the
    ledger unread. `rows` is the number of rows that the checkpoint has now; in a dry
    run, would have. `snapshot` is what was built on.
    """

    committed: Prepared | None
    rows: int
    snapshot: Snapshot
    judgement: Judgement
    deferred: pl.DataFrame
    upgraded: pl.DataFrame
    adopted: pl.DataFrame


def refuse_mismatch(metadata: CheckpointMetadata | None, task: Task) -> None:
    """Raise unless the checkpoint may be continued from this source in this format."""
    if metadata is None:
        return
    location, wanted = task.store.location, task.settings.event_format
    if metadata.source != task.source and not task.request.accept_source_change:
        raise SourceChangedError(location, metadata.source, task.source)
    if metadata.event_format > wanted:
        raise FormatDowngradeError(location, str(metadata.event_format), str(wanted))


class Judged(Struct, frozen=True, kw_only=True):
    """Objects that were judged, and what was known of them when they were selected.

    `entries` are the ledger's rows of their keys.
    """

    judgement: Judgement
    entries: pl.DataFrame

    @property
    def has_work(self) -> bool:
        """Whether anything has to be written because of them."""
        judgement = self.judgement
        parts = (judgement.accepted, judgement.touched, judgement.reread)
        return any(part.height for part in parts)


def replace(snapshot: Snapshot, judged: Judged, task: Task) -> Replacement:
    """Merge what was judged into the checkpoint in force, and commit it.

    When another run commits first, its result is loaded, keys whose rows it changed are given up
    (only a new listing can tell what is newest), and the rest is merged again, a bounded number of
    times: claims and filled rows are looked for anew in what is then in force.
    Raises CommitConflictError after the last.
    """
    store, host = task.store, task.host
    deferred = judged.judgement.touched.select("key").clear()
    for attempt in range(task.settings.commit_attempts):
        moved = snapshot.metadata is not None and snapshot.metadata.source != task.source
        is_due = judged.has_work or moved or snapshot.reduced is not None
        with suppress(ChangedWhileReadingError):
            if task.request.dry_run or not is_due:
                changes, _ = _changes(snapshot, judged, task, attempt, with_rows=False)
                return _result(snapshot, changes, deferred, None)
            with host.observer.stage("merge"):
                changes, prepared = _prepare(snapshot, judged, task, attempt)
            with host.observer.stage("commit"):
                if commit(store, prepared, etag=snapshot.etag, host=host):
                    return _result(snapshot, changes, deferred, prepared)
        back_off(host, attempt)
        before = snapshot.generation
        snapshot = load_reduced(store, host.workdir)
        if before and snapshot.metadata is None:
            raise MissingCheckpointError(store.location, before)
        refuse_mismatch(snapshot.metadata, task)
        changed = _changed_since(judged.entries, snapshot, judged.judgement)
        deferred = pl.concat([deferred, changed])
        left = withhold(judged.judgement.without(changed), snapshot.withheld)
        judged = structs.replace(judged, judgement=left)
    raise CommitConflictError(store.location, task.settings.commit_attempts)


def _result(
    snapshot: Snapshot, changes: RowChanges, deferred: pl.DataFrame, committed: Prepared | None
) -> Replacement:
    return Replacement(
        committed=committed,
        rows=snapshot.rows + changes.judgement.accepted.height,
        snapshot=snapshot,
        judgement=changes.judgement,
        deferred=deferred,
        upgraded=changes.upgraded,
        adopted=changes.judgement.rejected.clear(),
    )


def _changes(
    snapshot: Snapshot, judged: Judged, task: Task, attempt: int, *, with_rows: bool
) -> tuple[RowChanges, Path | None]:
    """Find out what becomes of the rows in force, and return these `with_rows`, or where needed.

    Raises ChangedWhileReadingError if they were replaced.
    """
    judgement, event_format = judged.judgement, task.settings.event_format
    file = _fetch(snapshot, task, attempt) if with_rows else None
    claims = claim(
        task.store,
        snapshot,
        judgement.accepted,
        entries=judged.entries,
        event_format=event_format,
        workdir=task.host.workdir,
    )
    if not with_rows and lacking(judgement, claims).height:
        file = _fetch(snapshot, task, attempt)
    changes = find_row_changes(
        judgement, claims, file, entries=judged.entries, event_format=event_format
    )
    return changes, file


def _prepare(
    snapshot: Snapshot, judged: Judged, task: Task, attempt: int
) -> tuple[RowChanges, Prepared]:
    """Prepare a commit on this snapshot; raises ChangedWhileReadingError if it was replaced."""
    changes, file = _changes(snapshot, judged, task, attempt, with_rows=True)
    prepared = prepare_changes(
        _base(snapshot, file, changes),
        changes,
        task,
        generation=snapshot.generation + 1,
        unique=task.run_id if attempt == 0 else f"{task.run_id}-{attempt}",
        # What is still judged has the ledger rows that it had at selection.
        entries=judged.entries,
        adopted=changes.judgement.rejected.clear(),
    )
    return changes, prepared


def prepare_changes(
    base: Base,
    changes: RowChanges,
    task: Task,
    *,
    generation: int,
    unique: str,
    entries: pl.DataFrame,
    adopted: pl.DataFrame,
) -> Prepared:
    """Prepare the commit that makes these changes; raises DamagedFileError.

    `entries` are the ledger's present rows of the judged keys; `adopted` the rejects of objects
    that enter the ledger unread.
    """
    particulars = Commit(
        commit_id=new_commit_id(generation, unique),
        generation=generation,
        source=task.source,
        committed_at=task.host.now(),
        settings=task.settings,
    )
    judgement = changes.judgement
    known = updates(
        pl.concat(
            [
                judgement.accepted.select(*ACCEPTED_COLUMNS),
                changes.claimed.select(*ACCEPTED_COLUMNS),
            ]
        ),
        judgement.touched.join(changes.claimed, on="key", how="anti"),
        entries,
        commit_id=particulars.commit_id,
        event_format=task.settings.event_format,
    )
    changed = pl.concat([known, adopted_entries(adopted, particulars.commit_id)]).sort("key")
    if (changed["key"] == changed["key"].shift()).any():
        message = f"{task.source}: an object was read more than once. Nothing was changed."
        raise StorageError(message)
    return prepare(
        base,
        judgement.accepted,
        changed,
        particulars,
        replaced=entries.join(changed, on="key", how="semi"),
        added=changes.added,
        workdir=task.host.workdir,
    )


def _base(snapshot: Snapshot, file: Path | None, changes: RowChanges) -> Base:
    metadata = snapshot.metadata
    revision = snapshot.withheld.revision
    if metadata is None:
        return Base(file=None, rows=NO_ROWS, ledger=NO_LEDGER, lineage=(), withheld=revision)
    return Base(
        withheld=revision,
        balance=metadata.balance,
        file=file,
        rows=Rows(metadata.rows, metadata.first_timestamp, metadata.last_timestamp),
        adopted=changes.adopted,
        ledger=snapshot.ledger,
        digests=snapshot.digests,
        lineage=metadata.lineage,
    )


def _fetch(snapshot: Snapshot, task: Task, attempt: int) -> Path | None:
    """Fetch the rows in force; raises ChangedWhileReadingError if they were replaced."""
    metadata, store = snapshot.metadata, task.store
    if metadata is None:
        return None
    if snapshot.reduced:
        return snapshot.reduced.rows
    file = fetch_rows(store, snapshot, task.host.workdir / f"previous-{attempt}.parquet")
    if read_schema(file) != event_schema(metadata.event_format):
        raise DamagedFileError(f"its columns are not those of event format {metadata.event_format}")
    return file


def _changed_since(entries: pl.DataFrame, now: Snapshot, judgement: Judgement) -> pl.DataFrame:
    """Return the judged keys whose ledger rows are not what they were at selection."""
    judged = judgement.keys()
    present = now.ledger.entries(judged)
    columns = LEDGER_SCHEMA.names()
    new = present.join(entries, on=columns, how="anti", nulls_equal=True)
    gone = entries.join(judged, on="key", how="semi").join(
        present, on=columns, how="anti", nulls_equal=True
    )
    return pl.concat([new.select("key"), gone.select("key")]).unique()
