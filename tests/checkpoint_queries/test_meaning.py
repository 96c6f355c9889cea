"""What the questions mean, case by case: what one submission is, and what its events say of it.

The twins say the same of whatever can be generated. Here stands what a person decided, one case of
each rule, and what is generated rarely.
"""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from checkpoint_queries import (
    AGES,
    STATUSES,
    Filters,
    counts,
    current_status,
    days_from_visit,
    latest,
    pass_rates,
    resubmitted,
    submissions,
    waiting,
)
from nacc_event_model import EventFormat, VisitEvent
from tests.checkpoint_queries.cases import DAY, IMAGE, NOON, checkpoint, history, rows
from tests.checkpoint_queries.generated import in_file_order
from tests.event_model.strategies import visit_events

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "other, submitted",
    [
        ({"pipeline_adcid": 7}, 2),
        ({"ptid": "110002"}, 2),
        ({"visit_date": date(2026, 8, 6)}, 2),
        ({"datatype": "enrollment", "module": None}, 2),
        ({"module": "FTLD"}, 2),
        (IMAGE, 2),
        ({"study": "dvcid"}, 1),
        ({"project_label": "ingest"}, 1),
        ({"center_label": "beta"}, 1),
        ({"gear_name": "qc"}, 1),
        ({"ptid": "00110001"}, 1),
        ({"visit_number": None}, 1),
        ({"module": "uds"}, 1),
        ({"packet": None}, 1),
        ({"naccid": "NACC1"}, 1),
    ],
)
def test_what_identifies_a_submission_tells_two_apart_and_nothing_else_does(
    other: dict[str, Any], submitted: int
) -> None:
    """Producers disagree on the study, leave out or write otherwise what else there is."""
    events = checkpoint({"action": "submit"} | other, {"action": "pass-qc"})

    assert len(rows(submissions(events), "status")) == submitted


def test_a_participant_of_noughts_alone_is_one() -> None:
    """Not one without an id."""
    events = checkpoint({"ptid": "000"}, {"ptid": "0", "action": "pass-qc"})

    assert rows(submissions(events), "ptid", "status") == [("0", "pass-qc")]
    assert rows(submissions(events, Filters(ptid=("00",))), "ptid") == [("0",)]


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


def test_a_submission_handed_in_again_after_it_passed_is_no_backlog() -> None:
    """Whether a duplicate was told, so that it only passed, or none yet, so that it is shown."""
    at = NOON + 9 * DAY
    told, untold = (
        history("submit pass-qc submit duplicate-submit"),
        history("submit pass-qc submit"),
    )

    assert rows(pass_rates(told), "passed", "waiting", "resubmitted") == [(1, 0, 0)]
    assert rows(pass_rates(untold), "passed", "waiting", "resubmitted") == [(1, 0, 1)]
    assert rows(resubmitted(told, as_of=at), "ptid") == []
    assert rows(resubmitted(untold, as_of=at), "outcome", "days_waiting") == [("pass-qc", 7)]
    assert rows(waiting(told, as_of=at), "ptid") == rows(waiting(untold, as_of=at), "ptid") == []


def test_a_label_in_use_means_its_center_alone() -> None:
    """One that is no longer in use means whoever had it; two that have it are told apart."""
    renamed = [
        {"center_label": "alpha", "timestamp": NOON},
        {"center_label": "beta", "timestamp": NOON + HOUR},
    ]
    other = {"pipeline_adcid": 7, "center_label": "alpha", "timestamp": NOON + HOUR}
    shared = [*renamed, other, {"center_label": "alpha", "timestamp": NOON + DAY}]
    alpha = Filters(center_label=("alpha",))

    assert rows(latest(checkpoint(*renamed), alpha), "pipeline_adcid") == [(42,)]
    assert rows(latest(checkpoint(*renamed, other), alpha), "pipeline_adcid") == [(7,)]
    counted = current_status(checkpoint(*shared))
    assert rows(counted, "pipeline_adcid", "center_label") == [(7, "alpha"), (42, "alpha")]


def test_the_test_site_is_left_out_unless_it_is_asked_for() -> None:
    """By its number, by its label, or by asking to include it; the same for events."""
    frame = checkpoint({"pipeline_adcid": 0, "center_label": "test"}, {})

    def found(**filters: Any) -> list[tuple[Any, ...]]:
        numbers = rows(counts(frame, Filters(**filters), by=("pipeline_adcid",)), "pipeline_adcid")
        assert numbers == rows(submissions(frame, Filters(**filters)), "pipeline_adcid")
        return numbers

    assert found() == [(42,)]
    assert found(include_test_center=True) == [(0,), (42,)]
    assert found(pipeline_adcid=(0,)) == found(center_label=("test",)) == [(0,)]


# Feature: event-log-scraper, Property 12: Temporal calculation support
@given(
    st.lists(
        visit_events(action=st.sampled_from(["submit", "pass-qc"]), center_label=st.just("alpha")),
        max_size=8,
    )
)
def test_days_are_exact_over_the_whole_calendar(events: list[VisitEvent]) -> None:
    """For every event, as Python counts them: from midnight to midnight in UTC."""
    frame = in_file_order(map(astuple, events), EventFormat.V1_0).lazy()

    days = rows(frame.select("gear_name", days_from_visit()), "gear_name", "days")

    assert Counter(days) == Counter(
        (event.gear_name, (event.timestamp.date() - event.visit_date).days) for event in events
    )


@pytest.mark.parametrize(
    "days, age", [(0, 0), (6, 0), (7, 1), (29, 1), (30, 2), (89, 2), (90, 3), (999, 3)]
)
def test_ages_have_classes(days: int, age: int) -> None:
    """Whose order is theirs, not that of their names."""
    answer = waiting(checkpoint({}), as_of=NOON + days * DAY + HOUR).collect()

    assert answer.select("days_waiting", "age").row(0) == (days, AGES[age])
    assert answer.schema["age"] == pl.Enum(AGES)


def test_who_waits_is_told_as_of_a_moment() -> None:
    """What happens at that very moment or later does not count; nor what filters leave out."""
    events = checkpoint({}, {"action": "pass-qc", "timestamp": NOON + DAY})
    at_noon = Filters(timestamp_to=NOON)

    assert rows(waiting(events, as_of=NOON + DAY), "days_waiting") == [(1,)]
    assert rows(waiting(events, as_of=NOON + DAY + HOUR), "days_waiting") == []
    assert rows(waiting(events, as_of=NOON), "days_waiting") == []
    assert rows(waiting(events, at_noon, as_of=NOON + DAY), "days_waiting") == []


def test_periods_begin_with_their_first_day() -> None:
    """A week on Monday."""
    events = checkpoint({"timestamp": datetime(2024, 5, 16, 23, 59, tzinfo=UTC)})

    assert rows(counts(events, by=("day", "week", "month")), "day", "week", "month") == [
        (date(2024, 5, 16), date(2024, 5, 13), date(2024, 5, 1))
    ]


def test_an_answer_can_be_written_as_json() -> None:
    """Every column is of a plain type."""
    assert json.loads(submissions(history("submit")).collect().write_json())
