"""From bytes to events and back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, TypeVar, overload

import msgspec

from nacc_event_model import _rules
from nacc_event_model._callers import rule_for_caller
from nacc_event_model._failures import DECODING_ERRORS, MAX_DEPTH, invalid_event, is_too_deep
from nacc_event_model._object_names import ObjectName, parse_object_name
from nacc_event_model.errors import InvalidEvent
from nacc_event_model.events import (
    AnyVisitEvent,
    EventFormat,
    VisitEvent,
    VisitEventV11,
    event_type,
)

MAX_SIZE_BYTES: Final = 1_048_576

EventT_co = TypeVar("EventT_co", bound=AnyVisitEvent, covariant=True)

_set = msgspec.structs.force_setattr


class _ClosedVisitEvent(VisitEvent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _ClosedVisitEventV11(VisitEventV11, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _TolerantVisitEventV11(VisitEventV11, frozen=True, kw_only=True):
    naccid: msgspec.Raw = msgspec.Raw(b"null")  # type: ignore[assignment]  # until it was looked at
    modality: msgspec.Raw = msgspec.Raw(b"null")  # type: ignore[assignment]  # likewise


_OTHER_TYPES: Final[Mapping[EventFormat, tuple[type[AnyVisitEvent], type[AnyVisitEvent]]]] = {
    EventFormat.V1_0: (_ClosedVisitEvent, VisitEvent),
    EventFormat.V1_1: (_ClosedVisitEventV11, _TolerantVisitEventV11),
}
"""The type that knows no other fields, and the one that looks later at optional fields.

An older format skips those, whatever they hold: they must not make its events invalid.
"""
_decode_text: Final = msgspec.json.Decoder(str | None).decode


class Decoder(Generic[EventT_co]):
    """Decodes many documents of one format, into its type of events, and reads their names.

    *Guarantee:* stateless between documents, usable from several threads at once.

    Args:
        event_format: Rules to judge by.
        max_size_bytes: A larger document is refused without being parsed.
        on_unknown_fields: Called with the names of the top-level fields that the format does
            not know, in the document's order, for each *valid* document that has some.
            A field that is read as null because it is of another type is one of them.
            The names are input: of any length and content. Listening costs about nothing
            for documents without such fields, and never changes a verdict.

    """

    __slots__ = (
        "_decode_closed",
        "_decode_open",
        "_decode_tolerant",
        "_event_format",
        "_event_type",
        "_max_size_bytes",
        "_on_unknown",
    )

    @overload
    def __init__(
        self: Decoder[VisitEvent],
        event_format: Literal[EventFormat.V1_0] = ...,
        *,
        max_size_bytes: int = ...,
        on_unknown_fields: Callable[[Sequence[str]], None] | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Decoder[VisitEventV11],
        event_format: Literal[EventFormat.V1_1],
        *,
        max_size_bytes: int = ...,
        on_unknown_fields: Callable[[Sequence[str]], None] | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Decoder[AnyVisitEvent],
        event_format: EventFormat,
        *,
        max_size_bytes: int = ...,
        on_unknown_fields: Callable[[Sequence[str]], None] | None = ...,
    ) -> None: ...
    def __init__(
        self,
        event_format: EventFormat = EventFormat.V1_0,
        *,
        max_size_bytes: int = MAX_SIZE_BYTES,
        on_unknown_fields: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self._event_format = event_format
        self._event_type: type[AnyVisitEvent] = event_type(event_format)
        self._max_size_bytes = max_size_bytes
        self._on_unknown = on_unknown_fields
        # The overloads say which type a format has, and nothing here could show it.
        decoder: Any = msgspec.json.Decoder
        closed, tolerant = _OTHER_TYPES[event_format]
        self._decode_open: Callable[[bytes], EventT_co] = decoder(self._event_type).decode
        self._decode_closed: Callable[[bytes], EventT_co] = decoder(closed).decode
        self._decode_tolerant: Callable[[bytes], EventT_co] = decoder(tolerant).decode

    def decode(self, data: bytes) -> EventT_co:
        """Return the event that a JSON document holds.

        *Guarantee:* the same bytes give the same event or the same error, on every supported
        Python and whoever listens for unknown fields.

        Raises:
            InvalidEvent: the document is not an event of this format. It holds no value.

        """
        size = len(data)
        if size > self._max_size_bytes:
            raise InvalidEvent(None, _rules.too_large(self._max_size_bytes))
        # As many levels need twice as many brackets.
        if size > 2 * MAX_DEPTH and is_too_deep(data):
            raise InvalidEvent(None, _rules.TOO_DEEP)
        if self._on_unknown is not None:
            try:
                event = self._decode_closed(data)
            except DECODING_ERRORS:
                pass  # Invalid, or valid with unknown fields: only the open type can tell.
            else:
                # The types differ in nothing but this decoding, so the event changes its type.
                _set(event, "__class__", self._event_type)
                return event
        outcome: tuple[EventT_co, Sequence[str]] | InvalidEvent
        try:
            outcome = self._decode_open(data), ()
        except DECODING_ERRORS:
            outcome = self._tolerate(data)
        if not isinstance(outcome, InvalidEvent):
            event, skipped = outcome
            if self._on_unknown is not None:
                self._on_unknown(self._unknown_fields(data, skipped))
            return event
        # Outside of the handler: the caught error may hold values, and would be chained.
        try:
            raise outcome
        finally:
            # Or it and this frame would keep each other, and the data, until they are collected.
            del outcome

    def parse_object_name(self, key: str) -> ObjectName | None:
        """Return what the name of an event object of this format tells; None if it is not one."""
        return parse_object_name(key, event_format=self._event_format)

    def _tolerate(self, data: bytes) -> tuple[EventT_co, Sequence[str]] | InvalidEvent:
        """Return the event and its fields that are read as null, or what is wrong with it."""
        try:
            event = self._decode_tolerant(data)
        except DECODING_ERRORS as error:
            return invalid_event(error, data, self._event_type)
        skipped = [name for name in self._event_type.__struct_fields__ if _is_skipped(event, name)]
        _set(event, "__class__", self._event_type)
        return event, skipped

    def _unknown_fields(self, data: bytes, skipped: Sequence[str]) -> list[str]:
        try:
            names = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        except DECODING_ERRORS:
            # A valid event, with bytes that are not UTF-8 in the name of an unknown field.
            readable = data.decode(errors="replace").encode()
            names = msgspec.json.decode(readable, type=dict[str, msgspec.Raw])
        known = set(self._event_type.__struct_fields__).difference(skipped)
        return [name for name in names if name not in known]


def _is_skipped(event: AnyVisitEvent, field: str) -> bool:
    """Put the text, or null, into a field that was not looked at; tell whether it had neither."""
    raw = getattr(event, field)
    if not isinstance(raw, msgspec.Raw):
        return False
    try:
        _set(event, field, _decode_text(raw))
    except DECODING_ERRORS:
        _set(event, field, None)
        return True
    return False


@functools.lru_cache(maxsize=16)
def _decoder(event_format: EventFormat, max_size_bytes: int) -> Decoder[AnyVisitEvent]:
    return Decoder(event_format, max_size_bytes=max_size_bytes)


@overload
def decode(
    data: bytes,
    *,
    event_format: Literal[EventFormat.V1_0] = ...,
    max_size_bytes: int = ...,
) -> VisitEvent: ...
@overload
def decode(
    data: bytes,
    *,
    event_format: Literal[EventFormat.V1_1],
    max_size_bytes: int = ...,
) -> VisitEventV11: ...
@overload
def decode(
    data: bytes, *, event_format: EventFormat, max_size_bytes: int = ...
) -> AnyVisitEvent: ...
def decode(
    data: bytes,
    *,
    event_format: EventFormat = EventFormat.V1_0,
    max_size_bytes: int = MAX_SIZE_BYTES,
) -> AnyVisitEvent:
    """Return the event that one JSON document holds; see `Decoder`, which is for many.

    Args:
        data: The document, UTF-8 without a byte order mark.
        event_format: Rules to judge by.
        max_size_bytes: A larger document is refused without being parsed.

    Raises:
        InvalidEvent: the document is not an event of this format. It holds no value.

    """
    return _decoder(event_format, max_size_bytes).decode(data)


def encode(event: AnyVisitEvent) -> bytes:
    """Return the event as the JSON document that producers write.

    *Guarantee:* what is written is what `decode` takes and turns into an equal event.
    Equal events give equal bytes: fields in their order, null ones left out, time in UTC with Z.

    Raises:
        InvalidEvent: a field breaks its rule; the constructor does not check all of them.

    """
    event_format = EventFormat.V1_1 if isinstance(event, VisitEventV11) else EventFormat.V1_0
    optional = _optional_fields(type(event))
    written = {
        name: value
        for name in event.__struct_fields__
        if (value := getattr(event, name)) is not None or name not in optional
    }
    data = _json(written)
    rules = _rules.field_rules(event_type(event_format))
    if data is None:
        field = next(name for name, value in written.items() if _json(value) is None)
        raise _refusal(event, field, rules)
    try:
        decoded = decode(data, event_format=event_format)
    except InvalidEvent as error:
        broken = error.field
        if broken is None:
            raise
    else:
        fields = (name for name in rules if getattr(decoded, name) != getattr(event, name))
        broken = next(fields, None)
    if broken is not None:
        raise _refusal(event, broken, rules)
    return data


def _refusal(event: AnyVisitEvent, field: str, rules: Mapping[str, str]) -> InvalidEvent:
    # A subclass may have fields without a rule.
    if field not in rules:
        return InvalidEvent(field, _rules.UNWRITABLE)
    return InvalidEvent(field, rule_for_caller(field, getattr(event, field), rules[field]))


@functools.cache
def _optional_fields(type_: type[AnyVisitEvent]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(type_) if field.default is None)


def _json(value: object) -> bytes | None:
    """Return the value as JSON, None if it cannot be written."""
    try:
        return msgspec.json.encode(value)
    except (*DECODING_ERRORS, TypeError):
        return None
