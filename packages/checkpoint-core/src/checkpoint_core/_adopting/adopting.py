"""Adopting rows that no ledger accounts for: whose they are, and what they lack."""

from typing import Final

import polars as pl
from msgspec import structs

from checkpoint_core._adopting.archived_names import named_by
from checkpoint_core._adopting.normalizing import ExistingRows
from checkpoint_core._adopting.pairing import added_by, pair
from checkpoint_core._adopting.predecessor import Predecessor
from checkpoint_core._adopting.rewriting import rewrite
from checkpoint_core._committing.preparation import Base
from checkpoint_core._committing.replacement import Replacement, Task
from checkpoint_core._committing.row_changes import RowChanges
from checkpoint_core._judging.accepted import AcceptedRows, in_arrival_order
from checkpoint_core._judging.ends import Judgement
from checkpoint_core._judging.judgement import Judge
from checkpoint_core.errors import AdoptionIncompleteError
from checkpoint_format.ledger import NO_LEDGER
from checkpoint_format.merge import measure
from checkpoint_format.parquet import collect, digest_of, scan
from checkpoint_format.unclaimed import NONE_ADOPTED, Adopted, keep_unclaimed

_EXAMPLES: Final = 5


def adopt(
    predecessor: Predecessor,
    judgement: Judgement,
    judge: Judge,
    rejects: pl.DataFrame,
    task: Task,
) -> Replacement:
    """Give the existing rows a ledger, and append what they do not hold yet.

    Existing rows are subtracted from those that arrived as a multiset: no row is lost, none comes
    twice. What an object has and its row lacks is filled in. Archived objects whose names speak of
    a row that is left enter as adopted, unless the `rejects` say why they were not taken.
    Raises AdoptionIncompleteError when other objects could not be read.
    """
    _refuse_unread(judgement, task)
    existing = predecessor.existing
    assert existing is not None  # noqa: S101 - find_predecessor refuses to adopt anything else
    event_format = task.settings.event_format
    arrived = in_arrival_order(judgement.accepted.collect())
    pairs = pair(existing.file, arrived, event_format)
    matched = arrived[pairs["event"]]
    rest = arrived.join(matched.select("key"), on="key", how="anti", maintain_order="left")
    new, excluded = judge.exclude(rest)
    without_row = pl.concat([judgement.rejected, excluded]).select("key")
    free = _unclaimed(existing, pairs, without_row, task)
    named = _named(free, judgement.rejected, rejects, task)
    rejected = judgement.rejected.join(named.select("key"), on="key", how="anti")
    base = Base(
        file=existing.file,
        rows=measure(existing.file, event_format),
        adopted=free,
        ledger=NO_LEDGER,
        lineage=predecessor.lineage,
        withheld=predecessor.snapshot.withheld.revision,
    )
    changes = RowChanges(
        judgement=structs.replace(
            judgement,
            accepted=AcceptedRows.in_memory(new),
            touched=matched.select(judgement.touched.columns),
            rejected=pl.concat([rejected, excluded]),
            before_cutoff=0,
        ),
        claimed=matched,
        added=added_by(pairs, arrived, event_format),
        upgraded=arrived.select("key")[pairs.filter("adds")["event"]],
        adopted=free,
    )
    return rewrite(base, changes, named, predecessor, task)


def _refuse_unread(judgement: Judgement, task: Task) -> None:
    unread = judgement.rejected.filter(pl.col("outcome").is_in(["unreadable", "denied"]))
    if unread.height:
        first = unread.sort("key").head(_EXAMPLES)
        keys, reason = tuple(first["key"]), first["reason"][0]
        raise AdoptionIncompleteError(task.store.location, unread.height, keys, reason)


def _unclaimed(
    existing: ExistingRows,
    pairs: pl.DataFrame,
    without_row: pl.DataFrame,
    task: Task,
) -> Adopted:
    """Keep the rows that no object has, and the objects without one, which may be theirs later."""
    rows = existing.rows - pairs.height
    if not rows:
        return NONE_ADOPTED
    file = task.host.workdir / "unclaimed.parquet"
    there = pl.concat([scan(existing.file), without_row.lazy()], how="diagonal")
    keep_unclaimed(there.with_row_index("row"), pairs, file)
    return Adopted(rows=rows, at=task.started_at, file=file, digest=digest_of(file))


def _named(
    free: Adopted, rejected: pl.DataFrame, rejects: pl.DataFrame, task: Task
) -> pl.DataFrame:
    """Return the archived objects that rows which nobody has claimed speak of.

    One that was judged before, with the content that it has now, was not taken by us, and is not
    declared taken.
    """
    archived = rejected.filter(pl.col("outcome") == "archived")
    judged = rejects.filter(pl.col("outcome") != "archived")
    archived = archived.join(judged, on=["key", "etag"], how="anti", maintain_order="left")
    if free.file is None:
        return archived.clear()
    columns = ["action", "pipeline_adcid", "project_label", "ptid", "visit_date", "visit_number"]
    rows = collect(free.file, scan(free.file).select(*columns, "timestamp"))
    return named_by(archived, rows, task.settings.event_format)
