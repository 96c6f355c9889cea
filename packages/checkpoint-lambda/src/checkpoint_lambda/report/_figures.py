"""The numbers of a report, from the answers to queries. Small counts end here.

What these functions return holds no count that may not be shown, and no way back to one: sentences,
charts, tables and files are all made from it, and from nothing else.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl
from msgspec import Struct, structs

from checkpoint_core.queries import Filters, ask
from checkpoint_lambda.report._centers import Center
from checkpoint_lambda.report._period import Period
from checkpoint_lambda.report._suppression import CountTable, band, is_shown, suppress

__all__ = ["Completeness", "Days", "DaysTable", "Figures", "figures"]

_STATUSES: Final = ("submit", "pass-qc", "not-pass-qc", "delete")
_REASONED: Final = ("invalid", "excluded")
_FIELDS: Final = ("module", "packet")


class Days(Struct, frozen=True, kw_only=True):
    """How long it took some visits, in days; None where that would be about too few of them.

    `visits` tells roughly how many they are, in words.
    """

    visits: str
    median: float | None
    p90: float | None


class DaysTable(Struct, frozen=True, kw_only=True):
    """How long it took, by center, and for all of them; with the visits of negative days."""

    by_center: Mapping[int, Days]
    negative: CountTable
    every: Days


class Completeness(Struct, frozen=True, kw_only=True):
    """Shares of visits whose field was there from the start, came later, or is missing.

    None where a share would be about too few.
    """

    field: str
    from_start: float | None
    later: float | None
    missing: float | None


class Figures(Struct, frozen=True, kw_only=True):
    """All that a report tells about events, visits and rejected objects."""

    threshold: int
    volumes: CountTable
    status: CountTable
    submission: DaysTable
    qc: DaysTable
    completeness: tuple[Completeness, ...]
    rejects: CountTable


def figures(
    events: pl.LazyFrame,
    rejects: pl.DataFrame,
    centers: Iterable[Center],
    period: Period,
    *,
    adcid: int | None,
    threshold: int,
) -> Figures:
    """Ask everything that the report tells, about one center or all, and hide small counts.

    `rejects` are those of the period and the center.
    """
    filters = Filters(
        pipeline_adcid=() if adcid is None else (adcid,),
        timestamp_from=period.begin,
        timestamp_to=period.end,
    )
    names = {center.adcid: center.name for center in centers}
    return Figures(
        threshold=threshold,
        volumes=_volumes(events, filters, period, threshold),
        status=_status(events, filters, names, threshold),
        submission=_days("days-to-submission", events, filters, names, threshold),
        qc=_days("days-to-qc", events, filters, names, threshold),
        completeness=_completeness(events, filters, threshold),
        rejects=_rejects(rejects, threshold),
    )


def _volumes(events: pl.LazyFrame, filters: Filters, period: Period, threshold: int) -> CountTable:
    answer = ask("counts", events, filters, by=(period.by, "action")).collect()
    labels = {bucket.start: bucket.label for bucket in period.buckets()}
    counts = {(labels[start], action): events for start, action, events in answer.iter_rows()}
    return suppress(tuple(labels.values()), _actions(answer["action"]), counts, threshold=threshold)


def _status(
    events: pl.LazyFrame, filters: Filters, names: Mapping[int, str], threshold: int
) -> CountTable:
    answer = ask("status", events, filters, by=("pipeline_adcid",)).collect()
    counts = {(names[adcid], status): visits for adcid, status, visits in answer.iter_rows()}
    return suppress(_known(names, answer), _actions(answer["status"]), counts, threshold=threshold)


def _days(
    name: str, events: pl.LazyFrame, filters: Filters, names: Mapping[int, str], threshold: int
) -> DaysTable:
    answer = ask(name, events, filters, by=("pipeline_adcid",)).collect()
    every = ask(name, events, filters, by=()).collect()
    negative = {
        (names[adcid], "negative"): count
        for adcid, count in answer.select("pipeline_adcid", "negative").iter_rows()
    }
    return DaysTable(
        by_center={
            row["pipeline_adcid"]: _spread(row, threshold) for row in answer.iter_rows(named=True)
        },
        negative=suppress(_known(names, answer), ("negative",), negative, threshold=threshold),
        every=_spread(every.row(0, named=True), threshold),
    )


def _spread(row: Mapping[str, Any], threshold: int) -> Days:
    visits: int = row["visits"]
    return Days(
        visits=band(visits, threshold=threshold),
        median=row["median_days"] if _is_many(visits, 0.5, threshold) else None,
        p90=row["p90_days"] if _is_many(visits, 0.1, threshold) else None,
    )


def _is_many(visits: int, beyond: float, threshold: int) -> bool:
    """Tell whether a percentile has enough visits on either side, not to be about one of them."""
    return visits > 0 and (threshold <= 1 or int(visits * beyond) >= threshold)


def _completeness(
    events: pl.LazyFrame, filters: Filters, threshold: int
) -> tuple[Completeness, ...]:
    forms = structs.replace(filters, datatype=("form",))
    visits = ask("completeness", events, forms, min_events=1)
    counted = visits.select(
        pl.len().alias("visits"),
        *(
            pl.col(kind).list.contains(field).sum().alias(f"{kind} {field}")
            for kind in ("filled", "missing")
            for field in _FIELDS
        ),
    ).collect()
    row = counted.row(0, named=True)
    found = []
    for field in _FIELDS:
        later, missing = row[f"filled {field}"], row[f"missing {field}"]
        parts = (row["visits"] - later - missing, later, missing)
        # All or none: what they add up to may be known.
        shown = row["visits"] > 0 and all(is_shown(part, threshold=threshold) for part in parts)
        # In hundredths: exact shares would tell the number of visits.
        shares = [round(part / row["visits"], 2) if shown else None for part in parts]
        found.append(
            Completeness(field=field, from_start=shares[0], later=shares[1], missing=shares[2])
        )
    return tuple(found)


def _rejects(rejects: pl.DataFrame, threshold: int) -> CountTable:
    why = pl.when(pl.col("outcome").is_in(_REASONED)).then(
        pl.concat_str("outcome", pl.col("reason").fill_null(""), separator=": ")
    )
    answer = rejects.group_by(why.otherwise("outcome").alias("why")).len().sort("why")
    counts = {(why, "objects"): objects for why, objects in answer.iter_rows()}
    return suppress(answer["why"].to_list(), ("objects",), counts, threshold=threshold)


def _known(names: Mapping[int, str], answer: pl.DataFrame) -> tuple[str, ...]:
    """Return the names of the centers that the answer has, in their order."""
    found = set(answer["pipeline_adcid"])
    return tuple(name for adcid, name in names.items() if adcid in found)


def _actions(found: pl.Series) -> tuple[str, ...]:
    """Return the actions to tell about: the usual ones, then what else there is."""
    return (*_STATUSES, *sorted(set(found) - set(_STATUSES)))
