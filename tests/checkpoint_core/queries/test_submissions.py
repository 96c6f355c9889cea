"""What was handed in, case by case: what one submission is, and what its events say of it."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from msgspec.structs import asdict

from checkpoint_core.queries import (
    STATUSES,
    SUBMISSION,
    Filters,
    current_status,
    days_to_qc,
    pass_rates,
    resubmitted,
    submissions,
    timeline,
    waiting,
)
from nacc_event_model import EventFormat
from tests.checkpoint_core.queries.generated import in_file_order
from tests.event_model.strategies import example_event_v11

NOON = datetime(2026, 8, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
USUAL: dict[str, Any] = asdict(example_event_v11(modality=None))
FORM: dict[str, Any] = {"visit_date": date(2026, 8, 5), "timestamp": NOON}
IMAGE = FORM | {"datatype": "dicom", "module": None, "packet": None, "modality": "MR"}


def checkpoint(*events: dict[str, Any]) -> pl.LazyFrame:
    """Return the checkpoint of events that arrived in this order; a form's, but for this."""
    rows = [tuple((USUAL | FORM | changed).values()) for changed in events]
    return in_file_order(rows, EventFormat.V1_1).lazy()


def history(actions: str, **fields: Any) -> pl.LazyFrame:
    """Return the checkpoint of one submission with these actions on successive days."""
    return checkpoint(
        *(
            {"action": action, "timestamp": NOON + number * DAY} | fields
            for number, action in enumerate(actions.split())
        )
    )


def rows(answer: pl.LazyFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Collect these columns of an answer."""
    return answer.select(columns).collect().rows()


@pytest.mark.parametrize(
    "other",
    [
        {"pipeline_adcid": 7},
        {"ptid": "110002"},
        {"visit_date": date(2026, 8, 6)},
        {"datatype": "enrollment", "module": None},
        {"module": "FTLD"},
        {"datatype": "dicom", "modality": "MR"},
    ],
    ids=SUBMISSION,
)
def test_whatever_identifies_a_submission_tells_two_apart(other: dict[str, Any]) -> None:
    """Two modules of a visit never hide one another."""
    events = checkpoint({"action": "pass-qc"}, {"action": "not-pass-qc"} | other)

    assert {"pass-qc", "not-pass-qc"} == {
        status for (status,) in rows(submissions(events), "status")
    }


@pytest.mark.parametrize(
    "other",
    [
        {"study": "dvcid"},
        {"project_label": "ingest"},
        {"center_label": "beta"},
        {"gear_name": "qc"},
        {"ptid": "00110001"},
        {"visit_number": None},
        {"module": "uds"},
        {"packet": None},
        {"naccid": "NACC1"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_nothing_else_tells_submissions_apart(other: dict[str, Any]) -> None:
    """Producers disagree on the study, leave out or write otherwise what else there is."""
    events = checkpoint({"action": "submit"} | other, {"action": "pass-qc"})

    assert rows(submissions(events), "status", "submits") == [("pass-qc", 1)]


def test_the_study_is_the_latest_other_than_adrc() -> None:
    """Half of the producers leave its default."""
    events = checkpoint(
        {"study": "leads"}, {"action": "pass-qc", "study": "dvcid"}, {"action": "delete"}
    )

    assert rows(submissions(events), "study") == [("dvcid",)]
    assert rows(submissions(history("submit pass-qc")), "study") == [("adrc",)]


def test_a_participant_of_noughts_alone_is_one() -> None:
    """Not one without an id."""
    events = checkpoint({"ptid": "000"}, {"ptid": "0", "action": "pass-qc"})

    assert rows(submissions(events), "ptid", "status") == [("0", "pass-qc")]
    assert rows(submissions(events, Filters(ptid=("00",))), "ptid") == [("0",)]


def test_two_modalities_of_a_date_are_two_submissions() -> None:
    """But only where they say which they are of; before, they are one."""
    known = checkpoint(IMAGE, IMAGE | {"modality": "pt", "action": "pass-qc"})
    unknown = checkpoint(
        IMAGE | {"modality": None}, IMAGE | {"modality": None, "action": "pass-qc"}
    )

    assert rows(submissions(known), "module", "modality", "status") == [
        (None, "MR", "waiting"),
        (None, "PT", "pass-qc"),
    ]
    assert rows(submissions(unknown), "modality", "status") == [(None, "pass-qc")]


def test_an_event_without_a_module_is_an_earlier_version_of_the_same_event() -> None:
    """Of the one with the same action and time, though there are two modules."""
    events = checkpoint(
        {"module": None}, {"module": "UDS"}, {"module": "FTLD", "timestamp": NOON + DAY}
    )

    assert rows(submissions(events), "module", "submits") == [("FTLD", 1), ("UDS", 1)]
    assert rows(timeline(events, Filters(module=("UDS",))), "module") == [(None,), ("UDS",)]


def test_an_event_without_a_module_belongs_to_the_only_submission_of_its_date() -> None:
    """A request for deletion deletes, whatever it leaves out; of several it is none of them."""
    request = {"action": "delete", "module": None, "visit_number": None, "timestamp": NOON + DAY}

    one = checkpoint({"module": "UDS"}, request)
    several = checkpoint({"module": "UDS"}, {"module": "FTLD"}, request)

    assert rows(submissions(one), "module", "status") == [("UDS", "deleted")]
    assert rows(submissions(several), "module", "status") == [
        (None, "deleted"),
        ("FTLD", "waiting"),
        ("UDS", "waiting"),
    ]


def test_of_the_versions_of_an_event_the_last_counts() -> None:
    """It is one event, however often it was written."""
    events = checkpoint({"packet": None}, {"packet": "I"}, {"packet": "F", "study": "dvcid"})

    assert rows(submissions(events), "packet", "study", "submits") == [("F", "dvcid", 1)]


@pytest.mark.parametrize(
    "actions, status, outcome",
    [
        ("submit", "waiting", None),
        ("submit submit", "waiting", None),
        ("submit pass-qc", "pass-qc", "pass-qc"),
        ("submit submit not-pass-qc", "not-pass-qc", "not-pass-qc"),
        ("submit not-pass-qc pass-qc", "pass-qc", "pass-qc"),
        ("pass-qc", "pass-qc", "pass-qc"),
        ("submit not-pass-qc submit", "resubmitted", "not-pass-qc"),
        ("submit pass-qc submit", "resubmitted", "pass-qc"),
        ("submit pass-qc submit duplicate-submit", "pass-qc", "pass-qc"),
        ("submit pass-qc submit submit duplicate-submit", "resubmitted", "pass-qc"),
        ("submit pass-qc duplicate-submit", "pass-qc", "pass-qc"),
        ("submit pass-qc duplicate-submit submit", "resubmitted", "pass-qc"),
        ("submit submit duplicate-submit", "waiting", None),
        ("submit duplicate-submit", "duplicate", None),
        ("submit submit duplicate-submit duplicate-submit", "duplicate", None),
        ("duplicate-submit", "duplicate", None),
        ("duplicate-submit submit", "waiting", None),
        ("submit duplicate-submit pass-qc", "pass-qc", "pass-qc"),
        ("submit pass-qc delete", "deleted", None),
        ("delete", "deleted", None),
        ("submit pass-qc delete duplicate-submit", "deleted", None),
        ("submit pass-qc delete submit", "waiting", None),
        ("submit pass-qc delete submit duplicate-submit", "duplicate", None),
        ("submit delete duplicate-submit submit not-pass-qc", "not-pass-qc", "not-pass-qc"),
        ("submit delete pass-qc", "pass-qc", "pass-qc"),
    ],
)
def test_a_status_is_read_from_the_events_in_order(
    actions: str, status: str, outcome: str | None
) -> None:
    """Each rule, and how they go together."""
    assert rows(submissions(history(actions)), "status", "outcome") == [(status, outcome)]
    assert status in STATUSES


def test_of_equal_times_the_outcome_comes_after_the_submit() -> None:
    """Whichever arrived first; and a delete after all."""
    at_once = ["delete", "pass-qc", "not-pass-qc", "duplicate-submit", "submit"]
    events = checkpoint(*({"action": action} for action in at_once))

    assert rows(timeline(events), "action") == [
        ("submit",),
        ("duplicate-submit",),
        ("not-pass-qc",),
        ("pass-qc",),
        ("delete",),
    ]


def test_a_submission_passed_and_handed_in_again_unchanged_has_passed() -> None:
    """It does not wait, and its days to QC are those of the first time."""
    events = history("submit pass-qc submit duplicate-submit")

    assert rows(current_status(events), "status", "submissions") == [("pass-qc", 1)]
    assert rows(days_to_qc(events), "submissions", "median_days") == [(1, 11)]
    assert rows(submissions(events), "submits", "duplicates", "days_to_submission") == [(1, 1, 10)]
    for question in (waiting, resubmitted):
        assert rows(question(events, as_of=NOON + 9 * DAY), "ptid") == []


def test_the_same_before_there_were_duplicates_is_passed_and_resubmitted() -> None:
    """Not in the backlog."""
    events = history("submit pass-qc submit")

    assert rows(pass_rates(events), "passed", "waiting", "resubmitted") == [(1, 0, 1)]
    assert rows(days_to_qc(events), "median_days") == [(11,)]
    assert rows(waiting(events, as_of=NOON + 9 * DAY), "ptid") == []
    again = resubmitted(events, as_of=NOON + 9 * DAY)
    assert rows(again, "outcome", "days_waiting") == [("pass-qc", 7)]


def test_a_module_that_passed_does_not_hide_another() -> None:
    """UDS passed, and FTLD was handed in the next day: one passed, one waits."""
    events = checkpoint(
        {"module": "UDS"},
        {"module": "UDS", "action": "pass-qc", "timestamp": NOON + timedelta(hours=1)},
        {"module": "FTLD", "timestamp": NOON + DAY},
    )

    assert rows(pass_rates(events), "passed", "waiting") == [(1, 1)]


def test_an_outcome_without_a_submit_counts_and_has_no_days() -> None:
    """Data that was handed in before the log began, or whose submit comes after."""
    for actions in ("pass-qc", "pass-qc submit", "submit duplicate-submit pass-qc"):
        events = history(actions)
        assert rows(submissions(events), "passes", "days_to_qc") == [(1, None)]
        assert rows(days_to_qc(events), "submissions") == []


def test_what_came_before_a_delete_is_in_no_number() -> None:
    """Nor in the times."""
    events = history("submit pass-qc submit duplicate-submit delete submit not-pass-qc")
    columns = ("first_submit", "last_submit", "first_pass", "submits", "passes", "failures")

    assert rows(submissions(events), *columns, "duplicates") == [
        (NOON + 5 * DAY, NOON + 5 * DAY, None, 1, 0, 1, 0)
    ]


def test_format_1_0_works_the_same() -> None:
    """It has neither modalities nor duplicates."""
    old = in_file_order([], EventFormat.V1_0).columns
    frame = history("submit not-pass-qc submit").select(old)

    answer = submissions(frame)

    assert rows(answer, "module", "modality", "status") == [("UDS", None, "resubmitted")]
    assert "naccid" not in answer.collect_schema().names()
    assert rows(submissions(frame, Filters(modality=(None,))), "status") == [("resubmitted",)]


def test_an_answer_can_be_written_as_json() -> None:
    """Every column is of a plain type."""
    assert json.loads(submissions(history("submit")).collect().write_json())
