"""Grouping by fields of an event, or by the day, week or month in which it took place."""

from collections.abc import Sequence
from typing import Final

import polars as pl

PERIODS: Final = {"day": "1d", "week": "1w", "month": "1mo"}
"""What can be grouped by besides columns: the first day of the period of `timestamp`, in UTC.

A week begins on Monday.
"""


def groups(frame: pl.LazyFrame, by: Sequence[str]) -> list[pl.Expr]:
    """Return the expressions to group a frame by.

    Raises ValueError for what is neither a column of the frame nor a period.
    """
    columns = frame.collect_schema().names()
    unknown = [name for name in by if name not in columns and name not in PERIODS]
    if isinstance(by, str) or unknown:
        choices = ", ".join([*columns, *PERIODS])
        raise ValueError(f"by: give a sequence of these: {choices}")
    return [_group(name) for name in dict.fromkeys(by)]


def _group(name: str) -> pl.Expr:
    if name not in PERIODS:
        return pl.col(name)
    return pl.col("timestamp").dt.truncate(PERIODS[name]).dt.date().alias(name)


def summarize(frame: pl.LazyFrame, by: Sequence[str], *columns: pl.Expr) -> pl.LazyFrame:
    """Aggregate a frame, one row for each group, sorted by the groups with missing values first.

    Without anything to group by: one row, also for an empty frame.
    """
    expressions = groups(frame, by)
    if not expressions:
        return frame.select(*columns)
    names = [expression.meta.output_name() for expression in expressions]
    return frame.group_by(expressions).agg(*columns).sort(names)
