"""How long things took: percentiles of what has ended, and an estimate that counts what has not."""

import warnings
from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import isnan
from typing import Any, Final

import polars as pl
from msgspec import Struct
from scipy.stats import CensoredData, ecdf

from checkpoint_queries import ask
from checkpoint_report._figures.scope import Scope
from checkpoint_report._figures.tables import Table, counted

__all__ = [
    "EVERY",
    "LIFE",
    "Estimate",
    "Spread",
    "estimate",
    "hours_of_arrival",
    "life_table",
    "spreads",
    "timed_table",
]

EVERY: Final = "all"
"""The key of all centers together."""
LIFE: Final = ("within 7 days", "8 to 30 days", "31 to 90 days", "over 90 days")
_BOUNDS: Final = (8, 31, 91)
_TIMED: Final = ("on or after the visit", "before the visit")


class Spread(Struct, frozen=True, kw_only=True):
    """The median, and within how long nine of ten ended."""

    median: float
    p90: float


class Estimate(Struct, frozen=True, kw_only=True):
    """Which share has passed QC so many days after it was first handed in, by Kaplan and Meier.

    At each of `days`, and from there up to the next, the `shares` of all, with a 95% interval from
    `low` to `high`. `submissions` have been followed, and `passed` of them passed.
    """

    submissions: int
    passed: int
    days: tuple[int, ...]
    shares: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def at(self, day: int) -> int | None:
        """Return the index of the step that a day is on; None where nothing is known of it.

        That is before the first step, and beyond the last, up to which somebody was followed, unless
        all had passed by then.
        """
        found = [index for index, each in enumerate(self.days) if each <= day]
        if not found or (day > self.days[-1] and self.shares[-1] < 1):
            return None
        return found[-1]


def timed_table(
    name: str, days: str, found: pl.DataFrame, centers: Iterable[str]
) -> tuple[Table[int], Mapping[str, Spread]]:
    """Count submissions by center and whether their days are negative; and spread their days."""
    kind = pl.when(pl.col(days) < 0).then(pl.lit(_TIMED[1])).otherwise(pl.lit(_TIMED[0]))
    numbers = found.group_by("center", kind.alias("kind")).len()
    counts = {(center, key): number for center, key, number in numbers.iter_rows()}
    return counted(name, centers, _TIMED, counts), spreads(found, days)


def spreads(found: pl.DataFrame, column: str) -> dict[str, Spread]:
    """Return the spread of a column by center and of all, where there is one; interpolated."""
    measures = {
        "median": pl.col(column).quantile(0.5, interpolation="linear"),
        "p90": pl.col(column).quantile(0.9, interpolation="linear"),
    }
    each = found.group_by("center").agg(**measures)
    rows = [*each.iter_rows(), (EVERY, *found.select(**measures).row(0))]
    return {key: Spread(median=m, p90=p) for key, m, p in rows if m is not None and p is not None}


def hours_of_arrival(ledger: pl.LazyFrame, scope: Scope) -> dict[str, Spread]:
    """Return the hours from the events of the period to their arrival, by center and of all."""
    filters = scope.filters(scope.period.begin)
    each = ask("lateness", ledger, filters).collect()
    every = ask("lateness", ledger, filters, by=()).collect()
    rows = [*each.iter_rows(named=True), {**every.row(0, named=True), "pipeline_adcid": EVERY}]
    return {
        str(row["pipeline_adcid"]): Spread(median=row["median_hours"], p90=row["p90_hours"])
        for row in rows
        if row["timed"]
    }


def followed(found: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """Return `days` from first submit to first pass-qc, or if not `passed`, up to the end.

    Of the submissions that were first handed in during the steps; none that passed without a submit
    before.
    """
    last = (scope.cut - timedelta(microseconds=1)).date()
    first, passed = pl.col("first_submit").dt.date(), pl.col("first_pass")
    since = found.filter(
        pl.col("first_submit") >= scope.steps[0].begin,
        passed.is_null() | pl.col("days_to_qc").is_not_null(),
    )
    until = pl.when(passed.is_null()).then(pl.lit(last)).otherwise(passed.dt.date())
    return since.select(
        days=(until - first).dt.total_days().clip(lower_bound=0), passed=passed.is_not_null()
    )


def life_table(follow: pl.DataFrame) -> Table[int]:
    """Count those that are followed by the days until they passed, or for which they are open."""
    bounds = pl.sum_horizontal(pl.col("days") >= days for days in _BOUNDS)
    numbers = follow.group_by(bounds.alias("class"), "passed").len()
    names = {True: "passed", False: "open"}
    counts = {(LIFE[place], names[passed]): number for place, passed, number in numbers.iter_rows()}
    return counted("life", LIFE, names.values(), counts)


def estimate(follow: pl.DataFrame) -> Estimate | None:
    """Estimate which share has passed after so many days; None where nothing is followed."""
    if follow.is_empty():
        return None
    days = CensoredData.right_censored(follow["days"].to_numpy(), (~follow["passed"]).to_numpy())
    curve = ecdf(days).cdf
    with warnings.catch_warnings():
        # Where none has passed, or all have, there is no interval.
        warnings.simplefilter("ignore", RuntimeWarning)
        # The stubs have numbers for what are curves.
        interval: Any = curve.confidence_interval(method="log-log")
    shares: list[float] = curve.probabilities.tolist()
    low: list[float] = []
    high: list[float] = []
    for share, least, most in zip(
        shares,
        interval.low.probabilities.tolist(),
        interval.high.probabilities.tolist(),
        strict=True,
    ):
        low.append((low[-1] if low else 0.0) if isnan(least) else least)
        high.append(share if isnan(most) else most)
    return Estimate(
        submissions=follow.height,
        passed=int(follow["passed"].sum()),
        days=tuple(int(day) for day in curve.quantiles.tolist()),
        shares=tuple(shares),
        low=tuple(low),
        high=tuple(high),
    )
