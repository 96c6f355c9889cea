"""Events as Pydantic takes them, and with it FastAPI: judged by this package's own rules.

Pydantic is loaded by whoever asks for this, never by this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from nacc_event_model import _rules
from nacc_event_model._codec import decode
from nacc_event_model._encoding import to_dict
from nacc_event_model._failures import DECODING_ERRORS
from nacc_event_model.errors import InvalidEvent
from nacc_event_model.events import AnyVisitEvent, EventFormat
from nacc_event_model.schemas import json_schema

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

_TYPE = "visit_event"


def core_schema(event_format: EventFormat, type_: type[AnyVisitEvent]) -> CoreSchema:
    """Return how Pydantic validates an event and writes it.

    An event is taken as it is, a document as `decode` takes it. Every rule that is broken is an
    error of its field, of type `visit_event`; none holds a value.
    """
    from pydantic_core import core_schema as schemas  # noqa: PLC0415 - see above

    def validate(value: object) -> AnyVisitEvent:
        return value if isinstance(value, type_) else _read(value, event_format)

    return schemas.no_info_plain_validator_function(
        validate,
        serialization=schemas.plain_serializer_function_ser_schema(to_dict),
    )


def pydantic_json_schema(event_format: EventFormat) -> dict[str, Any]:
    """Return the JSON Schema of a format as a part of another one."""
    whole = json_schema(event_format)
    return {name: value for name, value in whole.items() if name not in {"$schema", "$id"}}


def _read(value: object, event_format: EventFormat) -> AnyVisitEvent:
    """Return the event of a document that was parsed already; raises Pydantic's error."""
    from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError  # noqa: PLC0415

    try:
        data = msgspec.json.encode(value)
    except (*DECODING_ERRORS, TypeError):
        broken = InvalidEvent(None, _rules.UNWRITABLE).violations
    else:
        try:
            return decode(data, event_format=event_format)
        except InvalidEvent as error:
            broken = error.violations
    details = [
        InitErrorDetails(
            type=PydanticCustomError(_TYPE, "{rule}", {"rule": rule}),
            loc=() if field is None else (field,),
            # In place of what was given, which is shown to whoever sent it, and in logs.
            input=None,
        )
        for field, rule in broken
    ]
    raise ValidationError.from_exception_data(_TYPE, details, hide_input=True) from None
