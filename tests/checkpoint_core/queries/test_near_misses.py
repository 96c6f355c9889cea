"""What looks like one submission but for a mistake, case by case."""

from datetime import date
from typing import Any

import pytest

from checkpoint_core.queries import NEAR_MISSES, QUERIES, Filters, near_misses
from tests.checkpoint_core.queries.test_submissions import DAY, FORM, IMAGE, NOON, checkpoint, rows

PASSED = {"action": "pass-qc", "timestamp": NOON + DAY}
DATE: date = FORM["visit_date"]


def found(*events: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return kind, what differs, and how the two stand; submits unless said otherwise."""
    answer = near_misses(checkpoint(*({"action": "submit"} | event for event in events)))
    return rows(answer, "kind", "differs", "status", "other_status")


@pytest.mark.parametrize("ptid", ["11-0001", "0.110001", "110001_"])
def test_a_participant_written_otherwise_is_one(ptid: str) -> None:
    """Whether something waits or not: what is counted twice is wrong, too."""
    expected = [("spelling", "ptid", "pass-qc", "pass-qc")]

    assert expected == found({}, PASSED, {"ptid": ptid}, PASSED | {"ptid": ptid})


def test_case_makes_no_other_participant() -> None:
    """Modules and modalities are one without regard to it anyway."""
    assert [("spelling", "ptid", "waiting", "waiting")] == found({"ptid": "AB1"}, {"ptid": "ab1"})


@pytest.mark.parametrize("module", [" UDS", "U-DS", "uds."])
def test_a_module_written_otherwise_is_one(module: str) -> None:
    """As a blank that nobody sees."""
    expected = [("spelling", "module", "waiting", "waiting")]

    assert expected == found({}, {"module": module})


def test_a_modality_written_otherwise_is_one() -> None:
    """Of images."""
    expected = [("spelling", "modality", "waiting", "waiting")]

    assert expected == found(IMAGE, IMAGE | {"modality": "M.R"})


@pytest.mark.parametrize("datatype", ["Form", "form "])
def test_a_datatype_written_otherwise_is_one(datatype: str) -> None:
    """Although only that of forms has a module."""
    (told,) = found({}, {"datatype": datatype})

    assert ("spelling", "datatype") == told[:2]


def test_a_module_of_an_image_makes_no_other_datatype() -> None:
    """It does not identify one: only what is written otherwise is told."""
    stray = IMAGE | {"modality": None, "module": "MR", "timestamp": NOON + DAY}

    (told,) = found(IMAGE, IMAGE | {"modality": "PT"}, stray)

    assert ("missing", "modality") == told[:2]


def test_what_lacks_its_module_is_shown_beside_what_has_one() -> None:
    """Which of them it belongs to cannot be told: beside the first."""
    one, two = {"module": "UDS"}, {"module": "FTLD"}
    lacking = {"module": None, "action": "pass-qc", "timestamp": NOON + DAY}

    assert [("missing", "module", "pass-qc", "waiting")] == found(one, two, lacking)


def test_dates_a_day_apart_are_shown_where_one_waits() -> None:
    """And the other does not: both may wait, or be done, for good reasons."""
    next_day = {"visit_date": DATE + DAY}
    expected = [("day", "visit_date", "waiting", "pass-qc")]

    assert expected == found({}, next_day, PASSED | next_day)
    assert [] == found({}, next_day)
    assert [] == found({}, PASSED, next_day, PASSED | next_day)
    assert [] == found({}, {"visit_date": DATE + 2 * DAY, "timestamp": NOON + DAY})


@pytest.mark.parametrize(
    "before", [{"ptid": "110002"}, {"visit_date": date(2025, 8, 5)}], ids=["ptid", "visit_date"]
)
def test_an_object_that_was_rewritten_leaves_one_that_waits(before: dict[str, Any]) -> None:
    """Both versions tell of the same submit, at the same moment; only the second one is checked."""
    (differs,) = before

    (told,) = found(before, {}, PASSED)

    assert ("rewritten", differs) == told[:2]
    assert {"waiting", "pass-qc"} == set(told[2:])


@pytest.mark.parametrize(
    "other",
    [
        {"ptid": "110002", "timestamp": NOON + DAY / 86_400},
        {"ptid": "110002", "visit_date": date(2025, 8, 5)},
        {"ptid": "110002", "module": "FTLD"},
        {"ptid": "110002", "pipeline_adcid": 7},
        {"visit_date": date(2025, 8, 5), "visit_number": "02"},
    ],
)
def test_what_was_submitted_on_its_own_is_no_rewrite(other: dict[str, Any]) -> None:
    """At another time, of another center, of more than one difference, or of another visit."""
    assert [] == found(other, {}, PASSED)


def test_of_a_file_of_many_none_is_told_to_be_rewritten() -> None:
    """Those of one upload have one time, and the last of them are waiting for their turn."""
    upload = [{"ptid": f"11000{number}"} for number in range(5)]

    assert [] == found(*upload, *(PASSED | each for each in upload[:4]))


def test_visit_numbers_are_compared_as_numbers() -> None:
    """They are written as 1, 01 and 1.0, or left out."""
    before = {"visit_date": date(2025, 8, 5)}
    for written in ("1", "01", "1.0", None):
        expected = [("rewritten", "visit_date", "waiting", "pass-qc")]
        assert expected == found(before | {"visit_number": written}, {}, PASSED)


def test_what_was_deleted_is_mended() -> None:
    """So nobody is told of it."""
    other = {"ptid": "11-0001"}

    assert [] == found({}, other, PASSED | other | {"action": "delete"})


@pytest.mark.parametrize(
    "filters, expected",
    [
        (Filters(ptid=("110001",)), 1),
        (Filters(ptid=("11-0001",)), 1),
        (Filters(ptid=("110002",)), 0),
        (Filters(visit_date_to=DATE - DAY), 0),
        (Filters(module=("uds",), center_label=("alpha",)), 1),
        (Filters(pipeline_adcid=(7,)), 0),
    ],
)
def test_filters_find_either_of_the_two(filters: Filters, expected: int) -> None:
    """Who looks for a participant finds how else it is written."""
    events = checkpoint({"action": "submit"}, {"action": "submit", "ptid": "11-0001"})

    assert expected == near_misses(events, filters).collect().height


def test_the_question_explains_every_kind() -> None:
    """By its name."""
    assert all(f"`{kind}`" in QUERIES["near-misses"].definition for kind in NEAR_MISSES)
