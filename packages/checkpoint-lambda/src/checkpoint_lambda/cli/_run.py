"""`nacc-checkpoint run`."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from checkpoint_core import Observer, Request, RunReport, Settings, Source, run
from checkpoint_core.settings import Mode
from checkpoint_lambda._host import local_host
from checkpoint_lambda._locations import OpenStore
from checkpoint_lambda._passes import run_until_complete
from checkpoint_lambda._responses import Response
from checkpoint_lambda._workdir import temporary_folder
from checkpoint_lambda.cli._failures import ended_well
from checkpoint_lambda.cli._options import (
    CheckpointArgument,
    Compression,
    DebugOption,
    EventFormatOption,
    ExcludeProjectOption,
    JsonOption,
    SourceArgument,
    checkpoint_store,
    event_source,
    patterns,
)
from checkpoint_lambda.cli._output import complain, one_line, write_document, write_lines
from checkpoint_lambda.cli._progress import watched
from checkpoint_lambda.cli._summary import summarize
from checkpoint_lambda.errors import DeniedObjectsError

__all__ = ["run_command"]

_DEFAULTS = Settings()


def _moment(text: str) -> datetime:
    """Return an ISO 8601 time; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            "not an ISO 8601 time, such as 2026-09-30 or 2026-09-30T12:00:00-05:00"
        ) from error


def _limit(name: str, meaning: str, *, at_least: int = 1, at_most: int) -> Any:
    flag = f"--{name.replace('_', '-')}"
    return typer.Option(flag, metavar="N", min=at_least, max=at_most, help=meaning)


def run_command(
    source: SourceArgument,
    checkpoint: CheckpointArgument,
    *,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=_moment,
            metavar="TIME",
            help="In this run, take only events later than this time (ISO 8601; UTC unless it "
            "says otherwise). Earlier ones come in with a later run without it.",
        ),
    ] = None,
    event_format: EventFormatOption = _DEFAULTS.event_format,
    exclude_project: ExcludeProjectOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")
    ] = False,
    compression: Annotated[
        Compression, typer.Option(metavar="CODEC", help="snappy, zstd, lz4 or uncompressed.")
    ] = _DEFAULTS.compression,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt",
            help="Take over a checkpoint that has no ledger: keep its rows, find out which objects "
            "they came from, and append what is missing.",
        ),
    ] = False,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            help="Make the checkpoint anew from the source. The replaced file is kept in "
            "_previous.",
        ),
    ] = False,
    allow_loss: Annotated[
        bool,
        typer.Option(
            "--allow-loss",
            help="Rebuild although rows will be lost that the source no longer yields.",
        ),
    ] = False,
    accept_source_change: Annotated[
        bool,
        typer.Option(
            "--accept-source-change",
            help="Go on although the checkpoint was made from another source.",
        ),
    ] = False,
    accept_empty_source: Annotated[
        bool,
        typer.Option(
            "--accept-empty-source",
            help="Go on although there are no objects any more.",
        ),
    ] = False,
    max_events_per_run: Annotated[
        int,
        _limit(
            "max_events_per_run",
            "Events taken before they are committed; then goes on.",
            at_most=100_000_000,
        ),
    ] = _DEFAULTS.max_events_per_run,
    max_object_size_bytes: Annotated[
        int,
        _limit(
            "max_object_size_bytes",
            "A larger object is refused without being read.",
            at_most=1_073_741_824,
        ),
    ] = _DEFAULTS.max_object_size_bytes,
    batch_objects: Annotated[
        int,
        _limit(
            "batch_objects", "Objects read before they are made into columns.", at_most=1_000_000
        ),
    ] = _DEFAULTS.batch_objects,
    row_group_rows: Annotated[
        int,
        _limit("row_group_rows", "Rows in one row group of the checkpoint.", at_most=100_000_000),
    ] = _DEFAULTS.row_group_rows,
    commit_attempts: Annotated[
        int,
        _limit(
            "commit_attempts", "How often to merge again after another run was first.", at_most=100
        ),
    ] = _DEFAULTS.commit_attempts,
    listed_failures: Annotated[
        int,
        _limit(
            "listed_failures", "Rejected objects listed in the document.", at_least=0, at_most=1_000
        ),
    ] = _DEFAULTS.listed_failures,
    future_tolerance_s: Annotated[
        float,
        _limit(
            "future_tolerance_s",
            "Events later than now plus this are warned of.",
            at_least=0,
            at_most=315_360_000,
        ),
    ] = _DEFAULTS.future_tolerance_s,
    ledger_retention_days: Annotated[
        float,
        _limit(
            "ledger_retention_days",
            "Ledgers no longer in force are kept so long.",
            at_least=0,
            at_most=36_500,
        ),
    ] = _DEFAULTS.ledger_retention_days,
) -> None:
    """Bring the checkpoint up to date with the source, until nothing is left to take.

    Objects that are no valid events are left out and can be listed with `rejects`.
    Where nothing is new, nothing is written.
    """
    if adopt and rebuild:
        raise typer.BadParameter("choose one", param_hint="--adopt, --rebuild")
    mode: Mode = "adopt" if adopt else "rebuild" if rebuild else "incremental"
    try:
        settings = Settings(
            event_format=event_format,
            exclude_projects=patterns(exclude_project),
            compression=compression,
            row_group_rows=row_group_rows,
            max_object_size_bytes=max_object_size_bytes,
            max_events_per_run=max_events_per_run,
            batch_objects=batch_objects,
            commit_attempts=commit_attempts,
            future_tolerance_s=future_tolerance_s,
            ledger_retention_days=ledger_retention_days,
            listed_failures=listed_failures,
        )
        request = Request(
            mode=mode,
            since=since,
            dry_run=dry_run,
            accept_source_change=accept_source_change,
            accept_empty_source=accept_empty_source,
            allow_loss=allow_loss,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    objects, store = event_source(source), checkpoint_store(checkpoint)
    with ended_well(as_json=as_json, debug=debug):
        with watched() as observer:
            one_pass = partial(_one_pass, objects, store, settings, request, observer)
            report = run_until_complete(one_pass, listed_failures=settings.listed_failures)
        denied = DeniedObjectsError(report) if report.counts.denied else None
        if not as_json:
            write_lines(summarize(report, source=source, checkpoint=checkpoint))
        else:
            for warning in report.warnings:
                complain(f"warning: {one_line(warning)}")
            if not denied:
                write_document(Response.of(report))
        if denied:
            raise denied


def _one_pass(
    source: Source,
    store: OpenStore,
    settings: Settings,
    request: Request,
    observer: Observer,
) -> RunReport:
    with _workdir(store, request) as workdir:
        host = local_host(workdir, observer)
        return run(source, store, settings=settings, request=request, host=host)


def _workdir(store: OpenStore, request: Request) -> AbstractContextManager[Path]:
    return temporary_folder() if request.dry_run else store.scratch()
