"""Errors say field and rule, and never hold anything of the event."""

import copy
import gc
import json
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import msgspec
import pytest

from nacc_event_model import (
    Decoder,
    EventFormat,
    EventModelError,
    InvalidEvent,
    decode,
    encode,
    event_type,
    make_object_name,
)
from nacc_event_model._failures import invalid_event
from tests.event_model.strategies import example_document, example_event, example_event_v11

MARK = "SECRET-VALUE"  # longer than a ptid
MARKED_TEXTS = [
    MARK,
    f"{MARK}\n",
    f"{MARK} - at `$.ptid`",
    f"{MARK} Object missing required field `ptid`",
    f"2024-01-15T{MARK}",
]
ADDED = {"naccid", "modality"}
FREE_TEXTS = ADDED | {
    *["study", "project_label", "center_label", "gear_name", "visit_number"],
    *["datatype", "module", "packet"],
}
FIELDS = [
    (event_format, field)
    for event_format in EventFormat
    for field in event_type(event_format).__struct_fields__
]


def reachable(error: BaseException) -> Iterator[str]:
    """Give every text that a logger may find on an error and on those that hang on it."""
    seen: list[BaseException | None] = [None]
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if any(current is one for one in seen) or current is None:
            continue
        seen.append(current)
        pending += [current.__cause__, current.__context__]
        yield from (str(current), repr(current), repr(current.args), repr(vars(current)))
        yield repr(getattr(current, "__notes__", None))
    yield "".join(traceback.TracebackException.from_exception(error).format())


def check_holds_nothing(call: Callable[[], object]) -> None:
    """Check that what the call raises is an invalid event that holds nothing marked."""
    with pytest.raises(InvalidEvent) as caught:
        call()
    for text in reachable(caught.value):
        assert MARK not in text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


LISTENERS = pytest.mark.parametrize("listener", [None, lambda _: None], ids=["unheard", "heard"])


@LISTENERS
@pytest.mark.parametrize("event_format, field", FIELDS)
def test_no_value_of_a_field_is_in_an_error(
    event_format: EventFormat, field: str, listener: Callable[..., None] | None
) -> None:
    """Whatever breaks the rule: a text, a list, an object, or bytes that are no text."""
    decoder = Decoder(event_format, on_unknown_fields=listener)
    document = msgspec.json.encode(example_document(event_format, **{field: "MARKED"}))
    not_text = [b'"\xff%b"', b'"\\ud800%b"', b'"%b', b"%b"]
    values = [json.dumps([MARK, value]).encode() for value in MARKED_TEXTS]
    values += [b'{"%b":1}' % MARK.encode(), *(value % MARK.encode() for value in not_text)]
    if field not in FREE_TEXTS:
        values += [json.dumps(value).encode() for value in MARKED_TEXTS]

    for value in values:
        written = document.replace(b'"MARKED"', value)
        if field in ADDED:
            # Nothing that can be parsed makes these two invalid, so something else has to.
            written = written.replace(b'"ptid":', b'"ptid":7,"ptid":')
        check_holds_nothing(partial(decoder.decode, written))


@LISTENERS
@pytest.mark.parametrize(
    "document",
    [
        {MARK: 1},
        example_document(ptid=...) | {MARK: MARK},
        example_document(ptid="-") | {MARK: {MARK: MARK}},
        [MARK],
        MARK,
    ],
)
def test_no_unknown_name_is_in_an_error(
    document: object, listener: Callable[..., None] | None
) -> None:
    """Nor a value in an unknown field, nor what stands around the object."""
    decoder = Decoder(on_unknown_fields=listener)
    data = json.dumps(document).encode()

    check_holds_nothing(partial(decoder.decode, data))
    check_holds_nothing(partial(decoder.decode, data + MARK.encode()))


@pytest.mark.parametrize("event_format, field", FIELDS)
def test_no_value_of_an_event_is_in_an_error_of_encoding(
    event_format: EventFormat, field: str
) -> None:
    """Nor of construction, whatever a caller puts into a field."""
    make = example_event if event_format is EventFormat.V1_0 else example_event_v11

    def make_and_encode(**changed: object) -> bytes:
        return encode(make(**changed))

    for value in [MARK.encode(), [MARK], {MARK: MARK}, f"\ud800{MARK}", {MARK}, MARK.join]:
        check_holds_nothing(partial(make_and_encode, **{field: value}))


@pytest.mark.parametrize("field", ["action", "project_label", "ptid", "visit_number"])
def test_no_value_of_an_event_is_in_an_error_of_naming(field: str) -> None:
    """Names are made of fields, errors about them are not."""
    event = example_event(**{field: f"/{MARK}"})

    check_holds_nothing(partial(make_object_name, event, visit="number"))


def test_an_error_is_what_it_says() -> None:
    """Field and rule are attributes; it comes back whole from another process."""
    error = InvalidEvent("ptid", "must be good")

    assert isinstance(error, EventModelError)
    assert isinstance(error, ValueError)
    for each in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (each.field, each.rule, str(each)) == ("ptid", "must be good", "ptid: must be good")


@pytest.mark.parametrize(
    "error, rule",
    [
        # The limit on nesting comes first, unless the caller has used up the stack already.
        (RecursionError(MARK), "nested too deeply"),
        (msgspec.ValidationError(MARK), "not a JSON object"),
        (msgspec.ValidationError(f"{MARK} - at `$.{MARK.lower()}`"), "not a JSON object"),
    ],
)
def test_whatever_a_later_parser_may_say_nothing_of_it_is_passed_on(
    error: Exception, rule: str
) -> None:
    """An error that names no known field is about the document."""
    told = invalid_event(error, b"", event_type(EventFormat.V1_0))

    assert (told.field, told.rule, str(told)) == (None, rule, rule)


def test_an_error_within_a_handler_has_only_that_handlers_context() -> None:
    """Decoding inside of somebody's `except` chains that exception and nothing else."""
    outer = RuntimeError()

    def decode_while_handling() -> None:
        try:
            raise outer
        except RuntimeError:
            decode(msgspec.json.encode(example_document(action=MARK)))

    with pytest.raises(InvalidEvent) as caught:
        decode_while_handling()

    assert caught.value.__context__ is outer
    assert outer.__context__ is None


def test_a_refused_document_is_let_go() -> None:
    """At once, because documents may be large, and the next one is read already."""
    data = json.dumps(example_document(action=7)).encode() + b" " * 1_000
    gc.collect()
    gc.disable()
    try:
        before = sys.getrefcount(data)
        with suppress(InvalidEvent):
            decode(data)
        assert sys.getrefcount(data) == before
    finally:
        gc.enable()
