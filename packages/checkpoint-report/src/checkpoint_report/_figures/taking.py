"""What was taken and what was not: events by time, objects by arrival, rejects by rule, fields."""

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl
from msgspec import structs

from checkpoint_queries import ask
from checkpoint_report._figures.scope import Scope
from checkpoint_report._figures.standing import step_of
from checkpoint_report._figures.tables import Table, counted
from checkpoint_report._period import Period
from nacc_event_model import EventFormat, parse_object_name

__all__ = [
    "ACTIONS",
    "ARRIVALS",
    "COMPLETION",
    "arrivals_table",
    "completeness_table",
    "events_table",
    "later_table",
    "rejects_table",
]

ACTIONS: Final = ("submit", "pass-qc", "not-pass-qc", "duplicate-submit", "delete")
ARRIVALS: Final = ("timed", "before its time", "not timed")
"""How an object arrived: after its event's time, before it, or when is not known."""
COMPLETION: Final = ("from the start", "filled in later", "missing")

_FIELDS: Final = ("module", "packet")
_REASONED: Final = ("invalid", "excluded")
_PLACE: Final = " at byte [0-9]+"
"""Where a document goes wrong, which makes no other reason."""


def events_table(events: pl.LazyFrame, scope: Scope) -> Table[int]:
    """Count the events of the period by day, week or month, and by action."""
    by = scope.period.by
    answer = ask("counts", events, scope.filters(scope.period.begin), by=(by, "action")).collect()
    counts = {(start.isoformat(), action): number for start, action, number in answer.iter_rows()}
    rows = [bucket.start.isoformat() for bucket in scope.period.buckets()]
    return counted("events", rows, ACTIONS, counts)


def later_table(scope: Scope) -> Table[int]:
    """Count the events that are dated later than the checkpoint's last change."""
    return counted("later", ("events",), ("dated later",), {("events", "dated later"): scope.later})


def completeness_table(events: pl.LazyFrame, scope: Scope) -> Table[int]:
    """Count the forms whose latest event is of the period by what became of a field."""
    filters = structs.replace(scope.filters(scope.period.begin), datatype=("form",))
    forms = ask("completeness", events, filters, min_events=1)
    row = forms.select(
        pl.len().alias("forms"),
        *(
            pl.col(kind).list.contains(field).sum().alias(f"{kind} {field}")
            for kind in ("filled", "missing")
            for field in _FIELDS
        ),
    ).collect().row(0, named=True)  # fmt: skip
    counts: dict[tuple[str, str], int] = {}
    for field in _FIELDS:
        later, missing = row[f"filled {field}"], row[f"missing {field}"]
        parts = (row["forms"] - later - missing, later, missing)
        counts |= {(field, name): part for name, part in zip(COMPLETION, parts, strict=True)}
    return counted("completeness", _FIELDS, COMPLETION, counts)


def arrivals_table(ledger: pl.LazyFrame, scope: Scope, centers: Iterable[str]) -> Table[int]:
    """Count the objects of the period's events by center and by how they arrived."""
    answer = ask("lateness", ledger, scope.filters(scope.period.begin)).collect()
    counts: dict[tuple[str, str], int] = {}
    for row in answer.iter_rows(named=True):
        timed, negative = row["timed"], row["negative"]
        parts = (timed - negative, negative, row["objects"] - timed)
        center = str(row["pipeline_adcid"])
        counts |= {(center, name): part for name, part in zip(ARRIVALS, parts, strict=True)}
    return counted("arrivals", centers, ARRIVALS, counts)


def rejects_table(rejects: pl.DataFrame, scope: Scope, steps: Sequence[Period]) -> Table[int]:
    """Count the objects that are not in the checkpoint by rule, and when they were last written."""
    written = pl.col("last_modified")
    found = rejects.filter(written.is_between(steps[0].begin, steps[-1].end, closed="left"))
    if scope.adcid is not None:
        # The later format knows the names of both.
        names = [parse_object_name(key, event_format=EventFormat.V1_1) for key in found["key"]]
        found = found.filter([name is not None and name.adcid == scope.adcid for name in names])
    keys = [step.first.isoformat() for step in steps]
    reason = pl.col("reason").fill_null("").str.replace(_PLACE, "")
    why = pl.when(pl.col("outcome").is_in(_REASONED)).then(
        pl.concat_str("outcome", reason, separator=": ")
    )
    numbers = found.group_by(
        why.otherwise("outcome").alias("rule"), step_of(written, steps).alias("step")
    ).len()
    counts = {(rule, key): number for rule, key, number in numbers.iter_rows()}
    rules = sorted({rule for rule, _ in counts})
    return counted("rejects", rules, keys, counts)
