"""What submissions are made of: each as one row, its latest event, its steps, its completion."""

from typing import Final

import polars as pl

from checkpoint_queries._filters import (
    NO_FILTERS,
    Filters,
    candidates,
    latest_labels,
    wanted,
)
from checkpoint_queries._identity import IDENTITIES, VISIT, arranged
from checkpoint_queries._lives import FACTS, STUDY, lives
from checkpoint_queries.questions import Identity

_COMPLETED: Final = ("module", "packet")
"""The fields that are filled in later."""

_SAME: Final = {"submission": ("pipeline_adcid", "visit_date", "datatype"), "visit": VISIT}
"""The columns that are written alike in all events of a submission or visit."""


def described(
    found: pl.LazyFrame,
    events: pl.LazyFrame,
    filters: Filters,
    identity: Identity,
    *,
    labels: bool = True,
) -> pl.LazyFrame:
    """Give submissions or visits their own identity, study and label, in place of an event's.

    The label is left where nobody asks for it, so that it need not be read.
    """
    rows = found.with_columns(study=pl.col("key_study"))
    if identity == "submission":
        is_form = pl.col("datatype") == "form"
        rows = rows.with_columns(
            ptid=pl.col("key_ptid"),
            module=pl.when(is_form).then("key_part"),
            modality=pl.when(~is_form).then("key_part"),
        )
    return labelled(rows, events, filters) if labels else rows


def labelled(rows: pl.LazyFrame, events: pl.LazyFrame, filters: Filters) -> pl.LazyFrame:
    """Give each row the latest label of its center, in the same place."""
    names = rows.collect_schema().names()
    labels = latest_labels(events, filters)
    bare = rows.drop("center_label")
    return bare.join(labels, on="pipeline_adcid", how="left", maintain_order="left").select(names)


def submissions(
    events: pl.LazyFrame, filters: Filters = NO_FILTERS, *, identity: Identity = "submission"
) -> pl.LazyFrame:
    """Return one row for each submission: what identifies it, where it stands, and how it came.

    The columns of SUBMISSION (or VISIT), then fields of its latest event, of which `study` is the
    latest other than adrc and `center_label` the center's latest, then those that FACTS explains.
    Sorted by what identifies it.
    """
    found = wanted(lives(candidates(events, filters, identity), identity), filters, identity)
    rows = described(found, events, filters, identity)
    others = ("study", "center_label", "project_label", "visit_number", "packet", "naccid")
    has = {*events.collect_schema().names(), *IDENTITIES[identity]}
    names = [*IDENTITIES[identity], *(name for name in others if name in has)]
    return rows.select(*dict.fromkeys(names), *FACTS)


def latest(
    events: pl.LazyFrame, filters: Filters = NO_FILTERS, *, identity: Identity = "submission"
) -> pl.LazyFrame:
    """Return the latest event of each submission, with all its fields as they are written.

    Sorted by what identifies the submission.
    """
    found = lives(candidates(events, filters, identity), identity)
    return wanted(found, filters, identity).select(events.collect_schema().names())


def timeline(
    events: pl.LazyFrame, filters: Filters = NO_FILTERS, *, identity: Identity = "submission"
) -> pl.LazyFrame:
    """Return all events of the submissions, those of each in order and numbered in `step`.

    What identifies a submission and `step`, from 1, come first, then the other columns; all as it
    is written. Sorted by what identifies the submission, and `step`.
    """
    columns = events.collect_schema().names()
    first = [name for name in IDENTITIES[identity] if name in columns]
    rows = candidates(events, filters, identity)
    chosen = wanted(lives(rows, identity), filters, identity).select("key_id")
    steps = _numbered(rows, identity).join(chosen, on="key_id", how="semi", maintain_order="left")
    return steps.select(*first, "step", *(name for name in columns if name not in first))


def changes(
    events: pl.LazyFrame, filters: Filters = NO_FILTERS, *, identity: Identity = "submission"
) -> pl.LazyFrame:
    """Return a row for each event of a submission but its first: what differs from the one before.

    `changed` lists the names of the fields that are written otherwise, in the order of the columns,
    without the timestamp. It is empty where an event was logged again without a change.
    What all events of a submission have alike, `step` and `changed` come first, then each other
    column with its `previous_` value before it. Sorted by what identifies the submission, and
    `step`; the filters that are not about that are about this event.
    """
    same = _SAME[identity]
    fields = [name for name in events.collect_schema().names() if name not in same]
    steps = _numbered(candidates(events, filters, identity), identity)
    pairs = steps.with_columns(pl.col(fields).shift(1).name.prefix("previous_"))
    changed = {
        name: pl.col(name).ne_missing(pl.col(f"previous_{name}"))
        for name in fields
        if name != "timestamp"
    }
    columns = [column for name in fields for column in (f"previous_{name}", name)]
    later = pairs.filter(pl.col("step") > 1).with_columns(key_study=pl.col("study"))
    answered = wanted(later, filters, identity)
    return answered.select(*same, "step", _names(changed).alias("changed"), *columns)


def completeness(
    events: pl.LazyFrame,
    filters: Filters = NO_FILTERS,
    *,
    min_events: int = 2,
    identity: Identity = "submission",
) -> pl.LazyFrame:
    """Return how the submissions of at least so many events became complete, by what they are.

    `module_versions` and `packet_versions` count the values that a field has had. `filled` names
    those of the two that the first event lacks and the latest has, `missing` those that the latest
    lacks. `center_label` is the center's latest.
    """
    rows = arranged(candidates(events, filters, identity), identity)
    written = [
        name for name in rows.collect_schema().names() if name not in {"key_id", "key_replaced"}
    ]
    facts = rows.group_by("key_id", maintain_order=True).agg(
        pl.col(written).last(),
        *(pl.col(name).first().alias(f"first_{name}") for name in _COMPLETED),
        *(pl.col(name).last().alias(f"last_{name}") for name in _COMPLETED),
        *(pl.col(name).drop_nulls().n_unique().alias(f"{name}_versions") for name in _COMPLETED),
        events=pl.len(),
        key_study=STUDY,
    )
    enough = wanted(facts, filters, identity).filter(pl.col("events") >= min_events)
    lacked = {name: pl.col(f"first_{name}").is_null() for name in _COMPLETED}
    has = {name: pl.col(f"last_{name}").is_not_null() for name in _COMPLETED}
    return described(enough, events, filters, identity).select(
        *IDENTITIES[identity],
        "center_label",
        "events",
        *(f"{name}_versions" for name in _COMPLETED),
        _names({name: lacked[name] & has[name] for name in _COMPLETED}).alias("filled"),
        _names({name: ~has[name] for name in _COMPLETED}).alias("missing"),
    )


def _numbered(events: pl.LazyFrame, identity: Identity) -> pl.LazyFrame:
    """Sort by what events are about, each one's in order, and number these from 1."""
    row = pl.int_range(pl.len())
    first = pl.when((pl.col("key_id") != pl.col("key_id").shift(1)).fill_null(value=True)).then(row)
    return arranged(events, identity).with_columns(step=row - first.forward_fill() + 1)


def _names(conditions: dict[str, pl.Expr]) -> pl.Expr:
    """List the names of which the condition holds, in their order."""
    each = [pl.when(condition).then(pl.lit(name)) for name, condition in conditions.items()]
    return pl.concat_list(each).list.drop_nulls()
