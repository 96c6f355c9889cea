"""The questions by name, as a command line or a report finds and explains them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import polars as pl
from msgspec import UNSET, Struct, UnsetType

from checkpoint_core.queries import _counts, _times, _visits
from checkpoint_core.queries._filters import NO_FILTERS, Filters, filter_events


class Parameter(Struct, frozen=True, kw_only=True):
    """What a query takes besides filters.

    `kind` is `fields` (a tuple of names of columns and periods), `time` (a datetime with its
    offset) or `count` (an int). Without a default it has to be given.
    """

    name: str
    kind: Literal["fields", "time", "count"]
    default: Any | UnsetType = UNSET
    help: str


class Query(Struct, frozen=True, kw_only=True):
    """A question that has a name, what it means exactly, and how it is answered.

    `answer` takes a lazy frame of events, or of the ledger where `reads_ledger`, then filters, then
    the parameters by name; it gives a lazy frame in a definite order.
    """

    name: str
    summary: str
    definition: str
    parameters: tuple[Parameter, ...] = ()
    reads_ledger: bool = False
    answer: Callable[..., pl.LazyFrame]


def _by(*default: str) -> Parameter:
    return Parameter(
        name="by",
        kind="fields",
        default=default,
        help="Columns to group by; also day, week and month of the timestamp, in UTC.",
    )


_ALL: Final = (
    Query(
        name="events",
        summary="The events of which all filters hold.",
        definition=(
            "One row for each event, in the order of the file: by timestamp, and of equal ones the "
            "event that arrived last stands last. A delete is an event like any other."
        ),
        answer=filter_events,
    ),
    Query(
        name="latest",
        summary="The latest event of each visit.",
        definition=(
            "One row for each visit: the last of its events in the order of the file. "
            "A deleted visit is there, with its delete."
        ),
        answer=_visits.latest,
    ),
    Query(
        name="status",
        summary="Visits by current status.",
        definition=(
            "Counts visits by the action of their latest event. "
            "A deleted visit has the status delete."
        ),
        parameters=(_by("center_label"),),
        answer=_counts.current_status,
    ),
    Query(
        name="timeline",
        summary="All events of the chosen visits, step by step.",
        definition=(
            "Every event of a visit in the order of the file, numbered from 1. "
            "A delete is a step like any other."
        ),
        answer=_visits.timeline,
    ),
    Query(
        name="changes",
        summary="Which fields changed between successive events of a visit.",
        definition=(
            "One row for each event of a visit but its first. `changed` names the fields that "
            "differ from the event before, other than the timestamp; it is empty where the event "
            "was logged again without a change. Filters on anything but the visit are about the "
            "later event of the two. A delete is an event like any other."
        ),
        answer=_visits.changes,
    ),
    Query(
        name="completeness",
        summary="How visits became more complete.",
        definition=(
            "One row for each visit of at least `min_events` events. `module_versions` and "
            "`packet_versions` count the values that the field has had, `filled` names those of "
            "the two that the first event lacks and the latest has, `missing` those that the "
            "latest lacks. A delete is an event like any other."
        ),
        parameters=(
            Parameter(
                name="min_events", kind="count", default=2, help="Only visits of so many events."
            ),
        ),
        answer=_visits.completeness,
    ),
    Query(
        name="errors-by-center",
        summary="Visits with errors, by center.",
        definition=(
            "`errors` are visits whose latest event is not-pass-qc, out of all `visits` that are "
            "not deleted. A center whose visits are all deleted has zeros."
        ),
        answer=_counts.errors_by_center,
    ),
    Query(
        name="counts",
        summary="Events by any fields.",
        definition=(
            "Counts rows: an event that was rewritten counts with each version that was taken. "
            "A missing value is a group of its own. A delete is an event like any other."
        ),
        parameters=(_by("center_label", "action"),),
        answer=_counts.counts,
    ),
    Query(
        name="pass-rates",
        summary="Share of checked visits that passed QC.",
        definition=(
            "By the latest event of each visit: `passed` is pass-qc, `not_passed` is not-pass-qc, "
            "`unchecked` anything else but delete; `visits` is their sum. `pass_rate` is passed "
            "divided by passed and not_passed, and missing where both are 0. Deleted visits are "
            "not counted."
        ),
        parameters=(_by("center_label"),),
        answer=_counts.pass_rates,
    ),
    Query(
        name="days-to-submission",
        summary="Days from visit to first submission.",
        definition=(
            "Whole days from visit_date to the day of the visit's first submit, in UTC. What came "
            "before a visit's last delete does not count; a deleted visit is not counted. "
            "`negative` visits were submitted before their date; they are in all numbers. "
            "Percentiles are interpolated. Time filters and periods are about that submit."
        ),
        parameters=(_by("center_label"),),
        answer=_times.days_to_submission,
    ),
    Query(
        name="days-to-qc",
        summary="Days from visit to first passing QC.",
        definition=(
            "Whole days from visit_date to the day of the visit's first pass-qc, in UTC. What came "
            "before a visit's last delete does not count; a deleted visit is not counted. "
            "`negative` visits passed before their date; they are in all numbers. "
            "Percentiles are interpolated. Time filters and periods are about that pass-qc."
        ),
        parameters=(_by("center_label"),),
        answer=_times.days_to_qc,
    ),
    Query(
        name="lateness",
        summary="Hours from an event's timestamp to its arrival.",
        definition=(
            "From the ledger: the time at which an event object was last modified, less the "
            "event's own timestamp. Only objects of which that is the arrival are `timed`, out of "
            "all `objects`: not those that were rewritten, nor those adopted unread, which have no "
            "center. Objects that were copied arrived when they were copied. "
            "`negative` ones arrived before their own time. Percentiles are interpolated. "
            "A delete is an event like any other."
        ),
        parameters=(_by("pipeline_adcid"),),
        reads_ledger=True,
        answer=_times.lateness,
    ),
    Query(
        name="waiting",
        summary="Visits submitted and never passed, by age.",
        definition=(
            "Visits with a submit and no pass-qc before `as_of`, whatever their status; "
            "`days_waiting` are whole days of 24 hours since the first submit. What came before a "
            "visit's last delete does not count; a deleted visit is not waiting. Time filters are "
            "about that submit."
        ),
        parameters=(Parameter(name="as_of", kind="time", help="The moment at which to look."),),
        answer=_times.waiting,
    ),
)

QUERIES: Final[Mapping[str, Query]] = MappingProxyType({query.name: query for query in _ALL})
"""Every query by its name, in the order in which to list them."""


def ask(
    name: str, frame: pl.LazyFrame, filters: Filters = NO_FILTERS, **parameters: Any
) -> pl.LazyFrame:
    """Answer a query by its name, from events, or from the ledger where the query reads that.

    Raises ValueError for a name or parameter that there is not, and for a missing parameter.
    """
    query = QUERIES.get(name)
    if query is None:
        raise ValueError(f"no such query; there are {', '.join(QUERIES)}")
    known = {parameter.name for parameter in query.parameters}
    required = {each.name for each in query.parameters if each.default is UNSET}
    if not parameters.keys() <= known or not required <= parameters.keys():
        takes = ", ".join(sorted(known)) or "none"
        needs = ", ".join(sorted(required)) or "none"
        raise ValueError(f"{name}: its parameters are: {takes}; those it needs: {needs}")
    return query.answer(frame, filters, **parameters)
