"""Counts: of events and submissions, which bound each other, and of rejected objects."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from checkpoint_core.queries import Filters, ask
from checkpoint_report._figures.suppression import CountTable, greatest, least, suppress, tells
from checkpoint_report._period import Period
from nacc_event_model import EventFormat, parse_object_name

__all__ = [
    "FAILED_AGAIN",
    "PASSED_AGAIN",
    "events_and_visits",
    "present_of",
    "rejects_of",
    "rejects_table",
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

_PLACE: Final = " at byte [0-9]+"
"""Where a document goes wrong, which makes no other reason."""


def events_and_visits(
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


def present_of(visits: CountTable, threshold: int) -> dict[str, int]:
    """Return for each center how many submissions it has at the least, as far as anybody is told."""
    kept = [index for index, status in enumerate(visits.columns) if status != "deleted"]
    return {
        name: least([cells[index] for index in kept], threshold)
        for name, cells in zip(visits.rows, visits.cells, strict=True)
    }


def _known(names: Mapping[int, str], answer: pl.DataFrame) -> tuple[str, ...]:
    """Return the names of the centers that the answer has, in their order."""
    found = set(answer["pipeline_adcid"])
    return tuple(name for adcid, name in names.items() if adcid in found)


def _actions(found: pl.Series) -> tuple[str, ...]:
    """Return the actions to tell about: the usual ones, then what else there is."""
    return (*_ACTIONS, *sorted(set(found) - set(_ACTIONS)))


def rejects_of(rejects: pl.DataFrame, period: Period, adcid: int | None) -> pl.DataFrame:
    """Keep the objects that were written in the period, and are named as the center's if given."""
    written = pl.col("last_modified").is_between(period.begin, period.end, closed="left")
    kept = rejects.filter(written)
    if adcid is None:
        return kept
    # The later format knows the names of both.
    named = [parse_object_name(key, event_format=EventFormat.V1_1) for key in kept["key"]]
    return kept.filter([name is not None and name.adcid == adcid for name in named])


def rejects_table(rejects: pl.DataFrame, threshold: int) -> CountTable:
    """Count rejected objects by outcome and reason."""
    why = pl.when(pl.col("outcome").is_in(_REASONED)).then(
        pl.concat_str(
            "outcome", pl.col("reason").fill_null("").str.replace(_PLACE, ""), separator=": "
        )
    )
    answer = rejects.group_by(why.otherwise("outcome").alias("why")).len().sort("why")
    counts = {(why, "objects"): objects for why, objects in answer.iter_rows()}
    return suppress(answer["why"].to_list(), ("objects",), counts, threshold=threshold)
