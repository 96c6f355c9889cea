"""Events as the documents that producers write."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacc_event_model import EventFormat, InvalidEvent, VisitEvent, decode, encode
from tests.event_model.strategies import (
    event_formats,
    events_of,
    example_event,
    example_event_v11,
)


# Feature: event-log-scraper, Property 8: Serialization round-trip
@given(st.data(), event_formats)
def test_an_event_comes_back_from_its_document(
    data: st.DataObject, event_format: EventFormat
) -> None:
    """Equal in every field, and the same bytes when it is written again."""
    event = data.draw(events_of(event_format))
    encoded = encode(event)

    decoded = decode(encoded, event_format=event_format)

    assert decoded == event
    assert encode(decoded) == encoded
    written = json.loads(encoded)
    assert list(written) == [
        name for name in event.__struct_fields__ if getattr(event, name) is not None
    ]
    assert written["timestamp"].endswith("Z")


def test_a_document_is_what_producers_write() -> None:
    """Fields in their order, time in UTC with Z, null fields left out, study always there."""
    event = example_event(
        packet=None, timestamp=datetime(2024, 1, 15, 5, tzinfo=timezone(timedelta(hours=-5)))
    )

    assert encode(event) == (
        b'{"action":"submit","study":"adrc","pipeline_adcid":42,"project_label":"ingest-form",'
        b'"center_label":"alpha","gear_name":"form-scheduler","ptid":"110001",'
        b'"visit_date":"2024-01-15","visit_number":"01","datatype":"form","module":"UDS",'
        b'"timestamp":"2024-01-15T10:00:00Z"}'
    )


@pytest.mark.parametrize(
    "timestamp, written",
    [
        (datetime(2024, 1, 15, 10, 0, 0, 120_000, tzinfo=UTC), "2024-01-15T10:00:00.120000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime.max.replace(tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
        (datetime(2024, 11, 3, 6, 30, tzinfo=UTC, fold=1), "2024-11-03T06:30:00Z"),
    ],
)
def test_a_timestamp_is_written_to_the_microsecond(timestamp: datetime, written: str) -> None:
    """At both ends of the calendar too."""
    assert json.loads(encode(example_event(timestamp=timestamp)))["timestamp"] == written


NOW = datetime(2024, 1, 15, 10, tzinfo=UTC)
PLAIN = "must be a string"
SURROGATE = "holds half a surrogate pair, which cannot be encoded in UTF-8"


@pytest.mark.parametrize(
    "field, value, rule",
    [
        ("action", "duplicate-submit", "must be one of submit, "),
        ("study", None, "must be str, not NoneType"),
        ("study", "", PLAIN),
        ("pipeline_adcid", 0, "must be an integer, or a string of 1 to 10 digits"),
        ("pipeline_adcid", 2**80, "must be an integer, or a string of 1 to 10 digits"),
        ("center_label", 1, "must be str, not int"),
        ("gear_name", b"form-scheduler", "must be str, not bytes"),
        ("ptid", "ab-1", PLAIN),
        ("visit_date", "2024-01-15", "must be datetime.date, not str"),
        ("visit_date", NOW, "must be datetime.date, not datetime.datetime"),
        ("datatype", Decimal(1), "must be str, not decimal.Decimal"),
        ("study", "a\ud800", SURROGATE),
        ("module", object(), "must be str, not object"),
        ("packet", float("nan"), "must be str, not float"),
    ],
)
def test_an_event_that_breaks_a_rule_is_not_written(field: str, value: Any, rule: str) -> None:
    """Encoding checks what the constructor leaves to types, names the field, and speaks of types."""
    event = example_event(**{field: value})

    with pytest.raises(InvalidEvent) as caught:
        encode(event)

    assert caught.value.field == field
    assert caught.value.rule.startswith(rule)


def test_an_event_that_breaks_a_rule_of_1_1_is_not_written() -> None:
    """Each event is judged by its own format."""
    assert encode(example_event_v11(action="duplicate-submit", ptid="ab-1", visit_number=None))
    with pytest.raises(InvalidEvent, match=r"^naccid: must be str, not int$"):
        encode(example_event_v11(naccid=1))


def test_an_event_too_large_to_be_read_is_not_written() -> None:
    """What is written can be decoded with the default limit."""
    with pytest.raises(InvalidEvent, match=r"^larger than 1048576 bytes$"):
        encode(example_event(center_label="a" * 2**20))


class Action(StrEnum):
    """A producer's own names for actions."""

    SUBMIT = "submit"


class Study(Enum):
    """Names that are no texts."""

    ADRC = "adrc"


def test_what_equals_its_text_may_stand_for_it() -> None:
    """A StrEnum is written as the text that it is; an Enum of texts is none."""
    assert encode(example_event(action=Action.SUBMIT)) == encode(example_event())
    with pytest.raises(InvalidEvent, match=r"^study: "):
        encode(example_event(study=Study.ADRC))


class LocalEvent(VisitEvent, frozen=True, kw_only=True):
    """A producer's event, with a field that the contract does not know yet."""

    novelty: object


def test_a_producers_further_field_is_written_and_skipped() -> None:
    """Producers add fields before consumers learn them."""
    event = LocalEvent(**msgspec.structs.asdict(example_event()), novelty="x")

    encoded = encode(event)

    assert json.loads(encoded)["novelty"] == "x"
    assert decode(encoded) == example_event()


def test_a_producers_further_field_changes_no_error() -> None:
    """The rules named are the contract's; a field without one cannot be written, and that is all."""
    fields = msgspec.structs.asdict(example_event())

    with pytest.raises(InvalidEvent, match=r"^timestamp: must be a string, a real RFC 3339 time"):
        LocalEvent(**(fields | {"timestamp": "now"}), novelty="x")
    with pytest.raises(InvalidEvent, match=r"^ptid: must be a string of 1 to 10 characters"):
        encode(LocalEvent(**(fields | {"ptid": "-"}), novelty="x"))
    with pytest.raises(InvalidEvent, match=r"^novelty: cannot be written as JSON$"):
        encode(LocalEvent(**fields, novelty=object()))
