"""`nacc-checkpoint run`."""

import random
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from msgspec import structs

from checkpoint_cli._adopted import fetch_all, foreign_files
from checkpoint_cli._failures import ended_well
from checkpoint_cli._options import (
    CheckpointArgument,
    Compression,
    DebugOption,
    EventFormatOption,
    ExcludeProjectOption,
    JsonOption,
    SourceArgument,
    checkpoint_store,
    event_source,
    option,
    parser,
    patterns,
)
from checkpoint_cli._printing.output import complain, one_line, write_document, write_lines
from checkpoint_cli._printing.progress import watched
from checkpoint_cli._printing.summary import summarize
from checkpoint_core import Observer, Request, RunReport, Settings, Source, run
from checkpoint_core.errors import DeniedObjectsError
from checkpoint_core.passes import run_until_complete
from checkpoint_core.responses import Response
from checkpoint_core.settings import Mode
from checkpoint_core.settings_table import BY_NAME
from checkpoint_storage.local import local_host
from checkpoint_storage.locations import OpenStore, check_source, lies_inside
from checkpoint_storage.scratch import temporary_folder

__all__ = ["run_command"]

_DEFAULTS = Settings()
_READ_CONCURRENCY: int = BY_NAME["read_concurrency"].default
_INSIDE = "the checkpoint lies inside the source; its own files count as unrecognized"


def run_command(
    source: SourceArgument,
    checkpoint: CheckpointArgument,
    *,
    since: Annotated[
        datetime | None, option("since", metavar="TIME", parser=parser("since"))
    ] = None,
    event_format: EventFormatOption = _DEFAULTS.event_format,
    exclude_project: ExcludeProjectOption = None,
    dry_run: Annotated[bool, option("dry_run")] = False,
    compression: Annotated[
        Compression, option("compression", metavar="CODEC")
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
    adopt_from: Annotated[
        list[str] | None,
        typer.Option(
            "--adopt-from",
            metavar="FILE",
            help="Take over the rows of a Parquet file that another system wrote, as --adopt does: "
            "a file, or s3://bucket/key. It is not changed; CHECKPOINT may be new. "
            "May be given several times: all are taken together.",
        ),
    ] = None,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            help="Make the checkpoint anew from the source. The replaced file is kept in "
            "_previous.",
        ),
    ] = False,
    allow_loss: Annotated[bool, option("allow_loss")] = False,
    accept_source_change: Annotated[bool, option("accept_source_change")] = False,
    accept_empty_source: Annotated[bool, option("accept_empty_source")] = False,
    list_restores: Annotated[bool, option("list_restores")] = False,
    max_events_per_run: Annotated[
        int, option("max_events_per_run", also="Here a command goes on until nothing is left.")
    ] = _DEFAULTS.max_events_per_run,
    max_object_size_bytes: Annotated[
        int, option("max_object_size_bytes")
    ] = _DEFAULTS.max_object_size_bytes,
    batch_objects: Annotated[int, option("batch_objects")] = _DEFAULTS.batch_objects,
    row_group_rows: Annotated[int, option("row_group_rows")] = _DEFAULTS.row_group_rows,
    commit_attempts: Annotated[int, option("commit_attempts")] = _DEFAULTS.commit_attempts,
    read_concurrency: Annotated[int, option("read_concurrency")] = _READ_CONCURRENCY,
    listed_failures: Annotated[int, option("listed_failures")] = _DEFAULTS.listed_failures,
    future_tolerance_s: Annotated[
        float, option("future_tolerance_s")
    ] = _DEFAULTS.future_tolerance_s,
    ledger_retention_days: Annotated[
        float, option("ledger_retention_days")
    ] = _DEFAULTS.ledger_retention_days,
) -> None:
    """Bring the checkpoint up to date with the source, until nothing is left to take.

    Objects that are no valid events are left out and can be listed with `rejects`.
    Where nothing is new, nothing is written.
    """
    adopting = adopt or bool(adopt_from)
    if adopting and rebuild:
        raise typer.BadParameter("choose one", param_hint="--adopt, --rebuild")
    mode: Mode = "adopt" if adopting else "rebuild" if rebuild else "incremental"
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
            list_restores=list_restores,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    objects = event_source(source, read_concurrency=read_concurrency)
    store = checkpoint_store(checkpoint)
    files = foreign_files(adopt_from, store)
    with ended_well(as_json=as_json, debug=debug):
        # First, so that a mistyped name is told as that, and nothing is made beside the checkpoint.
        check_source(objects)
        if lies_inside(store, objects):
            complain(f"warning: {_INSIDE}")
        with watched() as observer:
            report = run_until_complete(
                partial(_one_pass, objects, store, settings, request, observer, files=files),
                listed_failures=settings.listed_failures,
                pause=time.sleep,
                jitter=random.random,
            )
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
    *,
    files: Sequence[OpenStore],
) -> RunReport:
    with _workdir(store, request) as workdir:
        host = local_host(workdir, observer)
        if files:
            request = structs.replace(request, adopt_from=fetch_all(files, workdir))
        return run(source, store, settings=settings, request=request, host=host)


def _workdir(store: OpenStore, request: Request) -> AbstractContextManager[Path]:
    return temporary_folder() if request.dry_run else store.scratch()
