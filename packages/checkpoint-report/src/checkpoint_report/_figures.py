"""The numbers of a report, from the answers to queries. Small counts end here.

What these functions return holds no count that may not be shown, and no way back to one: sentences,
charts, tables and files are all made from it, and from nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl
from msgspec import Struct, structs

from checkpoint_core.queries import Filters, ask
from checkpoint_report._centers import Center
from checkpoint_report._period import Period
from checkpoint_report._suppression import (
    CountTable,
    floor,
    greatest,
    is_shown,
    least,
    or_more,
    roughly,
    suppress,
    tells,
)

__all__ = [
    "FAILED_AGAIN",
    "PASSED_AGAIN",
    "VISITS_FOR_SHARES",
    "Completeness",
    "Days",
    "DaysTable",
    "Figures",
    "figures",
]

PASSED_AGAIN: Final = "resubmitted (passed)"
FAILED_AGAIN: Final = "resubmitted (failed)"


_ACTIONS: Final = ("submit", "pass-qc", "not-pass-qc", "delete")
_ACTION_OF: Final = {
    "waiting": "submit",
    PASSED_AGAIN: "submit",
    FAILED_AGAIN: "submit",
    "pass-qc": "pass-qc",
    "not-pass-qc": "not-pass-qc",
    "deleted": "delete",
    "duplicate": "duplicate-submit",
}
"""Where a submission can stand, and the action of which it had an event then."""
_REASONED: Final = ("invalid", "excluded")
_FIELDS: Final = ("module", "packet")

VISITS_FOR_SHARES: Final = 100
"""Of fewer, shares in hundredths would tell how many there are."""


class Days(Struct, frozen=True, kw_only=True):
    """How long it took some visits, in days; None where that would be about too few of them.

    `visits` tells roughly how many they are, in words, and `negative` of how many it was negative.
    """

    visits: str
    negative: str
    median: float | None
    p90: float | None


class DaysTable(Struct, frozen=True, kw_only=True):
    """How long it took, by name of center, and for all of them."""

    by_center: Mapping[str, Days]
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
    include_test_center: bool,
    threshold: int,
) -> Figures:
    """Ask everything that the report tells, about one center or all, and hide small counts.

    `rejects` are those of the period and the center.
    """
    filters = Filters(
        pipeline_adcid=() if adcid is None else (adcid,),
        timestamp_from=period.begin,
        timestamp_to=period.end,
        include_test_center=include_test_center,
    )
    names = {center.adcid: center.name for center in centers}
    volumes, visits = _events_and_visits(events, filters, names, period, threshold)
    present = _present(visits, threshold)
    everything = sum(least(cells, threshold) for cells in visits.cells)
    return Figures(
        threshold=threshold,
        volumes=volumes,
        status=visits,
        submission=_days(
            "days-to-submission", events, filters, names, present, threshold=threshold
        ),
        qc=_days("days-to-qc", events, filters, names, present, threshold=threshold),
        completeness=_completeness(events, filters, everything, threshold),
        rejects=_rejects(rejects, threshold),
    )


def _events_and_visits(
    events: pl.LazyFrame,
    filters: Filters,
    names: Mapping[int, str],
    period: Period,
    threshold: int,
) -> tuple[CountTable, CountTable]:
    """Count events by time and action, and submissions by center and status.

    A submission that stands at a status had at least one event of its action: the one table bounds
    the other.
    """
    answer = ask("counts", events, filters, by=(period.by, "action")).collect()
    labels = {bucket.start: bucket.label for bucket in period.buckets()}
    times, actions = tuple(labels.values()), _actions(answer["action"])
    taken = {(labels[start], action): events for start, action, events in answer.iter_rows()}

    stand = ask("status", events, filters, by=("pipeline_adcid",)).collect()
    centers, statuses = _known(names, stand), tuple(_ACTION_OF)
    standing = {
        (names[adcid], _named(status, outcome)): submissions
        for adcid, status, outcome, submissions in stand.iter_rows()
    }

    alone = suppress(times, actions, taken, threshold=threshold)
    at_most = {
        name: greatest(alone.column(action), threshold) for name, action in _ACTION_OF.items()
    }
    visits = suppress(centers, statuses, standing, threshold=threshold, at_most=at_most)
    at_least = dict.fromkeys(_ACTION_OF.values(), 0)
    for name, action in _ACTION_OF.items():
        at_least[action] += least(visits.column(name), threshold)
    volumes = suppress(times, actions, taken, threshold=threshold, at_least=at_least)
    # Where nothing is left to withhold that would help, it must not even be told what is small.
    told = set()
    for name, action in _ACTION_OF.items():
        cells, most = visits.column(name), at_most[name]
        # What others of the same action take up leaves less for this one.
        others = at_least[action] - least(cells, threshold)
        end = None if most is None else most - others
        if tells(cells, 0, end, threshold=threshold) or tells(
            volumes.column(action), at_least[action], None, threshold=threshold
        ):
            told.add(action)
    return volumes.withheld(told), visits


def _named(status: str, outcome: str | None) -> str:
    """Return where it stands, with the last outcome of what was handed in again."""
    again = {"pass-qc": PASSED_AGAIN, "not-pass-qc": FAILED_AGAIN}
    return again[outcome or ""] if status == "resubmitted" else status


def _present(visits: CountTable, threshold: int) -> dict[str, int]:
    """Return for each center how many submissions it has at the least, as far as anybody is told."""
    kept = [index for index, status in enumerate(visits.columns) if status != "deleted"]
    return {
        name: least([cells[index] for index in kept], threshold)
        for name, cells in zip(visits.rows, visits.cells, strict=True)
    }


def _days(
    name: str,
    events: pl.LazyFrame,
    filters: Filters,
    names: Mapping[int, str],
    present: Mapping[str, int],
    *,
    threshold: int,
) -> DaysTable:
    """Ask how long it took; `present` are the visits that the other tables tell of at the least."""
    answer = ask(name, events, filters, by=("pipeline_adcid",)).collect()
    every = ask(name, events, filters, by=()).collect().row(0, named=True)
    by_center = {}
    # Of all centers no more is told than of each: what is left would be that of the others.
    visits = negative = 0
    for row in answer.iter_rows(named=True):
        center = names[row["pipeline_adcid"]]
        known = present[center]
        visits += floor(row["submissions"], known, threshold=threshold)
        negative += floor(row["negative"], known, threshold=threshold)
        by_center[center] = Days(
            visits=roughly(row["submissions"], known, threshold=threshold),
            negative=roughly(row["negative"], known, threshold=threshold),
            **_percentiles(row, min(row["submissions"], known), threshold),
        )
    all_centers = Days(
        visits=or_more(visits, threshold=threshold),
        negative=or_more(negative, threshold=threshold),
        **_percentiles(every, visits, threshold),
    )
    return DaysTable(by_center=by_center, every=all_centers)


def _percentiles(row: Mapping[str, Any], visits: int, threshold: int) -> dict[str, float | None]:
    """Return the percentiles of which it may be told that so many visits went into them."""
    beyond = {"median": 0.5, "p90": 0.1}
    return {
        name: _whole(row[f"{name}_days"], threshold) if _is_many(visits, share, threshold) else None
        for name, share in beyond.items()
    }


def _whole(days: float, threshold: int) -> float:
    """Round days: what is interpolated has a fraction that tells the number of visits."""
    return days if threshold <= 1 else round(days)


def _is_many(visits: int, beyond: float, threshold: int) -> bool:
    """Tell whether a percentile has enough visits on either side, not to be about one of them."""
    return visits > 0 and (threshold <= 1 or int(visits * beyond) >= threshold)


def _completeness(
    events: pl.LazyFrame, filters: Filters, known: int, threshold: int
) -> tuple[Completeness, ...]:
    """Ask what forms lack; `known` are the visits that the other tables tell of at the least."""
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
        shown = _may_be_told(parts, known, threshold)
        # In hundredths: exact shares would tell the number of visits.
        shares = [round(part / row["visits"], 2) if shown else None for part in parts]
        found.append(
            Completeness(field=field, from_start=shares[0], later=shares[1], missing=shares[2])
        )
    return tuple(found)


def _may_be_told(parts: Sequence[int], known: int, threshold: int) -> bool:
    """Tell whether shares in hundredths tell neither a small part nor how many visits there are."""
    visits = sum(parts)
    if threshold <= 1:
        return visits > 0
    if min(visits, known) < VISITS_FOR_SHARES:
        return False
    # Of a share one knows that it is of `threshold` visits or more, hence of how many it is a share.
    shares = [round(part / visits, 2) for part in parts if part]
    return all(is_shown(part, threshold=threshold) for part in parts) and all(
        share == 0 or (share + 0.005) * known >= threshold for share in shares
    )


_PLACE: Final = " at byte [0-9]+"
"""Where a document goes wrong, which makes no other reason."""


def _rejects(rejects: pl.DataFrame, threshold: int) -> CountTable:
    why = pl.when(pl.col("outcome").is_in(_REASONED)).then(
        pl.concat_str(
            "outcome", pl.col("reason").fill_null("").str.replace(_PLACE, ""), separator=": "
        )
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
    return (*_ACTIONS, *sorted(set(found) - set(_ACTIONS)))
