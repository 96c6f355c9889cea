"""All numbers of a report: tables of counts, and what is no count beside the counts it is of."""

from collections.abc import Mapping, Sequence

import polars as pl
from msgspec import Struct

from checkpoint_report._figures.relations import relations_of
from checkpoint_report._figures.scope import Scope
from checkpoint_report._figures.standing import (
    attempts_table,
    backlog_table,
    center_table,
    cohort_table,
    duplicates_table,
    earlier_backlog,
    earlier_table,
    kind_table,
    occurring,
    standing,
    study_table,
)
from checkpoint_report._figures.tables import Relation, Table
from checkpoint_report._figures.taking import (
    arrivals_table,
    completeness_table,
    events_table,
    later_table,
    rejects_table,
)
from checkpoint_report._figures.times import (
    Estimate,
    Spread,
    estimate,
    followed,
    hours_of_arrival,
    life_table,
    timed_table,
)
from checkpoint_report._period import Period

__all__ = ["Figures", "figures"]


class Figures(Struct, frozen=True, kw_only=True):
    """Every count, by name of its table, and the numbers that are no counts.

    A table that is not there is unknown: `arrivals` without a ledger, `rejects` without rejects,
    and what is of the period before, where the log covers no such. The `relations` hold between the
    counts.

    By center, and EVERY for all: `spreads` of the days of `submission` and `qc` and of the hours of
    `arrivals`, over the counts of these tables (of arrivals those that are timed); and how many
    days the `oldest` has been waiting that is in `backlog`. `estimate` is made of `life`.
    """

    tables: Mapping[str, Table[int]]
    relations: tuple[Relation, ...]
    spreads: Mapping[str, Mapping[str, Spread]]
    oldest: Mapping[str, int]
    estimate: Estimate | None


def figures(
    events: pl.LazyFrame,
    rejects: pl.DataFrame | None,
    ledger: pl.LazyFrame | None,
    centers: Sequence[str],
    scope: Scope,
) -> Figures:
    """Ask everything that the report tells. None of rejects or ledger: they are not known.

    `centers` are the numbers of those that are told about, as text.
    """
    period, steps = scope.period, scope.steps
    now = standing(events, scope)
    of_period = occurring(now, period)
    since = pl.col("first_submit") >= period.begin
    submission, days = timed_table("submission", "days_to_submission", now.filter(since), centers)
    passed = now.filter(pl.col("first_pass") >= period.begin, pl.col("days_to_qc").is_not_null())
    qc, days_to_qc = timed_table("qc", "days_to_qc", passed, centers)
    waiting = now.filter(pl.col("status") == "waiting")
    follow = followed(now, scope)
    found = [
        later_table(scope),
        events_table(events, scope),
        center_table(of_period, centers),
        study_table(of_period),
        kind_table(of_period),
        attempts_table(of_period),
        duplicates_table(of_period, centers),
        cohort_table(now, steps),
        submission,
        qc,
        life_table(follow),
        backlog_table(waiting, centers),
        completeness_table(events, scope),
        *_before(events, scope, centers),
    ]
    spreads = {"submission": days, "qc": days_to_qc}
    if ledger is not None:
        found.append(arrivals_table(ledger, scope, centers))
        spreads["arrivals"] = hours_of_arrival(ledger, scope)
    if rejects is not None:
        found.append(rejects_table(rejects, scope, steps))
    tables = {table.name: table for table in found}
    return Figures(
        tables=tables,
        relations=relations_of(tables, scope),
        spreads=spreads,
        oldest=_oldest(waiting),
        estimate=estimate(follow),
    )


def _before(events: pl.LazyFrame, scope: Scope, centers: Sequence[str]) -> list[Table[int]]:
    """Return what the period before is told by; nothing where there is none to compare with."""
    before: Period | None = scope.before
    if before is None:
        return []
    then = standing(events, scope, before.end)
    return [earlier_table(occurring(then, before), centers), earlier_backlog(then, centers)]


def _oldest(waiting: pl.DataFrame) -> dict[str, int]:
    days = waiting.group_by("center").agg(pl.col("days_waiting").max())
    return dict(days.iter_rows())
