"""What `nacc-checkpoint run` does."""

import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from checkpoint_cli._adopted import foreign_files
from checkpoint_cli._execution.export import exports_told
from checkpoint_cli._failures import ended_well, what_is_wrong
from checkpoint_cli._options import checkpoint_store, event_source, made
from checkpoint_cli._printing.output import write_lines
from checkpoint_cli._printing.progress import watched
from checkpoint_cli._printing.summary import summarize
from checkpoint_cli._printing.text import complain, one_line, write_document
from checkpoint_cli._signals import stop_status
from checkpoint_core import Observer, Request, RunReport, Settings, Source, run
from checkpoint_core.errors import DeniedObjectsError
from checkpoint_core.passes import run_until_complete
from checkpoint_core.responses import Response, warnings_of
from checkpoint_core.settings import Mode
from checkpoint_format.stores import QuietObserver
from checkpoint_queries.exports import ExportResult, update_exports
from checkpoint_storage.foreign import fetch_foreign
from checkpoint_storage.local import local_host
from checkpoint_storage.locations import OpenStore, check_source, lies_inside
from checkpoint_storage.scratch import temporary_folder
from checkpoint_storage.settings import S3Settings

__all__ = ["bring_up_to_date"]

_INSIDE = "the checkpoint lies inside the source; its own files count as unrecognized"


def bring_up_to_date(
    source: str,
    checkpoint: str,
    *,
    mode: Mode,
    adopt_from: list[str],
    given: Mapping[str, Any],
    as_json: bool,
    debug: bool,
) -> None:
    """Run until nothing is left and tell what was done; `given` are settings by their names."""
    settings = made(Settings, given)
    request = made(Request, given, mode=mode)
    reading = made(S3Settings, given)
    objects = event_source(source, read_concurrency=reading.read_concurrency)
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
        exports = () if request.dry_run else _export(store, settings)
        _tell(report, exports, source=source, checkpoint=checkpoint, as_json=as_json)


def _export(store: OpenStore, settings: Settings) -> tuple[ExportResult, ...]:
    """Bring the exports that are defined up to date; whatever fails there is a warning."""
    try:
        with store.scratch() as workdir:
            host = local_host(workdir, QuietObserver())
            return update_exports(store, (), settings=settings, host=host, only_these=False)
    except BaseException as error:  # polars panics with one
        if stop_status(error) is not None:
            raise
        complain(f"warning: exports: {what_is_wrong(error)}")
        return ()


def _tell(
    report: RunReport,
    exports: Sequence[ExportResult],
    *,
    source: str,
    checkpoint: str,
    as_json: bool,
) -> None:
    """Print what was done; raises DeniedObjectsError where access to objects was refused."""
    denied = DeniedObjectsError(report) if report.counts.denied else None
    if not as_json:
        write_lines(summarize(report, source=source, checkpoint=checkpoint))
        if exports:
            write_lines(exports_told(exports))
    response = Response.of(report, exports)
    for warning in response.warnings if as_json else warnings_of(exports):
        complain(f"warning: {one_line(warning)}")
    if as_json and not denied:
        write_document(response)
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
            request = structs.replace(request, adopt_from=fetch_foreign(files, workdir))
        return run(source, store, settings=settings, request=request, host=host)


def _workdir(store: OpenStore, request: Request) -> AbstractContextManager[Path]:
    return temporary_folder() if request.dry_run else store.scratch()
