"""The JSON Schema of each event format, made from the types that enforce it.

The files beside this module are the same schemas, for users of other languages.
`python -m nacc_event_model.schemas` writes them anew; a test keeps them true.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from nacc_event_model.events import EventFormat, event_type

_MODULE_GOES_WITH_FORM: dict[str, Any] = {
    "if": {"properties": {"datatype": {"const": "form"}}},
    "then": {"required": ["module"], "properties": {"module": {"type": "string"}}},
    "else": {"properties": {"module": {"type": "null"}}},
}


def json_schema(event_format: EventFormat) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the documents of a format.

    What it cannot say is in the descriptions only: dates and times are real ones, a numeric
    string is in range, an integer is written without a fraction or exponent.
    """
    type_ = event_type(event_format)
    _, components = msgspec.json.schema_components([type_])
    schema = components[type_.__name__] | {
        "title": f"Visit event, format {event_format}",
        "description": "One thing that happened to a visit. Unknown fields are allowed.",
    }
    if event_format is EventFormat.V1_1:
        schema |= _MODULE_GOES_WITH_FORM
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_path(event_format: EventFormat) -> Path:
    """Return where the package keeps the schema of a format."""
    return Path(__file__).with_name(f"visit-event-{event_format}.schema.json")


def schema_text(event_format: EventFormat) -> str:
    """Return what the file of a format has to hold."""
    compact = msgspec.json.encode(json_schema(event_format))
    return msgspec.json.format(compact, indent=2).decode() + "\n"
