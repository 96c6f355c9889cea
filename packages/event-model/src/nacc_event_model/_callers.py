"""What is wrong with a value that Python code gave, in the terms of Python."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

_TYPES: Final[Mapping[str, type]] = {
    "pipeline_adcid": int,
    "visit_date": date,
    "timestamp": datetime,
}
_OUTSIDE: Final = "must be of the years 1 to 9999 in UTC"
_SURROGATE: Final = "holds half a surrogate pair, which cannot be encoded in UTF-8"


def rule_for_caller(field: str, value: object, rule: str) -> str:
    """Return the rule that a value breaks, the given one of documents where its type is right.

    Args:
        field: A field of the contract.
        value: What it was given; the rule names its type, and nothing that it holds.
        rule: What the contract says of the field in a document.

    """
    expected = _TYPES.get(field, str)
    # A datetime is a date for Python only: it has a time that would be lost.
    is_datetime = expected is date and isinstance(value, datetime)
    if not isinstance(value, expected) or isinstance(value, bool) or is_datetime:
        return f"must be {_name(expected)}, not {_name(type(value))}"
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return _SURROGATE
    return _OUTSIDE if isinstance(value, datetime) else rule


def _name(type_: type) -> str:
    module = "" if type_.__module__ == "builtins" else f"{type_.__module__}."
    return f"{module}{type_.__qualname__}"
