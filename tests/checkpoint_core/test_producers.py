"""What producers write, in every shape of theirs: each object ends where a person would put it.

The shapes are theirs, the values are made up here.
"""

import json
from typing import Any

import pytest
from msgspec import Struct

from checkpoint_core import Settings
from checkpoint_core.inspection import read_unrecognized
from nacc_event_model import EventFormat
from tests.checkpoint_core.world import World

PTID = "ptid: must be a string of 1 to 10 printable ASCII characters without spaces"
DATE = "visit_date: must be a string, a real date as YYYY-MM-DD"
NO_CENTER = "pipeline_adcid: required field is missing"


class Shape(Struct, frozen=True):
    """How an object differs from the usual one: fields, parts of the name, and its end in 1.1.

    `...` takes a field out; `end` is None where the event is taken; `taken_by_1_0` whether the
    older format takes it too.
    """

    what: str
    fields: dict[str, Any] = {}
    name: dict[str, Any] = {}
    end: str | None = None
    taken_by_1_0: bool = True


SHAPES = [
    Shape("a form with all fields"),
    Shape(
        "a form without a visit number", {"visit_number": None, "module": "NP"}, taken_by_1_0=False
    ),
    Shape("a packet of two characters", {"packet": "I4"}),
    Shape("a ptid with leading zeros", {"ptid": "000123"}),
    Shape("a ptid in lower case, with hyphen", {"ptid": "xy-7_b"}, taken_by_1_0=False),
    Shape("a ptid with a slash", {"ptid": "98/76"}, taken_by_1_0=False),
    Shape("a ptid with two slashes", {"ptid": "/98/"}, taken_by_1_0=False),
    Shape("a ptid with a dot", {"ptid": "98.76"}, taken_by_1_0=False),
    Shape("a ptid with characters of addresses", {"ptid": "%9#8?&="}, taken_by_1_0=False),
    Shape("a ptid with a blank", {"ptid": "98 76"}, end=PTID, taken_by_1_0=False),
    Shape("a ptid of eleven characters", {"ptid": "98765432109"}, end=PTID, taken_by_1_0=False),
    Shape("an empty ptid", {"ptid": ""}, end=PTID, taken_by_1_0=False),
    Shape("no center", {"pipeline_adcid": ...}, {"adcid": None}, NO_CENTER, taken_by_1_0=False),
    Shape("the test center", {"pipeline_adcid": 0}, taken_by_1_0=False),
    Shape("a center as text", {"pipeline_adcid": "7"}),
    Shape(
        "a negative center",
        {"pipeline_adcid": -1},
        end="pipeline_adcid: must be an integer, or a string of 1 to 10 digits, from 0 to 2147483647",
        taken_by_1_0=False,
    ),
    Shape("a year of three digits", {"visit_date": "209-03-04"}, end=DATE, taken_by_1_0=False),
    Shape("a project with hyphens", {"project_label": "ingest-form-dvcid"}),
    Shape("a project with a blank", {"project_label": "ingest form"}),
    Shape("a time to the second", {"timestamp": "2026-05-04T03:02:01Z"}),
    Shape("a time with an offset", {"timestamp": "2026-05-04T03:02:01.25-05:00"}),
    Shape("a time without an offset", {"timestamp": "2026-05-04T03:02:01"}),
    Shape("a passed check", {"action": "pass-qc", "gear_name": "form-qc-checker"}),
    Shape("a request for deletion", {"action": "delete", "naccid": ..., "packet": ...}),
    Shape(
        "a request for deletion without a visit number",
        {"action": "delete", "visit_number": ...},
        taken_by_1_0=False,
    ),
    Shape(
        "a failed check of an image",
        {
            "action": "not-pass-qc",
            "datatype": "dicom",
            "module": ...,
            "visit_number": None,
            "modality": "PET",
        },
        taken_by_1_0=False,
    ),
    Shape(
        "an image with a module",
        {"datatype": "dicom", "modality": "MR"},
    ),
    Shape("a form without a module", {"module": ...}),
    Shape("an unchanged resubmission", {"action": "duplicate-submit"}, taken_by_1_0=False),
    Shape("a name that ends in the visit number", name={"visit": "07"}),
    Shape("fields that nobody knows", {"biomarker": {"kit": [1]}, "naccid": 12}),
]


def object_of(shape: Shape, folder: str) -> tuple[str, bytes]:
    """Return key and body of an object of a shape, as its producer writes them."""
    document = {
        "action": "submit",
        "study": "adrc",
        "project_label": "ingest-form",
        "center_label": "sample-center-07",
        "gear_name": "identifier-lookup",
        "datatype": "form",
        "timestamp": "2026-05-04T03:02:01.250000Z",
        "visit_date": "2026-04-30",
        "pipeline_adcid": 7,
        "ptid": "SYN0001",
        "naccid": "NACC999999",
        "visit_number": "07",
        "module": "UDS",
        "packet": "F",
    } | shape.fields
    parts = {
        "action": document["action"],
        "time": "20260504-030201",
        "adcid": document["pipeline_adcid"],
        "project": document["project_label"],
        "ptid": document["ptid"],
        "visit": document["visit_date"],
    } | shape.name
    written = {name: value for name, value in document.items() if value is not ...}
    return f"{folder}/log-{'-'.join(map(str, parts.values()))}.json", json.dumps(written).encode()


@pytest.mark.parametrize("event_format", EventFormat)
def test_each_object_is_taken_or_its_reason_says_what_is_wrong_with_it(
    world: World, event_format: EventFormat
) -> None:
    """In one run over all shapes; what only 1.1 takes is said to be so under 1.0."""
    for number, shape in enumerate(SHAPES):
        world.source.write(*object_of(shape, f"{number:02}"))

    report = world.run(Settings(event_format=event_format))

    reasons = {each: reason for each, (_, reason) in world.reasons().items()}
    names = read_unrecognized(world.store, world.workdir())
    found = reasons | dict(names.select("key", "reason").iter_rows())
    is_1_1 = event_format is EventFormat.V1_1
    for number, shape in enumerate(SHAPES):
        key, _ = object_of(shape, f"{number:02}")
        is_taken = shape.end is None and (is_1_1 or shape.taken_by_1_0)
        assert (key not in found) == is_taken, shape.what
        if is_1_1 and shape.end is not None:
            assert found[key] == shape.end, shape.what
        elif not is_taken:
            would = found[key].endswith(("event format 1.1 would take it", "1.1 recognizes it"))
            assert would == (shape.end is None), shape.what
    assert report.counts.accepted == report.total_events == len(SHAPES) - len(found)
    assert bool(report.hints) != is_1_1
