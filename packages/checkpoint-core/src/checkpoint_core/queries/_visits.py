"""What visits are made of: the latest event of each, its steps, and where it starts anew."""

from typing import Final

import polars as pl

from checkpoint_core.queries._filters import (
    NO_FILTERS,
    VISIT,
    Filters,
    candidates,
    is_about_events,
    recent,
    wanted,
)

_COMPLETED: Final = ("module", "packet")
"""The fields that are filled in later."""


def latest(events: pl.LazyFrame, filters: Filters = NO_FILTERS) -> pl.LazyFrame:
    """Return the latest event of each visit, with all its fields, sorted by VISIT.

    The latest is the last in the order of the file: the greatest timestamp, and of equal ones the
    event that arrived last.
    """
    rows = recent(candidates(events, filters), filters)
    visits = rows.unique(VISIT, keep="last", maintain_order=True)
    return wanted(visits, filters).sort(VISIT)


def timeline(events: pl.LazyFrame, filters: Filters = NO_FILTERS) -> pl.LazyFrame:
    """Return all events of the visits, those of each visit in order and numbered in `step`.

    VISIT and `step`, from 1, come first, then the other columns. Sorted by VISIT and `step`.
    """
    rows = candidates(events, filters)
    if is_about_events(filters):
        chosen = latest(events, filters).select(VISIT)
        rows = rows.join(chosen, on=VISIT, how="semi", nulls_equal=True, maintain_order="left")
    return _numbered(rows)


def changes(events: pl.LazyFrame, filters: Filters = NO_FILTERS) -> pl.LazyFrame:
    """Return a row for each event of a visit but its first: what differs from the one before.

    `changed` lists the names of the fields that differ, in the order of the columns: neither those
    of VISIT nor the timestamp. It is empty where an event was logged again without a change.
    VISIT, `step` and `changed` come first, then each other column with its `previous_` value before
    it. Sorted by VISIT and `step`; the filters that are not about the visit are about this event.
    """
    fields = [name for name in events.collect_schema().names() if name not in VISIT]
    steps = _numbered(candidates(events, filters))
    pairs = steps.with_columns(pl.col(fields).shift(1).name.prefix("previous_"))
    changed = {
        name: pl.col(name).ne_missing(pl.col(f"previous_{name}"))
        for name in fields
        if name != "timestamp"
    }
    columns = [column for name in fields for column in (f"previous_{name}", name)]
    answered = wanted(pairs.filter(pl.col("step") > 1), filters)
    return answered.select(*VISIT, "step", _names(changed).alias("changed"), *columns)


def completeness(
    events: pl.LazyFrame, filters: Filters = NO_FILTERS, *, min_events: int = 2
) -> pl.LazyFrame:
    """Return how the visits of at least so many events became complete, sorted by VISIT.

    `module_versions` and `packet_versions` count the values that a field has had. `filled` names
    those of the two that the first event lacks and the latest has, `missing` those that the latest
    lacks. `center_label` is the latest event's.
    """
    visits = candidates(events, filters).group_by(VISIT)
    facts = visits.agg(
        pl.all().last(),
        *(pl.col(name).first().alias(f"first_{name}") for name in _COMPLETED),
        *(pl.col(name).drop_nulls().n_unique().alias(f"{name}_versions") for name in _COMPLETED),
        events=pl.len(),
    )
    answered = wanted(facts, filters).filter(pl.col("events") >= min_events)
    lacked = {name: pl.col(f"first_{name}").is_null() for name in _COMPLETED}
    has = {name: pl.col(name).is_not_null() for name in _COMPLETED}
    return answered.select(
        *VISIT,
        "center_label",
        "events",
        *(f"{name}_versions" for name in _COMPLETED),
        _names({name: lacked[name] & has[name] for name in _COMPLETED}).alias("filled"),
        _names({name: ~has[name] for name in _COMPLETED}).alias("missing"),
    ).sort(VISIT)


def started_anew(events: pl.LazyFrame) -> pl.LazyFrame:
    """Leave out each visit's events up to its last delete."""
    numbered = events.with_row_index("row")
    deletes = numbered.filter(pl.col("action") == "delete")
    deleted = deletes.group_by(VISIT).agg(deleted=pl.col("row").max())
    joined = numbered.join(deleted, on=VISIT, how="left", nulls_equal=True, maintain_order="left")
    kept = pl.col("deleted").is_null() | (pl.col("row") > pl.col("deleted"))
    return joined.filter(kept).drop("row", "deleted")


def _numbered(events: pl.LazyFrame) -> pl.LazyFrame:
    """Sort by visit, keeping the order within each, and number its events from 1."""
    others = [name for name in events.collect_schema().names() if name not in VISIT]
    same_visit = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in VISIT)
    row = pl.int_range(pl.len())
    first = pl.when(~same_visit).then(row).forward_fill()
    return events.sort(VISIT, maintain_order=True).select(
        *VISIT, (row - first + 1).alias("step"), *others
    )


def _names(conditions: dict[str, pl.Expr]) -> pl.Expr:
    """List the names of which the condition holds, in their order."""
    each = [pl.when(condition).then(pl.lit(name)) for name, condition in conditions.items()]
    return pl.concat_list(each).list.drop_nulls()
