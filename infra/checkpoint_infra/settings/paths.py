"""Templates of an export's paths: what is wrong with one, and which keys it leads to."""

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["folder_of", "key_of", "may_be", "may_meet", "path_problems", "placeholders"]

_PLACEHOLDERS: Final = ("study", "datatype", "adcid", "year", "month")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_UPWARDS: Final = re.compile(r"(\.\./)*")


def placeholders(template: str) -> list[str]:
    """Return the names of the template's placeholders, each once."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(template)))


def path_problems(template: str) -> Iterator[str]:
    """Say why the function would refuse a path, or why it has no place in a policy."""
    if not set(placeholders(template)) <= set(_PLACEHOLDERS):
        known = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
        yield f"has an unknown placeholder; those are {known}"
    literal = _PLACEHOLDER.sub("x", template)
    if "{" in literal or "}" in literal:
        yield "has a brace without its other"
    if not re.search(r"[^/]\.parquet\Z", literal):
        yield "must end with a name and .parquet"
    inside = _UPWARDS.sub("", template, count=1)
    parts = _UPWARDS.sub("", literal, count=1).split("/")
    if "" in parts:
        yield "must not begin with a slash or have two of them side by side"
    if inside != template and ("{" in inside.split("/")[0] or len(parts) == 1):
        yield "must go on into a folder after ../, such as ../exports/"
    if any(part.startswith(("_", ".")) for part in parts):
        yield "no part of it may begin with _ or . : readers pass over such names"
    # Also * ? and $ are none of them, which mean something in a policy.
    if re.search(r"[^A-Za-z0-9!_.()=/{}-]", literal):
        yield "may have letters, digits and !_.()=- beside placeholders, as keys do"


def key_of(template: str, folder: str) -> str:
    """Return the template of keys that a path from a folder means.

    It begins with ../ where the path leads out of the bucket.
    """
    while folder and template.startswith("../"):
        template = template.removeprefix("../")
        folder = folder[: folder.rstrip("/").rfind("/") + 1]
    return f"{folder}{template}"


def folder_of(key: str) -> str:
    """Return the deepest folder that all keys of a template are below, with its slash."""
    literal = key.partition("{")[0]
    return literal[: literal.rfind("/") + 1]


def may_be(template: str, key: str) -> bool:
    """Tell whether a template may give this key."""
    pieces = _PLACEHOLDER.split(template)
    # The odd ones are the names of placeholders.
    pattern = "".join("[^/]*" if at % 2 else re.escape(text) for at, text in enumerate(pieces))
    return re.fullmatch(pattern, key) is not None


def may_meet(one: str, other: str) -> bool:
    """Tell whether two templates may give one key; part by part, on the safe side."""
    parts, others = one.split("/"), other.split("/")
    return len(parts) == len(others) and all(map(_parts_may_meet, parts, others))


def _parts_may_meet(one: str, other: str) -> bool:
    if "{" not in one or "{" not in other:
        return may_be(one, other) or may_be(other, one)
    begins = [each.partition("{")[0] for each in (one, other)]
    ends = [each.rpartition("}")[2][::-1] for each in (one, other)]
    return all(
        first.startswith(second) or second.startswith(first) for first, second in (begins, ends)
    )
