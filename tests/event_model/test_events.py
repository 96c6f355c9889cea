"""The event itself: its columns, its types, its construction."""

import copy
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from typing import assert_type

import msgspec
import pytest

from nacc_event_model import (
    AnyVisitEvent,
    Decoder,
    EventFormat,
    InvalidEvent,
    VisitEvent,
    VisitEventV11,
    decode,
    event_type,
)
from tests.event_model.strategies import USUAL, example_document, example_event, example_event_v11

OUTSIDE = "must be of the years 1 to 9999 in UTC"
COLUMNS = (
    *("action", "study", "pipeline_adcid", "project_label", "center_label", "gear_name", "ptid"),
    *("visit_date", "visit_number", "datatype", "module", "packet", "timestamp"),
)


def test_each_format_has_its_type_whose_fields_are_the_columns_in_their_order() -> None:
    """Format 1.1 adds its two at the end; redefining a field does not move it."""
    assert event_type(EventFormat("1.0")) is VisitEvent
    assert event_type(EventFormat("1.1")) is VisitEventV11
    assert VisitEvent.__struct_fields__ == COLUMNS
    assert VisitEventV11.__struct_fields__ == (*COLUMNS, "naccid", "modality")


def test_the_static_types_are_what_an_event_holds() -> None:
    """A type checker sees the int, the datetime, and that only 1.1 may lack a visit number."""
    event = assert_type(decode(USUAL), VisitEvent)
    event_v11 = assert_type(decode(USUAL, event_format=EventFormat.V1_1), VisitEventV11)

    assert isinstance(assert_type(event.pipeline_adcid, int), int)
    assert isinstance(assert_type(event.visit_date, date), date)
    assert isinstance(assert_type(event.timestamp, datetime), datetime)
    assert isinstance(assert_type(event.visit_number, str), str)
    assert isinstance(assert_type(event_v11.visit_number, str | None), str)
    assert assert_type(event_v11.naccid, str | None) is None


def test_a_decoder_has_the_static_type_of_its_formats_events() -> None:
    """A format that is only known when the program runs gives an event of either."""
    chosen: EventFormat = EventFormat("1.1")

    event = assert_type(Decoder(EventFormat.V1_0, max_size_bytes=5_000).decode(USUAL), VisitEvent)
    event_v11 = assert_type(Decoder(EventFormat.V1_1).decode(USUAL), VisitEventV11)

    assert assert_type(Decoder().decode(USUAL), VisitEvent) == event == decode(USUAL)
    assert assert_type(Decoder(chosen).decode(USUAL), AnyVisitEvent) == event_v11
    assert event_v11 == decode(USUAL, event_format=EventFormat.V1_1)


def test_an_event_cannot_be_changed() -> None:
    """Events are frozen, so they can be shared and hashed."""
    event = example_event()

    with pytest.raises(AttributeError, match="immutable"):
        event.ptid = "X"  # type: ignore[misc]  # what the test is about


@pytest.mark.parametrize(
    "given",
    [
        datetime(2024, 1, 15, 10, tzinfo=UTC),
        datetime(2024, 1, 15, 10),  # noqa: DTZ001  without an offset: what the test is about
        datetime(2024, 1, 15, 15, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        "2024-01-15T05:00:00-05:00",
    ],
)
def test_the_constructor_makes_the_timestamp_utc(given: datetime | str) -> None:
    """A datetime or a text, with an offset or without."""
    event = example_event(timestamp=given)

    assert event.timestamp == datetime(2024, 1, 15, 10, tzinfo=UTC)
    assert event.timestamp.tzinfo is UTC


@pytest.mark.parametrize(
    "given, rule",
    [
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), OUTSIDE),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), OUTSIDE),
        ("yesterday", "must be a string, a real RFC 3339 time such as 2024-01-15T10:00:00Z; .*"),
        (date(2024, 1, 15), r"must be datetime\.datetime, not datetime\.date"),
        (1705312800, r"must be datetime\.datetime, not int"),
        (None, r"must be datetime\.datetime, not NoneType"),
    ],
)
def test_the_constructor_refuses_a_timestamp_that_is_none(given: object, rule: str) -> None:
    """Of a text the contract's rule is told, of anything else what Python code has to give."""
    with pytest.raises(InvalidEvent, match=f"^timestamp: {rule}$"):
        example_event(timestamp=given)


@pytest.mark.parametrize(
    "given, rule",
    [
        *[(text, "must be an integer, or a string of 1 to 10 digits") for text in ("4.0", "", "²")],
        ("0", "must be an integer, or a string of 1 to 10 digits, from 1 to 2147483647$"),
        (True, "must be int, not bool$"),
        (4.0, "must be int, not float$"),
        (None, "must be int, not NoneType$"),
    ],
)
def test_the_constructor_refuses_a_center_that_is_no_number(given: object, rule: str) -> None:
    """`True` is an int for Python only."""
    with pytest.raises(InvalidEvent, match=f"^pipeline_adcid: {rule}"):
        example_event(pipeline_adcid=given)


def test_the_constructor_makes_the_centers_number_an_int() -> None:
    """A numeric string is for documents, but nobody is hurt by one here; 0 is of 1.1 only."""
    assert example_event(pipeline_adcid="042").pipeline_adcid == 42
    assert example_event_v11(pipeline_adcid="0").pipeline_adcid == 0


class Envelope(msgspec.Struct):
    """Somebody else's message that holds an event."""

    event: VisitEvent


def test_an_event_can_be_part_of_another_message() -> None:
    """Decoded by msgspec itself: the same checks and conversions, unknown fields skipped."""
    document = example_document(pipeline_adcid="42", novelty=1)

    decoded = msgspec.json.decode(msgspec.json.encode({"event": document}), type=Envelope)

    assert decoded.event == example_event()


def test_an_event_that_was_decoded_with_a_listener_is_like_any_other() -> None:
    """Listening decodes by another type first; nothing of it is left on the event."""
    event = Decoder(on_unknown_fields=lambda _: None).decode(USUAL)

    assert type(event) is VisitEvent
    assert event == example_event()
    assert hash(event) == hash(example_event())
    assert repr(event) == repr(example_event())
    assert pickle.loads(pickle.dumps(event)) == event
    assert copy.deepcopy(event) == copy.copy(event) == event
    assert msgspec.structs.replace(event, ptid="X") == example_event(ptid="X")
