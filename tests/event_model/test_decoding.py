"""Valid documents, and what becomes of them."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacc_event_model import Decoder, EventFormat, VisitEvent, decode
from nacc_event_model._conversions import to_utc
from nacc_event_model._failures import MAX_DEPTH
from tests.event_model.strategies import (
    MAX_ADCID,
    USUAL,
    documents,
    event_formats,
    example_document,
    example_event,
    with_field,
)


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


@pytest.mark.parametrize(
    "written, utc",
    [
        ("2024-01-15T10:00:00-23:59", datetime(2024, 1, 16, 9, 59, tzinfo=UTC)),
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


def test_of_duplicate_fields_the_last_one_counts() -> None:
    """RFC 8259 leaves it open. Each of them has to be valid."""
    assert decode(with_field(b'"ptid":"LAST"')) == example_event(ptid="LAST")


def test_white_space_around_a_document_is_allowed() -> None:
    """As JSON has it."""
    assert decode(b" \r\n\t" + USUAL + b"\n") == example_event()


def test_a_document_may_be_as_large_as_the_limit() -> None:
    """The limit itself is still taken."""
    assert decode(USUAL, max_size_bytes=len(USUAL)) == example_event()
    assert Decoder(max_size_bytes=len(USUAL)).decode(USUAL) == example_event()
    assert decode(USUAL + b" " * 2_000_000, max_size_bytes=3_000_000) == example_event()


@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}")])
def test_an_unknown_field_may_be_nested_up_to_the_limit(brackets: tuple[bytes, bytes]) -> None:
    """The document is one level, so the field has the others; also far down in the stack."""
    opening, closing = (bracket * (MAX_DEPTH - 1) for bracket in brackets)
    data = with_field(b'"novelty":' + opening + b"1" + closing)

    assert decode(data) == example_event()
    assert _called_deeply(400, data) == example_event()


def _called_deeply(levels: int, data: bytes) -> VisitEvent:
    return _called_deeply(levels - 1, data) if levels else decode(data)


def test_brackets_in_strings_are_not_nesting() -> None:
    """Nor are many brackets side by side."""
    label = '["\\' * 1_000
    event = decode_document(center_label=label, novelty=[[]] * 1_000)

    assert event == example_event(center_label=label)
