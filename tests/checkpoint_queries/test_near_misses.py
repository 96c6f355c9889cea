"""What looks like one submission but for a mistake: one case of each rule.

Whatever else differs, and which of the two is asked for, the twins tell of.
"""

from datetime import date
from typing import Any

import pytest

from checkpoint_queries import NEAR_MISSES, QUERIES, Filters, near_misses
from tests.checkpoint_queries.cases import DAY, FORM, IMAGE, NOON, checkpoint, rows

PASSED = {"action": "pass-qc", "timestamp": NOON + DAY}
DATE: date = FORM["visit_date"]
EARLIER = {"visit_date": date(2025, 8, 1)}
NEXT = {"visit_date": DATE + DAY}


def found(*events: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return kind, what differs, and how the two stand; submits unless said otherwise."""
    answer = near_misses(checkpoint(*({"action": "submit"} | event for event in events)))
    return rows(answer, "kind", "differs", "status", "other_status")


@pytest.mark.parametrize(
    "usual, other, differs",
    [
        ({}, {"ptid": "11-0001"}, "ptid"),
        ({}, {"ptid": "0.110001"}, "ptid"),
        ({"ptid": "AB1"}, {"ptid": "ab1"}, "ptid"),
        ({}, {"module": " UDS"}, "module"),
        ({}, {"module": "U-DS"}, "module"),
        (IMAGE, IMAGE | {"modality": "M.R"}, "modality"),
        ({}, {"datatype": "Form"}, "datatype"),
        ({}, {"datatype": "form "}, "datatype"),
    ],
)
def test_what_is_written_otherwise_may_be_one(
    usual: dict[str, Any], other: dict[str, Any], differs: str
) -> None:
    """Whether something waits or not: what is counted twice is wrong, too."""
    ((kind, *told),) = found(usual, other)

    assert [differs, "waiting"] == told[:2]
    assert "spelling" == kind
    assert ("spelling", differs) in {each[:2] for each in found(usual, usual | PASSED, other)}


def test_a_module_of_an_image_makes_no_other_datatype() -> None:
    """It does not identify one: only what is written otherwise is told."""
    stray = IMAGE | {"modality": None, "module": "MR", "timestamp": NOON + DAY}

    (told,) = found(IMAGE, IMAGE | {"modality": "PT"}, stray)

    assert ("missing", "modality") == told[:2]


def test_what_lacks_its_module_is_shown_beside_what_has_one() -> None:
    """Which of them it belongs to cannot be told: beside the first."""
    lacking = {"module": None, "action": "pass-qc", "timestamp": NOON + DAY}

    assert [("missing", "module", "pass-qc", "waiting")] == found({}, {"module": "FTLD"}, lacking)


def test_dates_a_day_apart_are_shown_where_one_waits() -> None:
    """And the other does not: both may wait, or be done, for good reasons."""
    assert [("day", "visit_date", "waiting", "pass-qc")] == found({}, NEXT, PASSED | NEXT)
    assert [] == found({}, NEXT)
    assert [] == found({}, PASSED, NEXT, PASSED | NEXT)
    assert [] == found({}, {"visit_date": DATE + 2 * DAY, "timestamp": NOON + DAY})


@pytest.mark.parametrize(
    "before, differs",
    [
        ({"ptid": "110002"}, "ptid"),
        *((EARLIER | {"visit_number": n}, "visit_date") for n in ("1", "01", "1.0", None)),
    ],
)
def test_an_object_that_was_rewritten_leaves_one_that_waits(
    before: dict[str, Any], differs: str
) -> None:
    """Both versions tell of the same submit, at the same moment; only the second one is checked.

    Visit numbers are compared as numbers, and may be left out.
    """
    (told,) = found(before, {}, PASSED)

    assert ("rewritten", differs) == told[:2]
    assert {"waiting", "pass-qc"} == set(told[2:])


@pytest.mark.parametrize(
    "other",
    [
        {"ptid": "110002", "timestamp": NOON + DAY / 86_400},
        {"ptid": "110002"} | EARLIER,
        {"ptid": "110002", "module": "FTLD"},
        {"ptid": "110002", "pipeline_adcid": 7},
        {"visit_number": "02"} | EARLIER,
    ],
)
def test_what_was_submitted_on_its_own_is_no_rewrite(other: dict[str, Any]) -> None:
    """At another time, of another center, of more than one difference, or of another visit."""
    assert [] == found(other, {}, PASSED)


def test_of_a_file_of_many_none_is_told_to_be_rewritten() -> None:
    """Those of one upload have one time, and the last of them are waiting for their turn."""
    upload = [{"ptid": f"11000{number}"} for number in range(5)]

    assert [] == found(*upload, *(PASSED | each for each in upload[:4]))


@pytest.mark.parametrize(
    "filters, expected",
    [
        (Filters(ptid=("110001",)), 1),
        (Filters(ptid=("11-0001",)), 1),
        (Filters(ptid=("110002",)), 0),
        (Filters(module=("uds",), center_label=("alpha",)), 1),
    ],
)
def test_filters_find_either_of_the_two(filters: Filters, expected: int) -> None:
    """Who looks for a participant finds how else it is written; a deleted one is mended."""
    other = {"ptid": "11-0001"}
    deleted = PASSED | other | {"action": "delete"}

    assert expected == near_misses(checkpoint({}, other), filters).collect().height
    assert 0 == near_misses(checkpoint({}, other, deleted), filters).collect().height


def test_the_question_explains_every_kind() -> None:
    """By its name."""
    assert all(f"`{kind}`" in QUERIES["near-misses"].definition for kind in NEAR_MISSES)
