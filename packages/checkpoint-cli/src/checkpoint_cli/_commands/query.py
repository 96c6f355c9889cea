"""`nacc-checkpoint query`."""

from datetime import date, datetime
from typing import Annotated

import typer
from polars.exceptions import PanicException, PolarsError

from checkpoint_cli._failures import ended_well
from checkpoint_cli._filters import (
    About,
    Action,
    TestCenterOption,
    date_option,
    given,
    given_or_missing,
    time_option,
    value_option,
)
from checkpoint_cli._opening import is_damaged, opened
from checkpoint_cli._options import (
    CheckpointArgument,
    DebugOption,
    JsonOption,
    checkpoint_store,
)
from checkpoint_cli._printing.answers import CsvOption, Form, LimitOption, ParquetOption, deliver
from checkpoint_cli._printing.output import write_lines
from checkpoint_cli._questions import ask, explanation, listing, named, parameters_of
from checkpoint_core import CheckpointError
from checkpoint_core.errors import CorruptCheckpointError
from checkpoint_core.queries import Filters
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
    study: Annotated[list[str] | None, value_option("study")] = None,
    pipeline_adcid: Annotated[
        list[int] | None, value_option("center's number", metavar="N", min=0)
    ] = None,
    center_label: Annotated[list[str] | None, value_option("center")] = None,
    project_label: Annotated[list[str] | None, value_option("project")] = None,
    gear_name: Annotated[list[str] | None, value_option("gear")] = None,
    ptid: Annotated[list[str] | None, value_option("participant")] = None,
    visit_number: Annotated[
        list[str] | None, value_option("visit number", may_be_missing=True)
    ] = None,
    datatype: Annotated[list[str] | None, value_option("datatype")] = None,
    module: Annotated[list[str] | None, value_option("module", may_be_missing=True)] = None,
    modality: Annotated[list[str] | None, value_option("modality", may_be_missing=True)] = None,
    packet: Annotated[list[str] | None, value_option("packet", may_be_missing=True)] = None,
    action: Annotated[
        list[Action] | None, value_option(f"action: {', '.join(Action)}", metavar="ACTION")
    ] = None,
    visit_date_from: Annotated[
        date | None, date_option("Only of visits on this day or later, such as 2026-09-01.")
    ] = None,
    visit_date_to: Annotated[
        date | None, date_option("Only of visits on this day or earlier.")
    ] = None,
    timestamp_from: Annotated[
        datetime | None, time_option("Only at this time or later, such as 2026-09-01T12:00:00Z.")
    ] = None,
    timestamp_to: Annotated[
        datetime | None, time_option("Only before this time: as things stood then.")
    ] = None,
    include_test_center: TestCenterOption = False,
    identity: Annotated[
        About | None,
        typer.Option(
            metavar="IDENTITY",
            help="What it is about: each submission, or each visit, by participant, date and "
            "number. [default: submission]",
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            help="Where something is counted: by this field, or by day, week or month; '' for all "
            "in one.",
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        time_option("For waiting and resubmitted: the time at which to look. [default: now]"),
    ] = None,
    min_events: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="For completeness: only submissions of so many events."
        ),
    ] = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    parquet: ParquetOption = None,
    debug: DebugOption = False,
) -> None:
    """Ask the checkpoint one of the usual questions; --list names them.

    Filters are options named like fields. Each may be given several times, and one of its values
    must hold. In a query about submissions, filters on what does not identify one are about its
    latest event. A center is meant by its number or its latest label. Dates and times are UTC.
    """
    del list_queries, explain  # whoever gives them does not get here
    query = named(name, hint="NAME")
    parameters = parameters_of(
        query, {"by": by, "as_of": as_of, "min_events": min_events, "identity": identity}
    )
    filters = Filters(
        study=given(study),
        pipeline_adcid=tuple(pipeline_adcid or ()),
        center_label=given(center_label),
        project_label=given(project_label),
        gear_name=given(gear_name),
        ptid=given(ptid),
        visit_number=given_or_missing(visit_number),
        datatype=given(datatype),
        module=given_or_missing(module),
        modality=given_or_missing(modality),
        packet=given_or_missing(packet),
        action=given(action),
        visit_date_from=visit_date_from,
        visit_date_to=visit_date_to,
        timestamp_from=timestamp_from,
        timestamp_to=timestamp_to,
        include_test_center=include_test_center,
    )
    store = checkpoint_store(checkpoint)
    form = Form.of(as_json=as_json, as_csv=as_csv, parquet=parquet, limit=limit)
    with ended_well(as_json=as_json, debug=debug), temporary_folder() as workdir:
        files = opened(store, workdir, ledger=query.reads_ledger)
        file = files.ledger if query.reads_ledger else files.events
        if file is None:
            raise _NoLedgerError(store.location, query.name)
        try:
            answer = ask(query, file, filters, parameters, limit=form.rows)
        except (PanicException, PolarsError) as error:
            if is_damaged(file):
                raise CorruptCheckpointError(store.location, "a part of it is damaged") from error
            raise
        deliver(answer, form)
