"""The named queries: finding one, explaining it, and asking it."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import polars as pl
import typer
from msgspec import UNSET
from rich.console import RenderableType
from rich.text import Text

from checkpoint_cli._opening import scanned
from checkpoint_cli._printing.answers import Answer
from checkpoint_cli._printing.output import one_line, table
from checkpoint_cli._printing.rows import terminal_width
from checkpoint_core.queries import PERIODS, QUERIES, Filters, Parameter, Query

__all__ = ["ask", "explanation", "listing", "named", "parameters_of"]

_WIDTH: Final = 80


def named(name: str, *, hint: str) -> Query:
    """Return the query of this name; another is wrong usage."""
    if name not in QUERIES:
        raise typer.BadParameter(
            f"there is no query {one_line(name)}{_nearest(name, QUERIES)} (see --list)",
            param_hint=hint,
        )
    return QUERIES[name]


def listing() -> Iterator[RenderableType]:
    """List the queries, with what each answers."""
    yield table(("query", "answers"), [(query.name, query.summary) for query in QUERIES.values()])


def explanation(query: Query) -> Iterator[RenderableType]:
    """Explain what a query answers exactly, and what it takes besides filters."""
    yield Text(f"{query.name}: {query.summary}", "bold")
    yield ""
    yield textwrap.fill(query.definition, _width(), break_on_hyphens=False)
    for parameter in query.parameters:
        yield ""
        text = f"{_option(parameter.name)}: {parameter.help} [default: {_default(parameter)}]"
        yield textwrap.fill(text, _width(), break_on_hyphens=False)


def parameters_of(query: Query, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a query's parameters; what is given but None is left out, others are wrong usage.

    Where a moment is needed and not given, it is now.
    """
    values = {name: value for name, value in given.items() if value is not None}
    takes = {parameter.name: parameter for parameter in query.parameters}
    for name in values.keys() - takes.keys():
        options = " and ".join(map(_option, takes)) or "filters only"
        raise typer.BadParameter(f"{query.name} takes {options}", param_hint=_option(name))
    for name in takes.keys() - values.keys():
        if takes[name].kind == "time" and takes[name].default is UNSET:
            values[name] = datetime.now(UTC)
    return values


def ask(
    query: Query,
    file: Path,
    filters: Filters,
    parameters: Mapping[str, Any],
    *,
    limit: int | None,
) -> Answer:
    """Answer a query from the file that it reads, at most `limit` rows.

    Fields that are not there are wrong usage. Raises what polars raises over a damaged file.
    """
    rows = scanned(file)
    if "by" in parameters:
        parameters = {**parameters, "by": _fields(parameters["by"], rows)}
    try:
        answer = query.answer(rows, filters, **parameters)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if limit is None:
        found = answer.collect(engine="streaming")
        return Answer(rows=found, total=found.height)
    found = answer.head(limit + 1).collect(engine="streaming")
    total = found.height
    if total > limit:
        total = answer.select(pl.len()).collect(engine="streaming").item()
    return Answer(rows=found.head(limit), total=total)


def _fields(given: Iterable[str], rows: pl.LazyFrame) -> tuple[str, ...]:
    """Return the single names in what was given, each checked."""
    choices = [*rows.collect_schema().names(), *PERIODS]
    fields = [name.strip() for text in given for name in text.split(",") if name.strip()]
    for name in fields:
        if name not in choices:
            raise typer.BadParameter(
                f"there is no field {one_line(name)}{_nearest(name, choices)} "
                f"(there are {', '.join(choices)})",
                param_hint="--by",
            )
    return tuple(fields)


def _nearest(name: str, choices: Iterable[str]) -> str:
    found = get_close_matches(name.lower().replace(" ", "-"), list(choices))
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _default(parameter: Parameter) -> str:
    if parameter.default is UNSET:
        return "now"
    if isinstance(parameter.default, tuple):
        return ", ".join(parameter.default) or "none"
    return str(parameter.default)


def _option(parameter: str) -> str:
    return f"--{parameter.replace('_', '-')}"


def _width() -> int:
    return min(terminal_width() or _WIDTH, _WIDTH)
