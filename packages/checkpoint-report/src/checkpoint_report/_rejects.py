"""Which of the rejected objects a report is about."""

import polars as pl

from checkpoint_report._period import Period
from nacc_event_model import EventFormat, parse_object_name

__all__ = ["rejects_of"]


def rejects_of(rejects: pl.DataFrame, period: Period, adcid: int | None) -> pl.DataFrame:
    """Keep the objects that were written in the period, and are named as the center's if given."""
    written = pl.col("last_modified").is_between(period.begin, period.end, closed="left")
    kept = rejects.filter(written)
    if adcid is None:
        return kept
    # The later format knows the names of both.
    named = [parse_object_name(key, event_format=EventFormat.V1_1) for key in kept["key"]]
    return kept.filter([name is not None and name.adcid == adcid for name in named])
