"""Hypothesis strategies for events and for the documents that hold them, and a usual one of each.

For every test suite: events are valid, and as varied as the contract lets them be.
A field may be narrowed: `visit_events(ptid=st.just("110001"))`.
"""

import string
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from nacc_event_model import (
    AnyVisitEvent,
    EventFormat,
    InvalidEvent,
    VisitEvent,
    VisitEventV11,
    decode,
)

MAX_ADCID = 2**31 - 1
LEAST_ADCID = {EventFormat.V1_0: 1, EventFormat.V1_1: 0}
ACTIONS = {
    EventFormat.V1_0: ["submit", "pass-qc", "not-pass-qc", "delete"],
    EventFormat.V1_1: ["submit", "pass-qc", "not-pass-qc", "delete", "duplicate-submit"],
}
PTID_CHARACTERS = {
    EventFormat.V1_0: string.ascii_uppercase + string.digits,
    EventFormat.V1_1: string.ascii_letters + string.digits + string.punctuation,
}

each_format = pytest.mark.parametrize("event_format", EventFormat)
event_formats = st.sampled_from(EventFormat)
texts = st.text(st.characters(exclude_categories=["Cs"]))
labels = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
optional_texts = st.none() | texts


def visit_events(**narrowed: st.SearchStrategy[Any]) -> st.SearchStrategy[VisitEvent]:
    """Return a strategy for valid events of format 1.0."""
    return st.builds(VisitEvent, **(_fields(EventFormat.V1_0) | narrowed))


def visit_events_v11(**narrowed: st.SearchStrategy[Any]) -> st.SearchStrategy[VisitEventV11]:
    """Return a strategy for valid events of format 1.1."""
    fields = _fields(EventFormat.V1_1) | {"naccid": optional_texts, "modality": optional_texts}
    fields["visit_number"] |= st.none()
    return st.builds(VisitEventV11, **(fields | narrowed))


def events_of(event_format: EventFormat) -> st.SearchStrategy[AnyVisitEvent]:
    """Return a strategy for valid events of a format."""
    return visit_events() if event_format is EventFormat.V1_0 else visit_events_v11()


def _fields(event_format: EventFormat) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "action": st.sampled_from(ACTIONS[event_format]),
        "study": st.sampled_from(["adrc", "dvcid", "leads"]) | labels,
        "pipeline_adcid": st.integers(LEAST_ADCID[event_format], MAX_ADCID),
        "project_label": st.sampled_from(["ingest-form", "ingest-dicom-leads"]) | labels,
        "center_label": labels,
        "gear_name": labels,
        "ptid": st.text(PTID_CHARACTERS[event_format], min_size=1, max_size=10),
        "visit_date": st.dates(),
        "visit_number": st.sampled_from(["01", "2"]) | labels,
        "datatype": st.sampled_from(["form", "dicom"]) | labels,
        "module": st.sampled_from(["UDS", "FTLD"]) | optional_texts,
        "packet": optional_texts,
        "timestamp": st.datetimes(timezones=st.just(UTC)),
    }


@st.composite
def documents(
    draw: st.DrawFn, /, event_format: EventFormat
) -> tuple[dict[str, Any], AnyVisitEvent]:
    """Draw a valid document, written in any way that the contract allows, and its event."""
    event = draw(events_of(event_format))
    document: dict[str, Any] = {
        name: value
        for name in draw(st.permutations(event.__struct_fields__))
        if (value := getattr(event, name)) is not None or draw(st.booleans())
    }
    if event.study == "adrc" and draw(st.booleans()):
        del document["study"]
    if draw(st.booleans()):
        document["pipeline_adcid"] = str(event.pipeline_adcid)
    document["visit_date"] = event.visit_date.isoformat()
    document["timestamp"] = draw(written_timestamps(event.timestamp))
    return document, event


@st.composite
def written_timestamps(draw: st.DrawFn, /, time: datetime) -> str:
    """Draw one of the ways in which a document may write a time."""
    # At the ends of the calendar an offset has no room.
    offsets = [0, 330, -300, 840, -720] if 1 < time.year < 9999 else [0]
    offset = timedelta(minutes=draw(st.sampled_from(offsets)))
    written = time.astimezone(timezone(offset)).isoformat()
    if not offset:
        suffix = draw(st.sampled_from(["Z", "z", "", "+00:00", "-00:00"]))
        written = written.removesuffix("+00:00") + suffix
    if time.microsecond:
        cut_off = draw(st.text(string.digits, max_size=4))
        written = f"{written[:26]}{cut_off}{written[26:]}"
    return written.replace("T", draw(st.sampled_from("Tt")))


def example_document(
    event_format: EventFormat = EventFormat.V1_0, **changed: Any
) -> dict[str, Any]:
    """Return a usual document, with some fields changed; `...` takes a field out."""
    document: dict[str, Any] = {
        "action": "submit",
        "study": "adrc",
        "pipeline_adcid": 42,
        "project_label": "ingest-form",
        "center_label": "alpha",
        "gear_name": "form-scheduler",
        "ptid": "110001",
        "visit_date": "2024-01-15",
        "visit_number": "01",
        "datatype": "form",
        "module": "UDS",
        "packet": "I",
        "timestamp": "2024-01-15T10:00:00Z",
    }
    if event_format is EventFormat.V1_1:
        document |= {"naccid": "NACC000001", "modality": None}
    return {name: value for name, value in (document | changed).items() if value is not ...}


def example_event(**changed: Any) -> VisitEvent:
    """Return the event of the usual document of format 1.0, with some fields changed."""
    return VisitEvent(**(_example_fields(EventFormat.V1_0) | changed))


def example_event_v11(**changed: Any) -> VisitEventV11:
    """Return the event of the usual document of format 1.1, with some fields changed."""
    return VisitEventV11(**(_example_fields(EventFormat.V1_1) | changed))


def _example_fields(event_format: EventFormat) -> dict[str, Any]:
    return example_document(
        event_format,
        visit_date=date(2024, 1, 15),
        timestamp=datetime(2024, 1, 15, 10, tzinfo=UTC),
    )


USUAL = msgspec.json.encode(example_document())
"""The usual document of format 1.0 as it is written."""


def with_field(raw: bytes) -> bytes:
    """Return the usual document with one more field at its end, which is written as it is."""
    return USUAL[:-1] + b"," + raw + b"}"


def accepted(data: bytes, event_format: EventFormat) -> AnyVisitEvent | None:
    """Return the event, None where the format refuses it."""
    try:
        return decode(data, event_format=event_format)
    except InvalidEvent:
        return None
