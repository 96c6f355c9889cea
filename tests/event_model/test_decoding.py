"""Valid documents, and what becomes of them."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacc_event_model import Decoder, EventFormat, VisitEvent, VisitEventV11, decode
from nacc_event_model._conversions import to_utc
from nacc_event_model._failures import MAX_DEPTH
from tests.event_model.strategies import (
    MAX_ADCID,
    documents,
    event_formats,
    example_document,
    example_event,
)

each_format = pytest.mark.parametrize("event_format", EventFormat)


def decode_document(event_format: EventFormat = EventFormat.V1_0, **changed: Any) -> Any:
    """Decode the usual document with some fields changed."""
    data = msgspec.json.encode(example_document(event_format, **changed))
    return decode(data, event_format=event_format)


# Feature: event-log-scraper, Property 2: JSON retrieval completeness
@given(st.data(), event_formats)
def test_a_valid_document_gives_all_that_it_holds(
    data: st.DataObject, event_format: EventFormat
) -> None:
    """However it is written: order of fields, nulls or absence, text or number, offset."""
    document, event = data.draw(documents(event_format))
    encoded = msgspec.json.encode(document)

    assert decode(encoded, event_format=event_format) == event
    assert decode(msgspec.json.format(encoded), event_format=event_format) == event
    heard: list[str] = []
    assert Decoder(event_format, on_unknown_fields=heard.extend).decode(encoded) == event
    assert [] == heard


# Feature: event-log-scraper, Property 6: Type conversion correctness
@given(st.integers(1, MAX_ADCID), st.integers(1, 10), event_formats)
def test_the_centers_number_becomes_an_int(
    adcid: int, width: int, event_format: EventFormat
) -> None:
    """From a number and from a numeric string, leading zeros and all."""
    from_number = decode_document(event_format, pipeline_adcid=adcid)
    from_text = decode_document(event_format, pipeline_adcid=f"{adcid:0{width}}")

    assert from_number.pipeline_adcid == adcid
    assert from_text == from_number
    assert type(from_number.pipeline_adcid) is type(from_text.pipeline_adcid) is int


# Feature: event-log-scraper, Property 7: Null preservation
@given(st.data(), event_formats)
def test_null_stays_null(data: st.DataObject, event_format: EventFormat) -> None:
    """An optional field that is null or absent is None in the event, and nothing else is."""
    document, _ = data.draw(documents(event_format))
    optional = ["packet"]
    optional += ["module"] if event_format is EventFormat.V1_0 else ["visit_number", "naccid"]
    nulls = {name: data.draw(st.sampled_from([None, ...])) for name in optional}
    document = {name: value for name, value in (document | nulls).items() if value is not ...}

    event = decode(msgspec.json.encode(document), event_format=event_format)

    assert all(getattr(event, name) is None for name in optional)
    given_fields = {name for name, value in document.items() if value is not None}
    decoded = {name for name in event.__struct_fields__ if getattr(event, name) is not None}
    assert decoded == given_fields | {"study"}


def test_a_minimal_document_of_1_0_has_its_defaults() -> None:
    """Study is adrc when absent; module and packet may be absent."""
    event = decode_document(study=..., module=..., packet=...)

    assert event == example_event(study="adrc", module=None, packet=None)


def test_a_minimal_document_of_1_1_has_its_defaults() -> None:
    """An image has no module, and may have no visit number."""
    event = decode_document(
        EventFormat.V1_1,
        study=...,
        visit_number=...,
        datatype="dicom",
        module=...,
        packet=...,
        naccid=...,
        modality=...,
    )

    assert event == VisitEventV11(
        action="submit",
        pipeline_adcid=42,
        project_label="ingest-form",
        center_label="alpha",
        gear_name="form-scheduler",
        ptid="110001",
        visit_date=date(2024, 1, 15),
        datatype="dicom",
        timestamp=datetime(2024, 1, 15, 10, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"action": "duplicate-submit"},
        {"ptid": "a-1~!"},
        {"visit_number": None},
        {"datatype": "dicom", "module": None},
        {"datatype": "dicom", "module": ..., "modality": "MR"},
        {"module": ""},
        {"naccid": None},
    ],
)
def test_format_1_1_accepts_what_producers_write_today(changed: dict[str, Any]) -> None:
    """Each difference from 1.0, one at a time."""
    event = decode_document(EventFormat.V1_1, **changed)

    assert isinstance(event, VisitEventV11)


@pytest.mark.parametrize(
    "written, utc",
    [
        ("2024-01-15T10:00:00Z", datetime(2024, 1, 15, 10, tzinfo=UTC)),
        ("2024-01-15t10:00:00z", datetime(2024, 1, 15, 10, tzinfo=UTC)),
        ("2024-01-15T10:00:00", datetime(2024, 1, 15, 10, tzinfo=UTC)),
        ("2024-01-15T10:00:00+00:00", datetime(2024, 1, 15, 10, tzinfo=UTC)),
        ("2024-01-15T10:00:00-00:00", datetime(2024, 1, 15, 10, tzinfo=UTC)),
        ("2024-01-15T10:00:00+14:00", datetime(2024, 1, 14, 20, tzinfo=UTC)),
        ("2024-01-15T10:00:00-23:59", datetime(2024, 1, 16, 9, 59, tzinfo=UTC)),
        ("2024-01-15T10:00:00.5Z", datetime(2024, 1, 15, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2024-01-15T10:00:00.1234567Z", datetime(2024, 1, 15, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("2024-12-31T23:59:59.9999999Z", datetime(2024, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        (f"2024-01-15T10:00:00.{'9' * 99}", datetime(2024, 1, 15, 10, 0, 0, 999_999, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_a_timestamp_becomes_utc(written: str, utc: datetime) -> None:
    """Without an offset it is UTC; digits beyond microseconds are cut off, never rounded up."""
    timestamp = decode_document(timestamp=written).timestamp

    assert timestamp == utc
    assert timestamp.tzinfo is UTC


@given(st.data())
def test_the_usual_form_of_a_timestamp_gives_what_any_other_form_gives(
    data: st.DataObject,
) -> None:
    """The one with 20 characters takes a shorter way; with a fraction it takes the long one."""
    usual = list(f"{data.draw(st.datetimes()).replace(microsecond=0).isoformat()}Z")
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(usual) - 2))
        usual[at] = data.draw(st.sampled_from("0123456789-:TtZz W+. ") | st.characters())
    written = "".join(usual)

    assert to_utc(written) == to_utc(f"{written[:19]}.0{written[19:]}")


def test_text_is_kept_as_it_is() -> None:
    """White space, line breaks, NUL and characters of any script are the producer's business."""
    text = " \x00\n\u2028\U0001f9e0é "

    assert decode_document(center_label=text).center_label == text


def test_of_duplicate_fields_the_last_one_counts() -> None:
    """RFC 8259 leaves it open. Each of them has to be valid."""
    data = msgspec.json.encode(example_document())

    assert decode(data[:-1] + b',"ptid":"LAST"}') == example_event(ptid="LAST")


def test_white_space_around_a_document_is_allowed() -> None:
    """As JSON has it."""
    data = msgspec.json.encode(example_document())

    assert decode(b" \r\n\t" + data + b"\n") == example_event()


def test_a_document_may_be_as_large_as_the_limit() -> None:
    """The limit itself is still taken."""
    data = msgspec.json.encode(example_document())

    assert decode(data, max_size_bytes=len(data)) == example_event()
    assert Decoder(max_size_bytes=len(data)).decode(data) == example_event()
    assert decode(data + b" " * 2_000_000, max_size_bytes=3_000_000) == example_event()


@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}")])
def test_an_unknown_field_may_be_nested_up_to_the_limit(brackets: tuple[bytes, bytes]) -> None:
    """The document is one level, so the field has the others; also far down in the stack."""
    opening, closing = brackets
    data = msgspec.json.encode(example_document())[:-1]
    levels = MAX_DEPTH - 1
    inner = b"1" if opening == b"[" else b"null"
    data += b',"novelty":' + opening * levels + inner + closing * levels + b"}"

    assert decode(data) == example_event()
    assert _called_deeply(400, data) == example_event()


def _called_deeply(levels: int, data: bytes) -> VisitEvent:
    return _called_deeply(levels - 1, data) if levels else decode(data)


def test_brackets_in_strings_are_not_nesting() -> None:
    """Nor are many brackets side by side."""
    label = '["\\' * 1_000
    event = decode_document(center_label=label, novelty=[[]] * 1_000)

    assert event == example_event(center_label=label)
