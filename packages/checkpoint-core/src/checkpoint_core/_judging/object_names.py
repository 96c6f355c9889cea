"""Which listed keys are named like event objects, and what is wrong with the others."""

import re
from typing import Final

import polars as pl

from checkpoint_format.format_hints import RECOGNIZES, newer_format
from nacc_event_model import EventFormat, object_name_pattern

UNRECOGNIZED_SCHEMA: Final = pl.Schema({"key": pl.String(), "reason": pl.String()})
"""One row per listed object that is not named like an event object, sorted by key."""

_BEGINNING: Final = r"(?:^|/)log-"
_DIGITS: Final = rf"{_BEGINNING}(?s:.+)-[0-9]{{8}}-[0-9]{{6}}-"


def is_recognized(event_format: EventFormat) -> pl.Expr:
    """Return whether a key is an event object's; to extract a part takes far longer."""
    return pl.col("key").str.contains(_whole_key(event_format))


def time_text(event_format: EventFormat) -> pl.Expr:
    """Return the digits of the time in an event object's name, null for every other key."""
    group = re.compile(object_name_pattern(event_format)).groupindex["time"]
    return pl.col("key").str.extract(_whole_key(event_format), group)


def unrecognized(keys: pl.DataFrame, event_format: EventFormat) -> pl.DataFrame:
    """Return keys that are not recognized, with what keeps each from it."""
    key = pl.col("key")
    newer = newer_format(event_format)
    other_action = f"its action is none of event format {event_format}"
    reason = (
        pl.when(~key.str.ends_with(".json"))
        .then(pl.lit("its name does not end in .json"))
        .when(~key.str.contains(_BEGINNING))
        .then(pl.lit("its name does not begin with log-"))
        .when(~key.str.contains(_DIGITS))
        .then(pl.lit("its name has no -YYYYMMDD-HHMMSS- after the action"))
        .when(is_recognized(newer) if newer else pl.lit(value=False))
        .then(pl.lit(other_action + RECOGNIZES))
        .otherwise(pl.lit(other_action))
    )
    return keys.select("key", reason=reason).sort("key")


def _whole_key(event_format: EventFormat) -> str:
    return f"^(?:{object_name_pattern(event_format)})$"
