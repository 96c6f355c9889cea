"""From bytes to events."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, TypeVar, overload

import msgspec

from nacc_event_model import _rules
from nacc_event_model._every_rule import every_violation
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
        every_rule: Look for every rule that an invalid document breaks, not only for the first:
            `InvalidEvent.violations`. It makes refusing slower, and nothing else.
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
        "_every_rule",
        "_max_size_bytes",
        "_on_unknown",
    )

    @overload
    def __init__(
        self: Decoder[VisitEvent],
        event_format: Literal[EventFormat.V1_0] = ...,
        *,
        max_size_bytes: int = ...,
        every_rule: bool = ...,
        on_unknown_fields: Callable[[Sequence[str]], None] | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Decoder[VisitEventV11],
        event_format: Literal[EventFormat.V1_1],
        *,
        max_size_bytes: int = ...,
        every_rule: bool = ...,
        on_unknown_fields: Callable[[Sequence[str]], None] | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Decoder[AnyVisitEvent],
        event_format: EventFormat,
        *,
        max_size_bytes: int = ...,
        every_rule: bool = ...,
        on_unknown_fields: Callable[[Sequence[str]], None] | None = ...,
    ) -> None: ...
    def __init__(
        self,
        event_format: EventFormat = EventFormat.V1_0,
        *,
        max_size_bytes: int = MAX_SIZE_BYTES,
        every_rule: bool = False,
        on_unknown_fields: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self._event_format = event_format
        self._event_type: type[AnyVisitEvent] = event_type(event_format)
        self._max_size_bytes = max_size_bytes
        self._every_rule = every_rule
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
        if self._every_rule:
            outcome = self._with_every_rule(data, outcome)
        # Outside of the handler: the caught error may hold values, and would be chained.
        try:
            raise outcome
        finally:
            # Or it and this frame would keep each other, and the data, until they are collected.
            del outcome

    def parse_object_name(self, key: str) -> ObjectName | None:
        """Return what the name of an event object of this format tells; None if it is not one."""
        return parse_object_name(key, event_format=self._event_format)

    def _with_every_rule(self, data: bytes, first: InvalidEvent) -> InvalidEvent:
        """Return the refusal with all that is wrong with the document."""

        def judge(document: bytes) -> InvalidEvent | None:
            outcome = self._tolerate(document)
            return outcome if isinstance(outcome, InvalidEvent) else None

        fields = self._event_type.__struct_fields__
        return InvalidEvent(first.field, first.rule, every_violation(data, first, fields, judge))

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
    return Decoder(event_format, max_size_bytes=max_size_bytes, every_rule=True)


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
        InvalidEvent: the document is not an event of this format. It holds no value, and in
            `violations` every rule that is broken.

    """
    return _decoder(event_format, max_size_bytes).decode(data)
