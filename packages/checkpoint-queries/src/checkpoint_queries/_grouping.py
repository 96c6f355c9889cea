"""Grouping by fields of an event, or by the day, week or month in which it took place."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

PERIODS: Final[Mapping[str, str]] = {"day": "1d", "week": "1w", "month": "1mo"}
"""What can be grouped by besides columns: the first day of the period of `timestamp`, in UTC.

A week begins on Monday.
"""


def checked(events: pl.LazyFrame, by: Sequence[str]) -> tuple[str, ...]:
    """Return what to group by: columns of events and periods, centers by number and label.

    Raises ValueError for what is neither.
    """
    columns = events.collect_schema().names()
    unknown = [name for name in by if name not in columns and name not in PERIODS]
    if isinstance(by, str) or unknown:
        choices = ", ".join([*columns, *PERIODS])
        raise ValueError(f"by: give a sequence of these: {choices}")
    # Two centers may have the same label, and one has several in the course of time.
    pairs = [("pipeline_adcid", name) if name == "center_label" else (name,) for name in by]
    return tuple(dict.fromkeys(name for pair in pairs for name in pair))


def _group(name: str) -> pl.Expr:
    if name not in PERIODS:
        return pl.col(name)
    return pl.col("timestamp").dt.truncate(PERIODS[name]).dt.date().alias(name)


def summarize(frame: pl.LazyFrame, by: Sequence[str], *columns: pl.Expr) -> pl.LazyFrame:
    """Aggregate a frame, one row for each group, sorted by the groups with missing values first.

    `by` is `checked`. Without anything to group by: one row, also for an empty frame.
    """
    if not by:
        return frame.select(*columns)
    return frame.group_by([_group(name) for name in by]).agg(*columns).sort(by)
