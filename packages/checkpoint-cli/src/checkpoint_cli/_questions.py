"""The named queries, asked."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import typer
from msgspec import UNSET, structs

from checkpoint_cli._choices import no_such
from checkpoint_cli._filters import FilterOptions, ParameterOptions
from checkpoint_cli._opening import scanned
from checkpoint_cli._printing.answers import Answer
from checkpoint_queries import PERIODS, Filters, Query

__all__ = ["ask", "filters_of", "parameters_of"]

_MAY_BE_MISSING: Final = {"visit_number", "module", "modality", "packet"}


def filters_of(options: FilterOptions) -> Filters:
    """Return filters as the queries take them.

    The empty text stands for no value where a field may have none.
    """
    given = {name: value for name, value in structs.asdict(options).items() if value is not None}
    for name, value in given.items():
        if isinstance(value, list):
            none = None if name in _MAY_BE_MISSING else ""
            given[name] = tuple((each or none) if isinstance(each, str) else each for each in value)
    return Filters(**given)


def parameters_of(query: Query, options: ParameterOptions) -> dict[str, Any]:
    """Return a query's parameters; what is given but None is left out, others are wrong usage.

    Where a moment is needed and not given, it is now.
    """
    values = {name: value for name, value in structs.asdict(options).items() if value is not None}
    takes = {parameter.name: parameter for parameter in query.parameters}
    for name in values.keys() - takes.keys():
        taken = " and ".join(map(_option, takes)) or "filters only"
        raise typer.BadParameter(f"{query.name} takes {taken}", param_hint=_option(name))
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
    # In one pass: taking the first rows and counting them all would answer it twice.
    found, total = answer.collect_schema().to_frame(), 0
    for batch in answer.collect_batches(maintain_order=True, engine="streaming"):
        found = pl.concat([found, batch.head(limit - found.height)])
        total += batch.height
    return Answer(rows=found, total=total)


def _fields(given: Iterable[str], rows: pl.LazyFrame) -> tuple[str, ...]:
    """Return the single names in what was given; one that the file lacks is wrong usage."""
    choices = [*rows.collect_schema().names(), *PERIODS]
    fields = [name.strip() for text in given for name in text.split(",") if name.strip()]
    for name in fields:
        if name not in choices:
            raise typer.BadParameter(no_such("field", name, choices), param_hint="--by")
    return tuple(fields)


def _option(parameter: str) -> str:
    return f"--{parameter.replace('_', '-')}"
