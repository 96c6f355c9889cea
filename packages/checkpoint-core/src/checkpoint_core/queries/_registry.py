"""The questions by name, as a command line or a report finds and explains them."""

from collections.abc import Callable, Mapping
from inspect import signature
from types import MappingProxyType
from typing import Any, Final, Literal

import polars as pl
from msgspec import UNSET, Struct, UnsetType, structs

from checkpoint_core.queries import _counts, _near_misses, _submissions, _times
from checkpoint_core.queries._filters import NO_FILTERS, Filters, filter_events


class Parameter(Struct, frozen=True, kw_only=True):
    """What a query takes besides filters.

    `kind` is `fields` (a tuple of names of columns and periods), `time` (a datetime with its
    offset), `count` (an int) or `identity` (one of IDENTITIES). Without a default it has to be given.
    """

    name: str
    kind: Literal["fields", "time", "count", "identity"]
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


_TAKEN: Final = (
    Parameter(
        name="by",
        kind="fields",
        help="Columns to group by; also day, week and month of the timestamp, in UTC.",
    ),
    Parameter(name="as_of", kind="time", help="The moment at which to look."),
    Parameter(name="min_events", kind="count", help="Only submissions of so many events."),
    Parameter(
        name="identity",
        kind="identity",
        help=(
            "What it is about: each submission, or each visit "
            "(visit, by participant, date and number)."
        ),
    ),
)
"""What the functions may take besides filters; whether it has a default is theirs to say."""


def _query(
    name: str,
    answer: Callable[..., pl.LazyFrame],
    summary: str,
    definition: str,
    *,
    reads_ledger: bool = False,
) -> Query:
    """Describe a question, with the parameters and defaults of the function that answers it."""
    taken, defaults = signature(answer).parameters, answer.__kwdefaults__ or {}
    return Query(
        name=name,
        summary=summary,
        definition=definition,
        parameters=tuple(
            structs.replace(each, default=defaults.get(each.name, UNSET))
            for each in _TAKEN
            if each.name in taken
        ),
        reads_ledger=reads_ledger,
        answer=answer,
    )


_OF_LAST_LIFE: Final = (
    "What came before the last delete does not count, and a deleted submission is not counted."
)

_ALL: Final = (
    _query(
        "events",
        filter_events,
        "The events of which all filters hold.",
        "One row for each event, in the order of the file: by timestamp, and of equal ones the "
        "event that arrived last stands last. A delete is an event like any other.",
    ),
    _query(
        "submissions",
        _submissions.submissions,
        "Each submission: where it stands, and how it came.",
        "One row for each submission. `status` is where it stands, `outcome` its last outcome, "
        "`open_since` the first submit that no outcome has followed. Times, counts and days "
        "are of the time since its last delete; a deleted submission is there, with status "
        "deleted. `submits` are without the `duplicates`, submits that were taken back. "
        "`days_to_qc` is missing where no submit came before the first pass-qc.",
    ),
    _query(
        "latest",
        _submissions.latest,
        "The latest event of each submission.",
        "One row for each submission: the last of its events by timestamp, of equal ones by "
        "action (submit, duplicate-submit, not-pass-qc, pass-qc, delete), then by arrival. "
        "A deleted submission is there, with its delete.",
    ),
    _query(
        "status",
        _counts.current_status,
        "Submissions by where they stand.",
        "Counts submissions by status: `waiting` for a first outcome, `resubmitted` after the "
        "outcome that stands beside it, by their last outcome `pass-qc` or `not-pass-qc`, "
        "`deleted`, or `duplicate` where all that was handed in was known already. A submit or "
        "outcome after a delete begins anew.",
    ),
    _query(
        "timeline",
        _submissions.timeline,
        "All events of the chosen submissions, step by step.",
        "Every event of a submission in the order of `latest`, numbered from 1. "
        "A delete is a step like any other.",
    ),
    _query(
        "changes",
        _submissions.changes,
        "Which fields changed between successive events.",
        "One row for each event of a submission but its first. `changed` names the fields that "
        "are written otherwise than in the event before, other than the timestamp; it is empty "
        "where the event was logged again without a change. Filters on what does not identify "
        "the submission are about the later event of the two. A delete is an event like any "
        "other.",
    ),
    _query(
        "completeness",
        _submissions.completeness,
        "How submissions became more complete.",
        "One row for each submission of at least `min_events` events. `module_versions` and "
        "`packet_versions` count the values that the field has had, `filled` names those of "
        "the two that the first event lacks and the latest has, `missing` those that the "
        "latest lacks. A delete is an event like any other.",
    ),
    _query(
        "errors-by-center",
        _counts.errors_by_center,
        "Submissions with errors, by center.",
        "`errors` are submissions whose last outcome is not-pass-qc, out of all `submissions` "
        "that are not deleted; `resubmitted` are those of the errors that were handed in again "
        "since. A center whose submissions are all deleted has zeros.",
    ),
    _query(
        "counts",
        _counts.counts,
        "Events by any fields.",
        "Counts rows: an event that was rewritten counts with each version that was taken. "
        "A missing value is a group of its own. A delete is an event like any other.",
    ),
    _query(
        "pass-rates",
        _counts.pass_rates,
        "Share of checked submissions that passed QC.",
        "By the last outcome of each submission: `passed` is pass-qc, `not_passed` is "
        "not-pass-qc; without one it is `waiting` or a `duplicate`; `submissions` is their "
        "sum. `resubmitted` are those of passed and not_passed that were handed in again "
        "since. `pass_rate` is passed divided by passed and not_passed, and missing where both "
        "are 0. A deleted submission is not counted.",
    ),
    _query(
        "days-to-submission",
        _times.days_to_submission,
        "Days from visit to first submission.",
        "Whole days from visit_date to the day of the first submit, in UTC; one that a "
        f"duplicate-submit took back is none. {_OF_LAST_LIFE} "
        "`negative` ones were submitted before their date; they are in all numbers. "
        "Percentiles are interpolated. Time filters and periods are about that submit.",
    ),
    _query(
        "days-to-qc",
        _times.days_to_qc,
        "Days from visit to first passing QC.",
        "Whole days from visit_date to the day of the first pass-qc, in UTC, where a submit "
        f"came before it. {_OF_LAST_LIFE} "
        "`negative` ones passed before their date; they are in all numbers. "
        "Percentiles are interpolated. Time filters and periods are about that pass-qc.",
    ),
    _query(
        "lateness",
        _times.lateness,
        "Hours from an event's timestamp to its arrival.",
        "From the ledger: the time at which an event object was last modified, less the "
        "event's own timestamp. Only objects of which that is the arrival are `timed`, out of "
        "all `objects`: not those that were rewritten, nor those adopted unread, which have no "
        "center. Objects that were copied arrived when they were copied. "
        "`negative` ones arrived before their own time. Percentiles are interpolated. "
        "A delete is an event like any other.",
        reads_ledger=True,
    ),
    _query(
        "waiting",
        _times.waiting,
        "Submissions that wait for a first outcome, by age.",
        "Submissions that were handed in before `as_of` and have no outcome; `days_waiting` "
        f"are whole days of 24 hours since the first submit. {_OF_LAST_LIFE} Those handed in "
        "again after an outcome are not here but in resubmitted. Time filters are about that "
        "submit.",
    ),
    _query(
        "resubmitted",
        _times.resubmitted,
        "Submissions handed in again after an outcome, by age.",
        "Submissions that were handed in again before `as_of`, after their last `outcome`; "
        "`days_waiting` are whole days of 24 hours since the first submit after it. No "
        "backlog: until August 2026 an unchanged resubmission was never told to be one. "
        f"{_OF_LAST_LIFE} Time filters are about that submit.",
    ),
    _query(
        "near-misses",
        _near_misses.near_misses,
        "Submissions that may be one, but for a mistake.",
        "One row for two submissions of a center of which all that identifies them is equal but "
        "what `differs`. `kind` is `spelling`, where that is only in blanks, case or "
        "punctuation; `missing`, where one has no module or modality; `day`, where the dates "
        "are a day apart and one of the two is waiting; `rewritten`, where the participant or "
        "the date is another, but not the time of the first submit (nor, of dates, the visit "
        "number), one is waiting, the other has an outcome, and no third comes into question. "
        "Of several that are alike, each is beside the next. A deleted submission is not "
        "shown. The filters hold of at least one of the two.",
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
