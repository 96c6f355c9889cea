"""Fields that a format does not know: never a reason to refuse an event, but not silent either."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacc_event_model import Decoder, EventFormat, InvalidEvent, decode
from tests.event_model.strategies import example_document, example_event, labels, with_field


def heard_from(data: bytes, event_format: EventFormat = EventFormat.V1_0) -> list[Sequence[str]]:
    """Decode a document, and return what a listener was called with."""
    heard: list[Sequence[str]] = []
    event = Decoder(event_format, on_unknown_fields=heard.append).decode(data)
    assert event == decode(data, event_format=event_format)
    return heard


def test_unknown_fields_are_named_once_in_the_documents_order() -> None:
    """Only those at the top level, whatever they hold."""
    data = with_field(b'"zeta":{"inner":1},"alpha":null,"zeta":[{"ptid":"-"}],"":0,"PTID":1')

    assert [["zeta", "alpha", "", "PTID"]] == heard_from(data)


def test_a_field_of_1_1_is_unknown_to_1_0() -> None:
    """A consumer of the older format hears that there is more; one of the newer hears nothing."""
    data = msgspec.json.encode(example_document(EventFormat.V1_1))

    assert [["naccid", "modality"]] == heard_from(data)
    assert [] == heard_from(data, EventFormat.V1_1)


@given(st.dictionaries(labels, st.none() | st.integers() | st.text(), max_size=3))
def test_any_unknown_fields_leave_the_event_as_it_is(novelties: dict[str, object]) -> None:
    """And are heard of under their names."""
    unknown = {name: value for name, value in novelties.items() if name not in example_document()}
    data = msgspec.json.encode(unknown | example_document())

    assert decode(data) == example_event()
    assert ([list(unknown)] if unknown else []) == heard_from(data)


@pytest.mark.parametrize(
    "raw, names",
    [
        (b'"novelty":"\xff"', ["novelty"]),
        (b'"\xff":1', ["\ufffd"]),
        (b'"nov\xe2\x82":"\xff"', ["nov\ufffd"]),
        (b'"\\u006eovelty":1', ["novelty"]),
    ],
)
def test_an_unknown_field_need_not_be_utf_8(raw: bytes, names: list[str]) -> None:
    """It is skipped, not read; in its name, what is not UTF-8 becomes U+FFFD."""
    assert decode(with_field(raw)) == example_event()
    assert [names] == heard_from(with_field(raw))


def test_nothing_is_heard_of_an_invalid_event() -> None:
    """Its fields, known or not, are not taken."""
    decoder = Decoder(on_unknown_fields=lambda _: pytest.fail("called"))

    with pytest.raises(InvalidEvent, match=r"^ptid: "):
        decoder.decode(msgspec.json.encode(example_document(ptid="-", novelty=1)))


def test_what_a_listener_raises_comes_out() -> None:
    """It is the caller's own, and no verdict on the event."""

    def refuse(_: Sequence[str]) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$") as caught:
        Decoder(on_unknown_fields=refuse).decode(with_field(b'"novelty":1'))

    assert not isinstance(caught.value, InvalidEvent)
    assert caught.value.__context__ is None
