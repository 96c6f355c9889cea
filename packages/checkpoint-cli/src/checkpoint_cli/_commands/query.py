"""`nacc-checkpoint query`."""

from typing import Annotated

import typer

from checkpoint_cli._choices import QUERIES, choice
from checkpoint_cli._filters import FilterOptions, ParameterOptions
from checkpoint_cli._form import Form
from checkpoint_cli._option_groups import with_groups
from checkpoint_cli._options import CheckpointArgument, DebugOption

__all__ = ["query_command"]

_QUERY = choice("query", QUERIES, metavar="NAME")


def _list(wanted: bool) -> None:  # noqa: FBT001 - typer calls it like this
    if wanted:
        from checkpoint_cli._printing.output import write_lines
        from checkpoint_cli._printing.questions import listing

        write_lines(listing())
        raise typer.Exit


def _explain(name: str | None) -> None:
    if name is not None:
        from checkpoint_cli._printing.output import write_lines
        from checkpoint_cli._printing.questions import explanation

        write_lines(explanation(name))
        raise typer.Exit


@with_groups
def query_command(
    checkpoint: CheckpointArgument,
    name: Annotated[str, typer.Argument(help="The query; --list names them.", **_QUERY)],
    *,
    list_queries: Annotated[
        bool,
        typer.Option("--list", is_eager=True, callback=_list, help="List the queries, and end."),
    ] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            **_QUERY,
            is_eager=True,
            callback=_explain,
            help="Say what exactly a query answers and what it takes, and end.",
        ),
    ] = None,
    filters: FilterOptions,
    parameters: ParameterOptions,
    form: Form,
    debug: DebugOption = False,
) -> None:
    """Ask the checkpoint one of the usual questions; --list names them.

    Filters are options named like fields. Each may be given several times, and one of its values
    must hold. In a query about submissions, filters on what does not identify one are about its
    latest event. A center is meant by its number or its latest label. Dates and times are UTC.
    """
    from checkpoint_cli._execution.query import answer

    del list_queries, explain  # whoever gives them does not get here
    answer(checkpoint, name, filters, parameters, form=form, debug=debug)
