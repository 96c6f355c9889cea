"""The rule of each field, in words, read from the types that enforce it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, get_args, get_origin, get_type_hints

import msgspec

MISSING = "required field is missing"
NOT_AN_OBJECT = "not a JSON object"
TOO_DEEP = "nested too deeply"
UNWRITABLE = "cannot be written as JSON"


def too_large(max_size_bytes: int) -> str:
    """Return the rule that a document is too large for."""
    return f"larger than {max_size_bytes} bytes"


@functools.cache
def field_rules(event_type: type[msgspec.Struct]) -> Mapping[str, str]:
    """Return the rule of every field of an event type, in the order of the fields."""
    hints = get_type_hints(event_type, include_extras=True)
    return {name: _description(hints[name]) for name in event_type.__struct_fields__}


def _description(hint: object) -> str:
    """Return the description of the outermost annotation of a type."""
    metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next(
        meta.description
        for meta in reversed(metas)
        if isinstance(meta, msgspec.Meta) and meta.description
    )
