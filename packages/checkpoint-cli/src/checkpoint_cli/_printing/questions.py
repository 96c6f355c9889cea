"""The named queries, listed and explained."""

import textwrap
from collections.abc import Iterator
from typing import Final

from msgspec import UNSET
from rich.console import RenderableType
from rich.text import Text

from checkpoint_cli._printing.output import table, terminal_width
from checkpoint_queries.questions import QUESTIONS, Parameter

__all__ = ["explanation", "listing"]

_WIDTH: Final = 80


def listing() -> Iterator[RenderableType]:
    """List the queries, with what each answers."""
    yield table(("query", "answers"), [(each.name, each.summary) for each in QUESTIONS.values()])


def explanation(name: str) -> Iterator[RenderableType]:
    """Explain what a query answers exactly, and what it takes besides filters."""
    query = QUESTIONS[name]
    yield Text(f"{query.name}: {query.summary}", "bold")
    yield ""
    yield textwrap.fill(query.definition, _width(), break_on_hyphens=False)
    for parameter in query.parameters:
        yield ""
        option = parameter.name.replace("_", "-")
        text = f"--{option}: {parameter.help} [default: {_default(parameter)}]"
        yield textwrap.fill(text, _width(), break_on_hyphens=False)


def _default(parameter: Parameter) -> str:
    if parameter.default is UNSET:
        return "now"
    if isinstance(parameter.default, tuple):
        return ", ".join(parameter.default) or "none"
    return str(parameter.default)


def _width() -> int:
    return min(terminal_width() or _WIDTH, _WIDTH)
