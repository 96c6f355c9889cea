"""The visit event contract: decode, validate, encode and name visit events."""

from nacc_event_model._codec import Decoder, decode
from nacc_event_model._encoding import encode, to_dict
from nacc_event_model._object_names import (
    ObjectName,
    make_object_name,
    object_name_pattern,
    parse_object_name,
)
from nacc_event_model._version import RULES_VERSION, __version__
from nacc_event_model.errors import EventModelError, InvalidEvent, Violation
from nacc_event_model.events import (
    AnyVisitEvent,
    EventFormat,
    VisitEvent,
    VisitEventV11,
    event_type,
)
from nacc_event_model.schemas import json_schema

__all__ = [
    "RULES_VERSION",
    "AnyVisitEvent",
    "Decoder",
    "EventFormat",
    "EventModelError",
    "InvalidEvent",
    "ObjectName",
    "Violation",
    "VisitEvent",
    "VisitEventV11",
    "__version__",
    "decode",
    "encode",
    "event_type",
    "json_schema",
    "make_object_name",
    "object_name_pattern",
    "parse_object_name",
    "to_dict",
]
