"""`nacc-checkpoint query`."""

from typing import Annotated

import typer
from msgspec import structs

from checkpoint_cli._failures import ended_well
from checkpoint_cli._filters import FilterOptions, ParameterOptions
from checkpoint_cli._opening import opened, reading
from checkpoint_cli._option_groups import with_groups
from checkpoint_cli._options import CheckpointArgument, DebugOption, checkpoint_store
from checkpoint_cli._printing.answers import Form, deliver
from checkpoint_cli._printing.output import write_lines
from checkpoint_cli._questions import ask, explanation, listing, named, parameters_of
from checkpoint_core import CheckpointError
from checkpoint_storage.scratch import temporary_folder

__all__ = ["query_command"]


class _NoLedgerError(CheckpointError):
    """The query reads the ledger, and it is not there."""

    def __init__(self, location: str, query: str) -> None:
        super().__init__(
            f"{location}: its ledger is not beside it, as with a copy, and {query} reads that. "
            "Ask the checkpoint where it was made."
        )


def _list(wanted: bool) -> None:  # noqa: FBT001 - typer calls it like this
    if wanted:
        write_lines(listing())
        raise typer.Exit


def _explain(name: str | None) -> None:
    if name is not None:
        write_lines(explanation(named(name, hint="--explain")))
        raise typer.Exit


@with_groups
def query_command(
    checkpoint: CheckpointArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The query; --list names them.")],
    *,
    list_queries: Annotated[
        bool,
        typer.Option("--list", is_eager=True, callback=_list, help="List the queries, and end."),
    ] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
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
    del list_queries, explain  # whoever gives them does not get here
    query = named(name, hint="NAME")
    taken = parameters_of(query, structs.asdict(parameters))
    store = checkpoint_store(checkpoint)
    with ended_well(as_json=form.as_json, debug=debug), temporary_folder() as workdir:
        files = opened(store, workdir, ledger=query.reads_ledger)
        file = files.ledger if query.reads_ledger else files.events
        if file is None:
            raise _NoLedgerError(store.location, query.name)
        with reading(file, store):
            answer = ask(query, file, filters.filters(), taken, limit=form.rows)
        deliver(answer, form)
