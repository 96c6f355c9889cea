"""From events to bytes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import msgspec

from nacc_event_model import _rules
from nacc_event_model._callers import rule_for_caller
from nacc_event_model._codec import decode
from nacc_event_model._failures import DECODING_ERRORS
from nacc_event_model.errors import InvalidEvent
from nacc_event_model.events import AnyVisitEvent, EventFormat, VisitEventV11, event_type


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


def to_dict(event: AnyVisitEvent) -> dict[str, Any]:
    """Return the document that `encode` writes as a dict of what JSON has: texts and numbers.

    *Guarantee:* every JSON library writes it as a document of an equal event.

    Raises:
        InvalidEvent: as `encode` does.

    """
    document: dict[str, Any] = msgspec.json.decode(encode(event))
    return document


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
