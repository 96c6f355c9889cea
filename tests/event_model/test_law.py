"""The law of formats: what an older format accepts, every newer one does, with the same values."""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacc_event_model import Decoder, EventFormat, decode, event_type
from tests.event_model.strategies import accepted, documents, texts, with_field
from tests.event_model.test_refusals import broken_documents

pairs = st.sampled_from(list(itertools.combinations(EventFormat, 2)))

# What may stand in a field that the older format does not know, as it is written.
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
).map(msgspec.json.encode)
written = anything | st.sampled_from(
    [b'"\xff"', b"1e999", b"9" * 400, b'"\\u0041"', b' {"a":"\xfe"} ']
)


def added_fields(older: EventFormat, newer: EventFormat) -> list[str]:
    """Return the fields that the newer format knows and the older one does not."""
    known = event_type(older).__struct_fields__
    return [name for name in event_type(newer).__struct_fields__ if name not in known]


@st.composite
def writings(draw: st.DrawFn, /, older: EventFormat, newer: EventFormat) -> bytes:
    """Draw a document, valid or nearly, with anything in the fields that are added, also twice."""
    document: dict[str, Any] = draw(
        documents(older).map(lambda drawn: drawn[0]) | broken_documents(older)
    )
    members = [
        (msgspec.json.encode(name), msgspec.json.encode(value)) for name, value in document.items()
    ]
    names = st.sampled_from([*added_fields(older, newer), "novelty"])
    more = draw(st.lists(st.tuples(names.map(msgspec.json.encode), written), max_size=4))
    ordered = draw(st.permutations([*members, *more]))
    return b"{" + b",".join(name + b":" + value for name, value in ordered) + b"}"


@given(st.data(), pairs)
def test_a_newer_format_accepts_what_an_older_one_does(
    data: st.DataObject, pair: tuple[EventFormat, EventFormat]
) -> None:
    """With equal values; what it adds is the text that is there, else null."""
    older, newer = pair
    document = data.draw(writings(older, newer))
    event = accepted(document, older)

    if event is not None:
        newer_event = decode(document, event_format=newer)
        assert msgspec.structs.asdict(event) == {
            name: getattr(newer_event, name) for name in event.__struct_fields__
        }
        raw = msgspec.json.decode(document.decode(errors="replace"), type=dict[str, msgspec.Raw])
        for name in added_fields(older, newer):
            held = msgspec.json.decode(raw.get(name, b"null")) if is_text(raw.get(name)) else None
            assert getattr(newer_event, name) in (
                [held] if "\ufffd" not in str(held) else [None, held]
            )


def is_text(raw: msgspec.Raw | None) -> bool:
    """Tell whether a value as it is written is a string."""
    return raw is not None and bytes(raw).strip().startswith(b'"')


@pytest.mark.parametrize("value", [b"1", b"true", b"[]", b'{"a":1}', b'"\xff"', b"1e999"])
@pytest.mark.parametrize("listens", [True, False])
def test_an_added_field_of_another_type_is_null_and_heard_of(
    *, value: bytes, listens: bool
) -> None:
    """Like a field that nobody knows; the other one keeps its text."""
    document = with_field(b'"modality":"M\\u0052","zeta":1,"naccid":' + value)
    heard: list[str] = []

    decoder = Decoder(EventFormat.V1_1, on_unknown_fields=heard.extend if listens else None)
    event = decoder.decode(document)

    assert (event.naccid, event.modality) == (None, "MR")
    assert type(event) is event_type(EventFormat.V1_1)
    assert heard == (["zeta", "naccid"] if listens else [])


def test_of_a_field_that_is_written_twice_the_last_counts() -> None:
    """Also where one of them is of another type: the older format looks at neither."""
    for written_twice, naccid in [
        (b'"naccid":1,"naccid":"N"', "N"),
        (b'"naccid":"N","naccid":1', None),
    ]:
        event = decode(with_field(written_twice), event_format=EventFormat.V1_1)
        assert event.naccid == naccid
