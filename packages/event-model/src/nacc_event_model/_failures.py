"""What an exception from decoding says about a document, without saying anything that it holds."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from nacc_event_model import _rules
from nacc_event_model._syntax import syntax_rule
from nacc_event_model.errors import InvalidEvent
from nacc_event_model.events import AnyVisitEvent

DECODING_ERRORS: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)

MAX_DEPTH: Final = 256
"""Deepest nesting of a document; well below what the parser takes on any Python version."""

# A message ends in the path of the field; what comes before it may be a value that looks like one.
_path = re.compile(r" - at `\$\.([a-z_]+)`\Z")
_missing = re.compile(r"Object missing required field `([a-z_]+)`\Z")
_string_or_bracket = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def is_too_deep(data: bytes) -> bool:
    """Tell whether a document is nested more than `MAX_DEPTH` levels deep.

    The parser has a limit too, but one that differs between versions of Python and with the
    depth of the caller's stack: the same bytes have to be judged the same everywhere.
    """
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return False
    depth = 0
    for match in _string_or_bracket.finditer(data):
        token = match[0]
        if token in b"{[":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token in b"}]":
            depth -= 1
    return False


def invalid_event(error: Exception, data: bytes, event_type: type[AnyVisitEvent]) -> InvalidEvent:
    """Return what is wrong with a document that could not be decoded.

    Args:
        error: One of `DECODING_ERRORS`. Its text may hold values; only the names of known
            fields are taken from it.
        data: The document.
        event_type: What it was to become.

    """
    if isinstance(error, RecursionError):
        return InvalidEvent(None, _rules.TOO_DEEP)
    if not isinstance(error, msgspec.ValidationError):
        return InvalidEvent(None, syntax_rule(error, data))
    cause = error.__cause__
    if isinstance(cause, InvalidEvent):
        return InvalidEvent(cause.field, cause.rule)
    message = str(error)
    rules = _rules.field_rules(event_type)
    if (at := _path.search(message)) and (field := at[1]) in rules:
        return InvalidEvent(field, rules[field])
    if (missing := _missing.match(message)) and (field := missing[1]) in rules:
        return InvalidEvent(field, _rules.MISSING)
    return InvalidEvent(None, _rules.NOT_AN_OBJECT)
