"""What producers write, in every shape of theirs: each object ends where a person would put it.

The shapes are theirs, the values are made up here.
"""

import json
from typing import Any

import pytest

from checkpoint_core import Settings
from nacc_event_model import EventFormat
from tests.checkpoint_core.world import World

PTID = "ptid: must be a string of 1 to 10 printable ASCII characters without spaces"
DATE = "visit_date: must be a string, a real date as YYYY-MM-DD"
CENTER = "pipeline_adcid: must be an integer, or a string of 1 to 10 digits, from 0 to 2147483647"


TAKEN: dict[str, dict[str, Any]] = {
    "a form with all fields": {},
    "a packet of two characters": {"packet": "I4"},
    "a ptid with leading zeros": {"ptid": "000123"},
    "a center as text": {"pipeline_adcid": "7"},
    "a project with hyphens": {"project_label": "ingest-form-dvcid"},
    "a project with a blank": {"project_label": "ingest form"},
    "a time to the second": {"timestamp": "2026-05-04T03:02:01Z"},
    "a time with an offset": {"timestamp": "2026-05-04T03:02:01.25-05:00"},
    "a time without an offset": {"timestamp": "2026-05-04T03:02:01"},
    "a passed check": {"action": "pass-qc", "gear_name": "form-qc-checker"},
    "a request for deletion": {"action": "delete", "naccid": ..., "packet": ...},
    "an image with a module": {"datatype": "dicom", "modality": "MR"},
    "a form without a module": {"module": ...},
    "fields that nobody knows": {"biomarker": {"kit": [1]}, "naccid": 12},
}
"""How objects that both formats take differ from the usual one; `...` takes a field out."""
TAKEN_BY_1_1: dict[str, dict[str, Any]] = {
    "a form without a visit number": {"visit_number": None, "module": "NP"},
    "a ptid in lower case, with hyphen": {"ptid": "xy-7_b"},
    "a ptid with a slash": {"ptid": "98/76"},
    "a ptid with two slashes": {"ptid": "/98/"},
    "a ptid with a dot": {"ptid": "98.76"},
    "a ptid with characters of addresses": {"ptid": "%9#8?&="},
    "the test center": {"pipeline_adcid": 0},
    "a request for deletion without a visit number": {"action": "delete", "visit_number": ...},
    "a failed check of an image": {
        "action": "not-pass-qc",
        "datatype": "dicom",
        "module": ...,
        "visit_number": None,
        "modality": "PET",
    },
    "an unchanged resubmission": {"action": "duplicate-submit"},
}
"""Those that the newer one alone takes."""
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a ptid with a blank": ({"ptid": "98 76"}, PTID),
    "a ptid of eleven characters": ({"ptid": "98765432109"}, PTID),
    "an empty ptid": ({"ptid": ""}, PTID),
    "no center": ({"pipeline_adcid": ...}, "pipeline_adcid: required field is missing"),
    "a negative center": ({"pipeline_adcid": -1}, CENTER),
    "a year of three digits": ({"visit_date": "209-03-04"}, DATE),
}
"""Those that none takes, and why the newer one does not."""
SHAPES = TAKEN | TAKEN_BY_1_1 | {what: fields for what, (fields, _) in REFUSED.items()}


def object_of(fields: dict[str, Any], folder: str) -> tuple[str, bytes]:
    """Return key and body of such an object, as its producer writes them."""
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
    } | fields
    written = {name: value for name, value in document.items() if value is not ...}
    named = ("pipeline_adcid", "project_label", "ptid", "visit_date")
    parts = (document["action"], "20260504-030201", *(written.get(name) for name in named))
    return f"{folder}/log-{'-'.join(map(str, parts))}.json", json.dumps(written).encode()


@pytest.mark.parametrize("event_format", EventFormat)
def test_each_object_is_taken_or_its_reason_says_what_is_wrong_with_it(
    world: World, event_format: EventFormat
) -> None:
    """In one run over all shapes; what only 1.1 takes is said to be so under 1.0."""
    shapes = {}
    for number, (what, fields) in enumerate(SHAPES.items()):
        name, body = object_of(fields, f"{number:02}")
        world.source.write(name, body)
        shapes[name] = what

    report = world.run(Settings(event_format=event_format))

    reasons = {name: reason for name, (_, reason) in world.reasons().items()}
    found = {shapes[name]: why for name, why in (reasons | world.unrecognized()).items()}
    is_1_1 = event_format is EventFormat.V1_1
    assert found.keys() == REFUSED.keys() | (set() if is_1_1 else TAKEN_BY_1_1.keys())
    for what, reason in found.items():
        if is_1_1:
            assert reason == REFUSED[what][1], what
        else:
            would = reason.endswith(("event format 1.1 would take it", "1.1 recognizes it"))
            assert would == (what in TAKEN_BY_1_1), what
    assert report.counts.accepted == report.total_events == len(SHAPES) - len(found)
    assert bool(report.hints) != is_1_1
