"""What identifies a submission, and in which order its events are read: the one definition."""

from typing import Final

import polars as pl

from checkpoint_queries.questions import Identity

SUBMISSION: Final = ("pipeline_adcid", "ptid", "visit_date", "datatype", "module", "modality")
"""What identifies a submission, together: what is handed in and checked as one.

`ptid` counts without leading zeros, `module` (of forms) and `modality` (of all else) without regard
to case, and one of these two is always missing. No part of it are the study, on which producers
disagree, the visit number, which some leave out, and labels, which change.
"""

VISIT: Final = ("pipeline_adcid", "ptid", "visit_date", "visit_number")
"""What identifies a visit, together, each as it is written. A missing number equals a missing one.
"""

IDENTITIES: Final = {"submission": SUBMISSION, "visit": VISIT}
"""The columns that identify what a question is about."""

KEYS: Final = {
    "submission": ("pipeline_adcid", "key_ptid", "visit_date", "datatype", "key_part"),
    "visit": VISIT,
}
"""The same as columns of `arranged`."""

# Where the modules and modalities of one date and datatype lie together.
_PLACE: Final = ("pipeline_adcid", "key_ptid", "visit_date", "datatype")
_ORDER: Final = {
    "submit": 0,
    "duplicate-submit": 1,
    "not-pass-qc": 2,
    "pass-qc": 3,
    "delete": 4,
}
"""Which of equal timestamps comes first."""
_REPLACED: Final = pl.all_horizontal(
    pl.col(name) == pl.col(name).shift(-1) for name in ("key_id", "action", "timestamp")
).fill_null(value=False)


def without_zeros(ptid: pl.Expr) -> pl.Expr:
    """Return a participant's id without leading zeros; of zeros alone, one is left."""
    stripped = ptid.str.strip_chars_start("0")
    return pl.when(stripped == "").then(pl.lit("0")).otherwise(stripped)


def with_modality(events: pl.LazyFrame) -> pl.LazyFrame:
    """Return events that have a modality, which those of format 1.0 lack."""
    if "modality" in events.collect_schema().names():
        return events
    return events.with_columns(modality=pl.lit(None, pl.String))


def arranged(events: pl.LazyFrame, identity: Identity) -> pl.LazyFrame:
    """Sort events, given in the order of the file, by what they are about, each one's in order.

    Order is by timestamp, of equal ones submit, duplicate-submit, not-pass-qc, pass-qc, delete, and
    of equal ones again that of the file. Added are the columns of KEYS, `key_id`, which numbers the
    submissions or visits from 1, and `key_replaced`: a later version of the same event, of equal
    action and timestamp, follows.
    """
    rank = pl.col("action").replace_strict(_ORDER, default=len(_ORDER), return_dtype=pl.Int8)
    when = ("timestamp", rank)
    if identity == "visit":
        in_order = with_modality(events).sort(*VISIT, *when, maintain_order=True)
        return in_order.with_columns(key_id=_runs(*VISIT)).with_columns(key_replaced=_REPLACED)
    keyed = _keyed(events).sort(*_PLACE, *when, maintain_order=True)
    attached = _attached(keyed.with_columns(key_place=_runs(*_PLACE)))
    in_order = attached.sort("key_place", "key_part", maintain_order=True).with_columns(
        key_id=_runs("key_place", "key_part")
    )
    return in_order.with_columns(key_replaced=_REPLACED).drop("key_place")


def _keyed(events: pl.LazyFrame) -> pl.LazyFrame:
    """Add what identifies the submission of each event, as far as the event itself says it."""
    part = pl.when(pl.col("datatype") == "form").then("module").otherwise("modality")
    return with_modality(events).with_columns(
        key_ptid=without_zeros(pl.col("ptid")),
        key_part=pl.when(part != "").then(part.str.to_uppercase()),
    )


def _attached(events: pl.LazyFrame) -> pl.LazyFrame:
    """Give a module or modality to events without, in their order at one place.

    Such an event is an earlier version of the one that has the same action and time, or else it
    belongs to the only submission at its place. Where there are several, it keeps none.
    """
    moments = _runs("key_place", "timestamp", "action")
    return (
        events.with_columns(key_moment=moments)
        .with_columns(pl.coalesce("key_part", _only("key_moment"), _only("key_place")))
        .drop("key_moment")
    )


def _only(run: str) -> pl.Expr:
    """Return the one module or modality that there is in a run, or none."""
    first, last = pl.col("key_part").min().over(run), pl.col("key_part").max().over(run)
    return pl.when(first == last).then(first)


def _runs(*columns: str) -> pl.Expr:
    """Number the runs of rows that are equal in some columns, from 1."""
    begins = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in columns)
    return (begins | (pl.int_range(pl.len()) == 0)).cum_sum()
