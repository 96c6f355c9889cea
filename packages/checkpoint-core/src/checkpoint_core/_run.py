"""One run: list, select, read, judge, merge, commit, report. At most one commit."""

from datetime import timedelta
from typing import Final

import polars as pl
from msgspec import structs

from checkpoint_core._adopting.adopting import adopt
from checkpoint_core._adopting.predecessor import find_predecessor
from checkpoint_core._adopting.rewriting import rebuild
from checkpoint_core._adopting.upgrading import portion, without_unread
from checkpoint_core._committing.replacement import (
    Judged,
    Replacement,
    Task,
    refuse_mismatch,
    replace,
)
from checkpoint_core._judging.ends import joined
from checkpoint_core._judging.judgement import Judge
from checkpoint_core._judging.reading import Taken, read_and_judge, tell_selected
from checkpoint_core._judging.rules import JudgingRules
from checkpoint_core._judging.selection import Rules, Selection, select
from checkpoint_core._reporting import report
from checkpoint_core._tidying import tidy
from checkpoint_core.accounting import RunReport
from checkpoint_core.errors import EmptySourceError, NoProgressError, SourceChangedError
from checkpoint_core.readers import Reader, SourceReader
from checkpoint_core.settings import Request, Settings
from checkpoint_format.errors import StorageError
from checkpoint_format.event_columns import narrower_formats
from checkpoint_format.ledger import NO_LEDGER, Ledger
from checkpoint_format.rejects import (
    Rejects,
    load_rejects,
    next_rejects,
    next_unrecognized,
    without_named,
)
from checkpoint_format.snapshot import Snapshot, damage_told
from checkpoint_format.stores import CheckpointStore, Host, Source
from checkpoint_format.withholding.applying import load_reduced
from checkpoint_format.withholding.withheld import Withheld

__all__ = ["run"]

_RESTORES_EVERY: Final = timedelta(days=1)
_REJECTS_LOST: Final = "the rejects file could not be read; all rejected objects were judged again"


def run(
    source: Source,
    store: CheckpointStore,
    *,
    settings: Settings,
    request: Request,
    host: Host,
    reader: Reader | None = None,
) -> RunReport:
    """Bring the checkpoint up to date with the source, and account for every listed object.

    Guarantee: afterwards, however it ends, checkpoint and ledger are either the pair that was in
    force or a new one; rows are never lost and never taken twice, also when several runs are at
    work at once. What cannot be taken is in the rejects with a reason. Where nothing is new,
    nothing is written. All of this holds whoever reads: `reader`, or without one this process.

    Objects to which access was denied do not stop a run; the caller decides what `counts.denied`
    means. Raises a CheckpointError for everything that concerns the run as a whole.
    """
    with damage_told(store.location):
        task = Task(
            started_at=host.now(),
            run_id=host.new_id(),
            source=source.location,
            store=store,
            host=host,
            settings=settings,
            request=request,
        )
        usual = SourceReader(source, batch_objects=settings.batch_objects)
        return _Run(source, reader or usual, task).execute()


class _Run:
    """The steps of one run, each of which needs what the run was given."""

    def __init__(self, source: Source, reader: Reader, task: Task) -> None:
        self.source = source
        self.reader = reader
        self.task = task
        self.store = task.store
        self.host = task.host
        self.started_at = task.started_at
        self.rules = Rules.of(task.settings)

    def execute(self) -> RunReport:
        if self.task.request.mode == "incremental":
            return self._increment()
        return self._rewrite()

    def _judge_by(self, withheld: Withheld) -> None:
        """Judge by the list that was in force when the run looked."""
        self.judging = JudgingRules.of(
            self.task.settings,
            self.task.request,
            started_at=self.started_at,
            withheld=withheld,
        )

    def _increment(self) -> RunReport:
        with self.host.observer.stage("load"):
            snapshot = load_reduced(self.store, self.host.workdir)
            self._judge_by(snapshot.withheld)
            refuse_mismatch(snapshot.metadata, self.task)
            if snapshot.ledger.files:
                self.host.observer.note(ledger_bytes=snapshot.ledger.size_bytes)
            rejects = self._load_rejects()
        listing, listed_restores = self._list(rejects)
        if listing.is_empty() and snapshot.ledger.objects:
            self._refuse_empty(snapshot.ledger.objects)
        compared = self._compare(snapshot.ledger, listing)
        self._refuse_renamed(snapshot, compared)
        selection = self._select(compared, rejects.rows)
        # A listing of millions would stay in memory until the run ends.
        del listing, compared
        upgrades = portion(selection, self.task.settings)
        entries = snapshot.ledger.entries(pl.concat([selection.rewritten, upgrades.select("key")]))
        taken = self._read(selection, entries, upgrades)
        judged = Judged(judgement=taken.judgement, entries=entries)
        result = replace(snapshot, judged, self.task)
        return self._finish(selection, taken, result, rejects, listed_restores=listed_restores)

    def _rewrite(self) -> RunReport:
        with self.host.observer.stage("load"):
            predecessor = find_predecessor(self.task)
            self._judge_by(predecessor.snapshot.withheld)
            rejects = self._load_rejects()
        listing, listed_restores = self._list(rejects)
        if listing.is_empty() and (predecessor.original or predecessor.existing):
            self._refuse_empty(predecessor.existing.rows if predecessor.existing else 0)
        compared = self._compare(NO_LEDGER, listing)
        selection = self._select(compared, rejects.rows.clear())
        taken = self._read(selection, NO_LEDGER.entries(selection.rewritten), selection.upgradable)
        if taken.left.height:
            raise _no_progress(self.source.location, taken)
        if self.task.request.mode == "adopt":
            result = adopt(
                predecessor, taken.judgement, Judge(self.judging), rejects.rows, self.task
            )
        else:
            result = rebuild(predecessor, taken.judgement, self.task)
        return self._finish(selection, taken, result, rejects, listed_restores=listed_restores)

    def _load_rejects(self) -> Rejects:
        rejects = load_rejects(self.store, self.host.workdir, source=self.source.location)
        return without_named(rejects, self.judging.withheld)

    def _select(self, compared: pl.DataFrame, rejects: pl.DataFrame) -> Selection:
        withheld = self.judging.withheld
        return select(compared, rejects=rejects, rules=self.rules, withheld=withheld)

    def _list(self, rejects: Rejects) -> tuple[pl.DataFrame, bool]:
        """List the source; say whether restore states were asked for."""
        archived = (rejects.rows["outcome"] == "archived").any()
        last = rejects.restores_listed_at
        # A time to come is one that somebody's clock, or a damaged file, made up.
        is_due = last is None or not timedelta(0) <= self.started_at - last < _RESTORES_EVERY
        restores = self.task.request.list_restores or (archived and is_due)
        with self.host.observer.stage("list"):
            return self.source.list_objects(restore_states=restores), restores

    def _compare(self, ledger: Ledger, listing: pl.DataFrame) -> pl.DataFrame:
        """Compare; refuse a listing that has a key twice, because its rows would come twice."""
        narrower = narrower_formats(self.task.settings.event_format)
        compared = ledger.compare(listing, narrower=narrower)
        if (compared["key"] == compared["key"].shift()).any():
            message = (
                f"{self.source.location}: the listing has a key more than once. Nothing was read."
            )
            raise StorageError(message)
        return compared

    def _refuse_renamed(self, snapshot: Snapshot, compared: pl.DataFrame) -> None:
        """Refuse another source none of whose objects is known by its name."""
        metadata = snapshot.metadata
        if metadata is None or metadata.source == self.source.location:
            return
        if snapshot.ledger.objects and compared.height and not compared["is_known"].any():
            raise SourceChangedError(
                self.store.location, metadata.source, self.source.location, renamed=True
            )

    def _refuse_empty(self, objects: int) -> None:
        if not self.task.request.accept_empty_source:
            raise EmptySourceError(self.source.location, objects)

    def _read(self, selection: Selection, entries: pl.DataFrame, upgrades: pl.DataFrame) -> Taken:
        """Read what was selected, and if there is nothing left of it, what is to be upgraded."""
        observer, settings = self.host.observer, self.task.settings
        with observer.stage("validate"):
            with observer.stage("read"):
                whole = self.task.request.mode != "incremental"
                if upgrades.height:
                    # Before the first is read, of all that may be: whoever minds what fits.
                    tell_selected(observer, pl.concat([selection.to_read, upgrades]), settings)
                taken = self._take(selection.to_read, entries, whole=whole)
                if upgrades.height and not (taken.left.height or taken.out_of_time):
                    again = self._take(upgrades, entries, whole=True)
                    judgement = joined([taken.judgement, without_unread(again.judgement, entries)])
                    taken = structs.replace(taken, judgement=judgement)
                    tell_selected(observer, pl.concat([selection.to_read, upgrades]), settings)
            observer.note(
                accepted=taken.judgement.accepted.height,
                touched=taken.judgement.touched.height + taken.judgement.reread.height,
                rejected=taken.judgement.rejected.height,
            )
        if taken.out_of_time and not taken.is_progress:
            raise _no_progress(self.source.location, taken)
        return taken

    def _take(self, to_read: pl.DataFrame, entries: pl.DataFrame, *, whole: bool) -> Taken:
        return read_and_judge(
            self.reader,
            to_read,
            self.judging,
            where=self.source.location,
            entries=entries,
            settings=self.task.settings,
            host=self.host,
            whole=whole,
        )

    def _finish(
        self,
        selection: Selection,
        taken: Taken,
        result: Replacement,
        rejects: Rejects,
        *,
        listed_restores: bool,
    ) -> RunReport:
        """Bring the rejects up to date, delete old ledgers, and report."""
        withheld = result.snapshot.withheld
        # A removal may have come in meanwhile.
        rejects = without_named(rejects, withheld)
        unrecognized = withheld.without_named(selection.unrecognized)
        left = pl.concat([taken.left.select("key"), result.deferred])
        rows = next_rejects(
            rejects.rows,
            kept=pl.concat([selection.rejected_before, left]),
            new=withheld.without_named(result.judgement.rejected),
        )
        # Were a restored object left to the next run, that one must see that it is restored.
        left_archived = left.join(rejects.rows.filter(pl.col("outcome") == "archived"), on="key")
        is_used = listed_restores and left_archived.is_empty()
        in_force = result.snapshot.metadata
        if result.committed is not None:
            in_force = result.committed.metadata
        renewed = Rejects(
            rows=rows,
            unrecognized=next_unrecognized(
                rejects.unrecognized,
                unrecognized,
                seen_at=self.started_at,
                checkpoint=self.store.checkpoint_name,
            ),
            restores_listed_at=self.started_at if is_used else rejects.restores_listed_at,
            commit_id=None if in_force is None else in_force.commit_id,
        )
        warnings = list(result.snapshot.remarks)
        if rejects.unreadable:
            warnings.append(_REJECTS_LOST)
        if not self.task.request.dry_run:
            warnings += tidy(self.task, result, rejects, renewed, self.judging.withheld)
        return report(
            self.task,
            selection=selection,
            unrecognized=unrecognized,
            result=result,
            left=left.height,
            before_cutoff=taken.judgement.before_cutoff,
            rejects=renewed,
            unknown_fields=taken.judgement.unknown_fields,
            warnings=warnings,
        )


def _no_progress(source: str, taken: Taken) -> NoProgressError:
    return NoProgressError(source, taken.left.height, unanswered=taken.unanswered)
