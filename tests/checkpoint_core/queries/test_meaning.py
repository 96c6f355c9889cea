"""What the questions mean, case by case: whom they count, what is latest, what a delete does."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from checkpoint_core.queries import (
    AGES,
    VISIT,
    Filters,
    changes,
    completeness,
    counts,
    current_status,
    days_from_visit,
    days_to_qc,
    days_to_submission,
    errors_by_center,
    latest,
    pass_rates,
    resubmitted,
    submissions,
    timeline,
    waiting,
)
from nacc_event_model import EventFormat, VisitEvent
from tests.checkpoint_core.queries.generated import in_file_order
from tests.event_model.strategies import example_event, example_event_v11, visit_events

NOON = datetime(2024, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def checkpoint(*events: dict[str, Any]) -> pl.LazyFrame:
    """Return the checkpoint of events that arrived in this order; the usual one, but for this."""
    rows = [example_event(**({"timestamp": NOON} | changed)) for changed in events]
    return in_file_order(map(astuple, rows), EventFormat.V1_0).lazy()


def rows(answer: pl.LazyFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Collect these columns of an answer."""
    return answer.select(columns).collect().rows()


@pytest.mark.parametrize(
    "other",
    [
        {"pipeline_adcid": 7},
        {"ptid": "110002"},
        {"visit_date": date(2024, 1, 16)},
        {"visit_number": "02"},
    ],
    ids=VISIT,
)
def test_whatever_identifies_a_visit_tells_two_apart(other: dict[str, Any]) -> None:
    """The seed's visits, of each center its own; anything else does not."""
    events = checkpoint({"action": "not-pass-qc"}, {"action": "pass-qc", "study": "dvcid"} | other)

    answer = errors_by_center(events, identity="visit").select("submissions", "errors").sum()
    assert rows(answer, "submissions", "errors") == [(2, 1)]
    assert rows(latest(events, identity="visit"), "action") != [("pass-qc",)]


def test_a_visit_has_all_its_datatypes_and_modules() -> None:
    """Where visits are asked for."""
    events = checkpoint(
        {"module": "UDS"}, {"module": "FTLD"}, {"datatype": "dicom", "module": None}
    )

    assert rows(submissions(events, identity="visit"), *VISIT) == [
        (42, "110001", date(2024, 1, 15), "01")
    ]
    assert rows(timeline(events, identity="visit"), "step") == [(1,), (2,), (3,)]


def test_a_missing_visit_number_equals_a_missing_one() -> None:
    """Two events of an image are one visit's, and not that of a numbered one."""
    image = {"datatype": "dicom", "module": None, "visit_number": None, "timestamp": NOON}
    events = [
        example_event_v11(**image),
        example_event_v11(**image | {"action": "delete"}),
        example_event_v11(**image | {"visit_number": "01"}),
    ]
    frame = in_file_order(map(astuple, events), EventFormat.V1_1).lazy()

    asked = latest(frame, identity="visit")
    assert rows(asked, "visit_number", "action") == [(None, "delete"), ("01", "submit")]
    steps = timeline(frame, identity="visit")
    assert rows(steps, "visit_number", "step") == [(None, 1), (None, 2), ("01", 1)]
    timed = days_to_submission(frame, by=VISIT, identity="visit")
    assert rows(timed, "visit_number") == [("01",)]
    unnumbered = latest(frame, Filters(visit_number=(None,)), identity="visit")
    assert rows(unnumbered, "action") == [("delete",)]


def test_of_equal_times_the_event_that_arrived_last_is_the_latest() -> None:
    """Whatever its action: a rewritten object has the same time and more fields."""
    first, last = {"module": None, "packet": None}, {"module": "UDS", "packet": "I"}
    events, turned = checkpoint(first, last), checkpoint(last, first)

    assert rows(latest(events), "module", "packet") == [("UDS", "I")]
    assert rows(latest(turned), "module", "packet") == [(None, None)]


def test_a_late_event_does_not_become_the_latest() -> None:
    """It arrived last, and happened before."""
    events = checkpoint({"action": "pass-qc"}, {"action": "submit", "timestamp": NOON - HOUR})

    assert rows(latest(events), "action") == [("pass-qc",)]


def test_the_status_is_not_that_of_the_latest_event_of_a_kind() -> None:
    """A visit that passed is no error, though it failed before; filters come after the status."""
    events = checkpoint({"action": "not-pass-qc"}, {"action": "pass-qc", "timestamp": NOON + HOUR})

    assert rows(errors_by_center(events), "errors") == [(0,)]
    assert rows(latest(events, Filters(action=("not-pass-qc",))), "action") == []
    assert rows(latest(events, Filters(timestamp_to=NOON + HOUR)), "action") == [("not-pass-qc",)]


def test_a_renamed_center_keeps_its_submissions() -> None:
    """Under its latest label, also where that is another submission's; the old one names it too."""
    events = checkpoint(
        {"action": "not-pass-qc"},
        {"action": "pass-qc", "center_label": "beta", "timestamp": NOON + HOUR},
    )

    other = {"ptid": "110002", "center_label": "alpha", "timestamp": NOON - HOUR}
    both = checkpoint(other, *events.collect().to_dicts())

    assert rows(errors_by_center(both), "center_label", "submissions") == [("beta", 2)]
    assert rows(counts(both, by=("center_label",)), "center_label", "events") == [("beta", 3)]
    for label in ("alpha", "beta"):
        assert rows(latest(both, Filters(center_label=(label,))), "ptid") == [
            ("110001",),
            ("110002",),
        ]


def test_a_label_in_use_means_its_center_alone() -> None:
    """Also where another center had it before; two that have it are told apart."""
    renamed = [
        {"center_label": "alpha", "timestamp": NOON},
        {"center_label": "beta", "timestamp": NOON + HOUR},
        {"pipeline_adcid": 7, "center_label": "alpha", "timestamp": NOON + HOUR},
    ]
    shared = [*renamed, {"center_label": "alpha", "timestamp": NOON + DAY}]

    chosen = latest(checkpoint(*renamed), Filters(center_label=("alpha",)))
    assert rows(chosen, "pipeline_adcid") == [(7,)]
    counted = current_status(checkpoint(*shared))
    assert rows(counted, "pipeline_adcid", "center_label", "submissions") == [
        (7, "alpha", 1),
        (42, "alpha", 1),
    ]


def test_the_test_site_is_left_out_unless_it_is_asked_for() -> None:
    """By its number, by its label, or by asking to include it; the same for events."""
    site = example_event_v11(pipeline_adcid=0, center_label="test", timestamp=NOON)
    frame = in_file_order(map(astuple, [site, example_event_v11()]), EventFormat.V1_1).lazy()

    def found(**filters: Any) -> list[int]:
        numbers = rows(counts(frame, Filters(**filters), by=("pipeline_adcid",)), "pipeline_adcid")
        asked = rows(submissions(frame, Filters(**filters)), "pipeline_adcid")
        assert numbers == asked
        return [number for (number,) in numbers]

    assert found() == [42]
    assert found(include_test_center=True) == [0, 42]
    assert found(pipeline_adcid=(0,)) == [0]
    assert found(center_label=("test",)) == [0]


def test_a_deleted_submission_is_a_status_of_its_own() -> None:
    """Neither an error nor passed, nor waiting, nor timed; but its events are there."""
    events = checkpoint(
        {"action": "submit"},
        {"action": "pass-qc", "timestamp": NOON + HOUR},
        {"action": "delete", "timestamp": NOON + 2 * HOUR},
    )

    assert rows(current_status(events), "status", "submissions") == [("deleted", 1)]
    assert rows(errors_by_center(events), "submissions", "errors") == [(0, 0)]
    assert rows(pass_rates(events), "submissions", "passed", "pass_rate") == [(0, 0, None)]
    assert rows(days_to_submission(events), "submissions") == []
    assert rows(waiting(events, as_of=NOON + DAY), "ptid") == []
    assert rows(timeline(events), "action") == [("submit",), ("pass-qc",), ("delete",)]
    assert rows(counts(events, by=()), "events") == [(3,)]


def test_after_a_delete_a_submission_starts_anew() -> None:
    """What is there now was submitted on the tenth day, and has not passed."""
    events = checkpoint(
        {"action": "submit"},
        {"action": "pass-qc", "timestamp": NOON + DAY},
        {"action": "delete", "timestamp": NOON + 2 * DAY},
        {"action": "submit", "timestamp": NOON + 10 * DAY},
    )

    assert rows(days_to_submission(events), "median_days") == [(10,)]
    assert rows(days_to_qc(events), "submissions") == []
    assert rows(waiting(events, as_of=NOON + 11 * DAY), "days_waiting") == [(1,)]
    assert rows(current_status(events), "status", "submissions") == [("waiting", 1)]


# Feature: event-log-scraper, Property 12: Temporal calculation support
@given(
    st.lists(
        visit_events(action=st.sampled_from(["submit", "pass-qc"]), center_label=st.just("alpha")),
        max_size=8,
    )
)
def test_days_are_exact_over_the_whole_calendar(events: list[VisitEvent]) -> None:
    """For every event, as Python counts them."""
    frame = in_file_order(map(astuple, events), EventFormat.V1_0).lazy()

    days = rows(frame.select("gear_name", days_from_visit()), "gear_name", "days")

    assert Counter(days) == Counter(
        (event.gear_name, (event.timestamp.date() - event.visit_date).days) for event in events
    )


def test_days_run_from_midnight_to_midnight() -> None:
    """In UTC: the last microsecond of the visit's day is day 0, the next one day 1."""
    midnight = datetime(2024, 1, 16, tzinfo=UTC)
    moments = [midnight - timedelta(microseconds=1), midnight, midnight - DAY, midnight - 2 * DAY]
    events = checkpoint(*({"timestamp": moment} for moment in moments))

    assert rows(events.select(days_from_visit()), "days") == [(-1,), (0,), (0,), (1,)]


def test_submission_counts_from_the_first_submit_and_qc_from_the_first_pass() -> None:
    """Later ones are corrections."""
    actions = ["submit", "not-pass-qc", "submit", "pass-qc", "submit", "pass-qc"]
    events = checkpoint(
        *(
            {"action": action, "timestamp": NOON + number * DAY}
            for number, action in enumerate(actions)
        )
    )

    assert rows(days_to_submission(events), "median_days") == [(0,)]
    assert rows(days_to_qc(events), "median_days") == [(3,)]
    assert rows(days_to_qc(events, Filters(timestamp_from=NOON + 4 * DAY)), "submissions") == []


def test_negative_days_are_kept_and_counted() -> None:
    """A visit date in the future is an error to be found, not to be hidden."""
    events = checkpoint(
        {"timestamp": NOON - 4 * DAY},
        {"timestamp": NOON + 2 * DAY, "ptid": "110002"},
    )

    answer = days_to_submission(events)

    assert rows(
        answer, "submissions", "negative", "minimum_days", "median_days", "maximum_days"
    ) == [(2, 1, -4, -1, 2)]
    assert rows(days_to_submission(events, by=("ptid",)), "ptid", "negative") == [
        ("110001", 1),
        ("110002", 0),
    ]


def test_changes_name_what_differs_from_the_event_before() -> None:
    """With both values; empty where it was logged again, at another time too."""
    events = checkpoint(
        {"module": None, "packet": None},
        {"packet": None},
        {"packet": None},
        {"packet": None, "timestamp": NOON + HOUR},
        {"action": "pass-qc", "packet": None, "gear_name": "qc", "timestamp": NOON + 2 * HOUR},
        {"ptid": "110002"},
    )

    assert rows(changes(events), "step", "changed", "previous_module", "module") == [
        (2, ["module"], None, "UDS"),
        (3, [], "UDS", "UDS"),
        (4, [], "UDS", "UDS"),
        (5, ["action", "gear_name"], "UDS", "UDS"),
    ]


def test_completeness_tells_what_was_filled_in_and_what_is_missing() -> None:
    """Between the first event of a visit and its latest."""
    events = checkpoint(
        {"module": None, "packet": None},
        {"packet": None},
        {"ptid": "110002"},
        {"ptid": "110002", "packet": "F"},
        {"ptid": "110003"},
    )
    columns = ("ptid", "events", "module_versions", "packet_versions", "filled", "missing")

    answered = rows(completeness(events), *columns)

    assert answered == [
        ("110001", 2, 1, 0, ["module"], ["packet"]),
        ("110002", 2, 1, 2, [], []),
    ]
    assert rows(completeness(events, min_events=1), "ptid") == [
        ("110001",),
        ("110002",),
        ("110003",),
    ]


def test_those_wait_that_have_no_outcome() -> None:
    """Those handed in again after one are told apart, with it. The oldest come first."""
    events = checkpoint(
        {"ptid": "110001"},
        {"ptid": "110002", "timestamp": NOON - HOUR},
        {"ptid": "110002", "action": "not-pass-qc"},
        {"ptid": "110003", "action": "pass-qc", "timestamp": NOON - HOUR},
        {"ptid": "110003"},
        {"ptid": "110004", "timestamp": NOON - 6 * DAY},
        {"ptid": "110005", "action": "not-pass-qc"},
    )

    answer = waiting(events, as_of=NOON + DAY)
    again = resubmitted(events, as_of=NOON + DAY)

    assert rows(answer, "ptid", "days_waiting", "age") == [
        ("110004", 7, "7 to 29 days"),
        ("110001", 1, "under 7 days"),
    ]
    assert rows(again, "ptid", "outcome", "days_waiting") == [("110003", "pass-qc", 1)]


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
