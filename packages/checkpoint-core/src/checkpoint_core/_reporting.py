"""Counting what became of every listed object, and telling it."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import polars as pl

from checkpoint_core._committing.replacement import Replacement, Task
from checkpoint_core._judging.sanitizing import sanitized
from checkpoint_core._judging.selection import Selection
from checkpoint_core.accounting import (
    MOST_STUDIES,
    OTHERS,
    Counts,
    FailedFile,
    RunReport,
    StudyCount,
    add_up,
)
from checkpoint_format.format_hints import hints
from checkpoint_format.rejects import Rejects

_UNKNOWN_NAMES: Final = 20


def report(
    task: Task,
    *,
    selection: Selection,
    unrecognized: pl.DataFrame,
    result: Replacement,
    left: int,
    before_cutoff: int,
    rejects: Rejects,
    unknown_fields: Counter[str],
    warnings: list[str],
) -> RunReport:
    """Describe a run that has come to its end; of a dry run, what it would have done.

    `unrecognized` are those of the unrecognized objects that may be named.
    """
    counts = _count(selection, result, left=left, before_cutoff=before_cutoff)
    tolerance = timedelta(seconds=task.settings.future_tolerance_s)
    is_future = pl.col("timestamp") > task.started_at + tolerance
    future = result.judgement.accepted.select(is_future.sum()).item()
    committed = result.committed
    metadata = committed.metadata if committed else result.snapshot.metadata
    size_bytes = committed.checkpoint.stat().st_size if committed else result.snapshot.size_bytes
    return RunReport(
        run_id=task.run_id,
        source=task.source,
        checkpoint=task.store.location if size_bytes else None,
        started_at=task.started_at,
        finished_at=task.host.now(),
        incremental=result.snapshot.metadata is not None,
        dry_run=task.request.dry_run,
        counts=counts,
        listed=selection.listed,
        total_events=result.rows,
        rejects=rejects.rows.height,
        size_bytes=size_bytes,
        first_timestamp=metadata.first_timestamp if metadata else None,
        last_timestamp=metadata.last_timestamp if metadata else None,
        awaiting_upgrade=_awaiting(selection, result),
        commit_id=committed.metadata.commit_id if committed else None,
        future_dated=future,
        unknown_fields=dict(unknown_fields.most_common(_UNKNOWN_NAMES)),
        failed_files=_failed_files(result, at_most=task.settings.listed_failures),
        unrecognized_examples=tuple(unrecognized["key"].head(task.settings.listed_failures)),
        warnings=(*warnings, *remarks(selection, counts, result)),
        hints=hints(rejects.rows["reason"], selection.unrecognized["reason"]),
        new_events_by_study=count_by_study(result.judgement.accepted.select("study", "datatype")),
    )


def count_by_study(accepted: pl.DataFrame) -> tuple[StudyCount, ...]:
    """Count events by study and datatype, the greatest numbers singly and the rest together."""
    by = ["study", "datatype"]
    groups = accepted.group_by(by).len().sort("len", *by, descending=[True, False, False])
    told = [
        StudyCount(study=sanitized(study), datatype=sanitized(datatype), events=events)
        for study, datatype, events in groups.head(MOST_STUDIES).iter_rows()
    ]
    rest = int(groups["len"].slice(MOST_STUDIES).sum())
    return add_up([*told, StudyCount(study=OTHERS, datatype=OTHERS, events=rest)])


def remarks(selection: Selection, counts: Counts, result: Replacement) -> Iterator[str]:
    """Yield what a person should look at, although nothing has failed."""
    if counts.listed != selection.listed:
        yield (
            f"the counts add up to {counts.listed}, but {selection.listed} objects were listed: "
            "this is a bug; please report it"
        )
    if result.adopted.height:
        examples = ", ".join(result.adopted["key"].sort().head(5))
        yield (
            f"{result.adopted.height} archived objects were adopted without being read, "
            f"for example {examples}"
        )


def _count(selection: Selection, result: Replacement, *, left: int, before_cutoff: int) -> Counts:
    judgement, candidates = result.judgement, selection.upgradable
    outcomes = dict(judgement.rejected["outcome"].value_counts().iter_rows())
    # A candidate is among the unchanged until something else has become of it.
    others = (
        judgement.accepted,
        judgement.rejected,
        judgement.withheld,
        result.upgraded,
        result.deferred,
    )
    moved = pl.concat([each.select("key") for each in others])
    reread = judgement.touched.join(result.upgraded, on="key", how="anti")
    return Counts(
        unrecognized=selection.unrecognized.height,
        unchanged=selection.unchanged - candidates.join(moved, on="key", how="semi").height,
        touched=reread.join(candidates, on="key", how="anti").height,
        upgraded=result.upgraded.height,
        rejected_before=selection.rejected_before.height,
        before_cutoff=before_cutoff,
        accepted=judgement.accepted.height,
        withheld=judgement.withheld.height,
        archived=outcomes.pop("archived", 0) + result.adopted.height,
        deferred=left,
        **outcomes,
    )


def _awaiting(selection: Selection, result: Replacement) -> int:
    judgement = result.judgement
    if selection.upgradable.is_empty():
        return 0
    parts = (judgement.accepted, judgement.touched, judgement.rejected, judgement.withheld)
    settled = pl.concat([part.select("key") for part in parts])
    return selection.upgradable.join(settled, on="key", how="anti").height


def _failed_files(result: Replacement, *, at_most: int) -> tuple[FailedFile, ...]:
    failed = result.judgement.rejected.filter(~pl.col("outcome").is_in(["excluded", "archived"]))
    shown = failed.sort("key").head(at_most).select("key", "outcome", "reason")
    return tuple(
        FailedFile(key=key, outcome=outcome, reason=reason)
        for key, outcome, reason in shown.iter_rows()
    )
