"""A chart as a file of its own, for slides: with its colours, on white, and what it shows."""

import re
from html import escape
from typing import Final

__all__ = ["standalone"]

COLORS: Final = {
    "ink": "#16202c",
    "faint": "#55616f",
    "rule": "#d9dfe6",
    "submit": "#3b78d8",
    "pass": "#1e8a63",
    "fail": "#cf5a1c",
    "delete": "#7d6c98",
    "other": "#5d7386",
    "again": "#94750c",
    "age1": "#4488d6",
    "age2": "#2a5fae",
    "age3": "#7a4aa6",
    "age4": "#b8331f",
}
"""What the light page gives its charts; a test compares."""

_NAMED: Final = re.compile(r"var\(--([a-z0-9]+)\)")
_HEAD: Final = re.compile(r"<svg[^>]*>")


def standalone(drawn: str, shows: str) -> str:
    """Return a drawn chart that needs no page around it."""
    head = _HEAD.match(drawn)
    if head is None:
        raise ValueError("not a drawn chart")
    first = (
        f'{head[0]}<title>{escape(shows)}</title><rect width="100%" height="100%" fill="#ffffff"/>'
    )
    whole = first + drawn[head.end() :]
    return _NAMED.sub(lambda name: COLORS[name[1]], whole) + "\n"
