"""The questions by name, as a command line or a report finds and explains them.

What each means and takes is told here without what answers them: `checkpoint_queries`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from msgspec import UNSET, Struct, UnsetType

__all__ = ["QUESTIONS", "Identity", "Parameter", "Question"]

Identity = Literal["submission", "visit"]
"""What a question is about: submissions, or visits as participants make them."""


class Parameter(Struct, frozen=True, kw_only=True):
    """What a question takes besides filters.

    `kind` is `fields` (a tuple of names of columns and periods), `time` (a datetime with its
    offset), `count` (an int) or `identity`. Without a default it has to be given.
    """

    name: str
    kind: Literal["fields", "time", "count", "identity"]
    default: Any | UnsetType = UNSET
    help: str


class Question(Struct, frozen=True, kw_only=True):
    """A question that has a name, what it means exactly, and what it takes."""

    name: str
    summary: str
    definition: str
    parameters: tuple[Parameter, ...] = ()
    reads_ledger: bool = False


def _by(*fields: str) -> Parameter:
    meaning = "Columns to group by; also day, week and month of the timestamp, in UTC."
    return Parameter(name="by", kind="fields", default=fields, help=meaning)


_AS_OF: Final = Parameter(name="as_of", kind="time", help="The moment at which to look.")
_MIN_EVENTS: Final = Parameter(
    name="min_events", kind="count", default=2, help="Only submissions of so many events."
)
_IDENTITY: Final = Parameter(
    name="identity",
    kind="identity",
    default="submission",
    help="What it is about: each submission, or each visit (visit, by participant, date and number).",
)
_OF_LAST_LIFE: Final = (
    "What came before the last delete does not count, and a deleted submission is not counted."
)

_ALL: Final = (
    Question(
        name="events",
        summary="The events of which all filters hold.",
        definition=(
            "One row for each event, in the order of the file: by timestamp, and of equal ones the "
            "event that arrived last stands last. A delete is an event like any other."
        ),
    ),
    Question(
        name="submissions",
        summary="Each submission: where it stands, and how it came.",
        definition=(
            "One row for each submission. `status` is where it stands, `outcome` its last outcome, "
            "`open_since` the first submit that no outcome has followed. Times, counts and days "
            "are of the time since its last delete; a deleted submission is there, with status "
            "deleted. `submits` are without the `duplicates`, submits that were taken back. "
            "`days_to_qc` is missing where no submit came before the first pass-qc."
        ),
        parameters=(_IDENTITY,),
    ),
    Question(
        name="latest",
        summary="The latest event of each submission.",
        definition=(
            "One row for each submission: the last of its events by timestamp, of equal ones by "
            "action (submit, duplicate-submit, not-pass-qc, pass-qc, delete), then by arrival. "
            "A deleted submission is there, with its delete."
        ),
        parameters=(_IDENTITY,),
    ),
    Question(
        name="status",
        summary="Submissions by where they stand.",
        definition=(
            "Counts submissions by status: `waiting` for a first outcome, `resubmitted` after the "
            "outcome that stands beside it, by their last outcome `pass-qc` or `not-pass-qc`, "
            "`deleted`, or `duplicate` where all that was handed in was known already. A submit or "
            "outcome after a delete begins anew."
        ),
        parameters=(_by("center_label"), _IDENTITY),
    ),
    Question(
        name="timeline",
        summary="All events of the chosen submissions, step by step.",
        definition=(
            "Every event of a submission in the order of `latest`, numbered from 1. "
            "A delete is a step like any other."
        ),
        parameters=(_IDENTITY,),
    ),
    Question(
        name="changes",
        summary="Which fields changed between successive events.",
        definition=(
            "One row for each event of a submission but its first. `changed` names the fields that "
            "are written otherwise than in the event before, other than the timestamp; it is empty "
            "where the event was logged again without a change. Filters on what does not identify "
            "the submission are about the later event of the two. A delete is an event like any "
            "other."
        ),
        parameters=(_IDENTITY,),
    ),
    Question(
        name="completeness",
        summary="How submissions became more complete.",
        definition=(
            "One row for each submission of at least `min_events` events. `module_versions` and "
            "`packet_versions` count the values that the field has had, `filled` names those of "
            "the two that the first event lacks and the latest has, `missing` those that the "
            "latest lacks. A delete is an event like any other."
        ),
        parameters=(_MIN_EVENTS, _IDENTITY),
    ),
    Question(
        name="errors-by-center",
        summary="Submissions with errors, by center.",
        definition=(
            "`errors` are submissions whose last outcome is not-pass-qc, out of all `submissions` "
            "that are not deleted; `resubmitted` are those of the errors that were handed in again "
            "since. A center whose submissions are all deleted has zeros."
        ),
        parameters=(_by("center_label"), _IDENTITY),
    ),
    Question(
        name="counts",
        summary="Events by any fields.",
        definition=(
            "Counts rows: an event that was rewritten counts with each version that was taken. "
            "A missing value is a group of its own. A delete is an event like any other."
        ),
        parameters=(_by("center_label", "action"),),
    ),
    Question(
        name="pass-rates",
        summary="Share of checked submissions that passed QC.",
        definition=(
            "By the last outcome of each submission: `passed` is pass-qc, `not_passed` is "
            "not-pass-qc; without one it is `waiting` or a `duplicate`; `submissions` is their "
            "sum. `resubmitted` are those of passed and not_passed that were handed in again "
            "since. `pass_rate` is passed divided by passed and not_passed, and missing where both "
            "are 0. A deleted submission is not counted."
        ),
        parameters=(_by("center_label"), _IDENTITY),
    ),
    Question(
        name="days-to-submission",
        summary="Days from visit to first submission.",
        definition=(
            "Whole days from visit_date to the day of the first submit, in UTC; one that a "
            f"duplicate-submit took back is none. {_OF_LAST_LIFE} "
            "`negative` ones were submitted before their date; they are in all numbers. "
            "Percentiles are interpolated. Time filters and periods are about that submit."
        ),
        parameters=(_by("center_label"), _IDENTITY),
    ),
    Question(
        name="days-to-qc",
        summary="Days from visit to first passing QC.",
        definition=(
            "Whole days from visit_date to the day of the first pass-qc, in UTC, where a submit "
            f"came before it. {_OF_LAST_LIFE} "
            "`negative` ones passed before their date; they are in all numbers. "
            "Percentiles are interpolated. Time filters and periods are about that pass-qc."
        ),
        parameters=(_by("center_label"), _IDENTITY),
    ),
    Question(
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
    ),
    Question(
        name="waiting",
        summary="Submissions that wait for a first outcome, by age.",
        definition=(
            "Submissions that were handed in before `as_of` and have no outcome; `days_waiting` "
            f"are whole days of 24 hours since the first submit. {_OF_LAST_LIFE} Those handed in "
            "again after an outcome are not here but in resubmitted. Time filters are about that "
            "submit."
        ),
        parameters=(_AS_OF, _IDENTITY),
    ),
    Question(
        name="resubmitted",
        summary="Submissions handed in again after an outcome, by age.",
        definition=(
            "Submissions that were handed in again before `as_of`, after their last `outcome`; "
            "`days_waiting` are whole days of 24 hours since the first submit after it. No "
            "backlog: until August 2026 an unchanged resubmission was never told to be one. "
            f"{_OF_LAST_LIFE} Time filters are about that submit."
        ),
        parameters=(_AS_OF, _IDENTITY),
    ),
    Question(
        name="near-misses",
        summary="Submissions that may be one, but for a mistake.",
        definition=(
            "One row for two submissions of a center of which all that identifies them is equal but "
            "what `differs`. `kind` is `spelling`, where that is only in blanks, case or "
            "punctuation; `missing`, where one has no module or modality; `day`, where the dates "
            "are a day apart and one of the two is waiting; `rewritten`, where the participant or "
            "the date is another, but not the time of the first submit (nor, of dates, the visit "
            "number), one is waiting, the other has an outcome, and no third comes into question. "
            "Of several that are alike, each is beside the next. A deleted submission is not "
            "shown. The filters hold of at least one of the two."
        ),
    ),
)

QUESTIONS: Final[Mapping[str, Question]] = MappingProxyType({each.name: each for each in _ALL})
"""Every question by its name, in the order in which to list them."""
