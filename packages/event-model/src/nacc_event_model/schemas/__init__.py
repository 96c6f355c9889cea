"""The JSON Schema of each event format, made from the types that enforce it.

The files beside this module are the same schemas, for users of other languages.
`python -m nacc_event_model.schemas` writes them anew; a test keeps them true.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from nacc_event_model._fields import NOTHING_MORE
from nacc_event_model.events import EventFormat, VisitEvent, event_type


def json_schema(event_format: EventFormat) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the documents of a format.

    *Guarantee:* it needs nothing of a validator that not every one has: no look-around in a
    pattern, no format. A document that keeps the schema of a format keeps that of every later one.

    What it cannot say is in the descriptions only: dates and times are real ones, a numeric
    string is not greater than the greatest number, an integer is written without a fraction or
    exponent, and what concerns the bytes, such as size, encoding and depth.
    """
    type_ = event_type(event_format)
    _, components = msgspec.json.schema_components([type_])
    schema = components[type_.__name__]
    properties: dict[str, dict[str, Any]] = schema["properties"]
    properties["visit_date"].pop("format")
    ptid = properties["ptid"]
    ptid["pattern"] = ptid["pattern"].replace(NOTHING_MORE, "$")
    for added in set(properties).difference(VisitEvent.__struct_fields__):
        # An older format skips the field, whatever it holds.
        properties[added].pop("anyOf")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:nacc:visit-event:{event_format}",
        **schema,
        "title": f"Visit event {event_format}",
        "description": "One thing that happened to a visit. Unknown fields are allowed.",
    }


def schema_path(event_format: EventFormat) -> Path:
    """Return where the package keeps the schema of a format."""
    return Path(__file__).with_name(f"visit-event-{event_format}.schema.json")


def schema_text(event_format: EventFormat) -> str:
    """Return what the file of a format has to hold."""
    compact = msgspec.json.encode(json_schema(event_format))
    return msgspec.json.format(compact, indent=2).decode() + "\n"
