"""What a policy document allows, with its conditions, which moto leaves out of account.

As IAM evaluates the identity policies of one principal: nothing is allowed that no statement
allows, and a statement that refuses wins. What is not known here is an error, never a guess.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

__all__ = ["Access", "allows"]


class Access(Struct, frozen=True, kw_only=True):
    """One permission that a request needs, and the keys of its context, such as s3:prefix."""

    action: str
    resource: str
    context: dict[str, str] = {}


def allows(policy: Mapping[str, Any], access: Access) -> bool:
    """Say whether the policy lets this through."""
    effects = {each["Effect"] for each in policy["Statement"] if _applies(each, access)}
    assert effects <= {"Allow", "Deny"}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], access: Access) -> bool:
    assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
    return (
        any(_is_like(each.lower(), access.action.lower()) for each in statement["Action"])
        and any(_is_like(each, access.resource) for each in statement["Resource"])
        and all(
            _holds(_OPERATORS[operator], wanted, access.context)
            for operator, wanted in statement.get("Condition", {}).items()
        )
    )


def _holds(
    operator: Callable[[str, str], bool], wanted: Mapping[str, Any], context: Mapping[str, str]
) -> bool:
    """All keys must fit; a key that the request does not have fits nothing."""
    return all(
        key in context and any(operator(each, context[key]) for each in _listed(values))
        for key, values in wanted.items()
    )


def _listed(values: str | Iterable[str]) -> Iterable[str]:
    return [values] if isinstance(values, str) else values


def _is_like(pattern: str, text: str) -> bool:
    """Say whether the text fits; only * and ? have a meaning."""
    parts = ({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _is_equal(wanted: str, text: str) -> bool:
    return wanted == text


_OPERATORS: Final = {"ArnEquals": _is_equal, "StringEquals": _is_equal, "StringLike": _is_like}
