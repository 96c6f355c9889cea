"""One invocation: from its event to the response, or to the error document.

Whatever happens, there is one line of metrics and one line `run_completed` or `run_failed`.
"""

import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from msgspec import Struct, structs

from checkpoint_core import CheckpointStore, Host, RunReport, Settings, Source, run
from checkpoint_core.errors import DeniedObjectsError
from checkpoint_core.removal import names_withheld
from checkpoint_core.responses import ErrorDocument, Response, warnings_of
from checkpoint_core.room import RoomObserver, TooSmallError
from checkpoint_lambda._deadline import OutOfTimeError, ended_in_time
from checkpoint_lambda._environment import (
    Identity,
    InvalidSettingsError,
    LambdaSettings,
    read_identity,
    read_settings,
)
from checkpoint_lambda._log_events import LoggingObserver, log_completed, log_failed, log_objects
from checkpoint_lambda._logging import configure_logging, forget_invocation, get_logger
from checkpoint_lambda._metrics import metrics_lines
from checkpoint_lambda._observers import ObservedSource, ObservedStore, Observers
from checkpoint_lambda._tracing import TracingObserver
from checkpoint_queries.exports import Export, ExportResult, update_exports
from checkpoint_storage.concurrency import affordable
from checkpoint_storage.explanations import Advice, explain
from checkpoint_storage.local import local_host, new_id
from checkpoint_storage.threaded_reading import most_bytes_held

_ADVICE: Final = Advice(
    no_space="Give the function more ephemeral storage, and run again.",
    other_system_error="Run again; if it fails again, look at the log for where it came from.",
    no_memory="Give the function more memory, or lower MAX_EVENTS_PER_RUN and BATCH_OBJECTS, "
    "and run again.",
    bug="Please report it, with the exception in the log.",
)
_DOCUMENT_BYTES: Final = 200_000
_MESSAGE_CHARACTERS: Final = 10_000
# They say everything; a stack trace would only hide it.
_PLAIN: Final = (InvalidSettingsError, DeniedObjectsError, TooSmallError, OutOfTimeError)


class RunFailedError(Exception):
    """The run failed; the message is the error document as JSON.

    Raised, not returned: Lambda counts everything that is returned as a success.
    """

    def __init__(self, document: ErrorDocument) -> None:
        """Keep the document, shortened until it fits into what Lambda passes on."""
        self.document = _fitted(document)
        super().__init__(_as_json(self.document))


class Storage(Struct, frozen=True, kw_only=True):
    """Where sources and stores come from, and an empty local folder for each run's files."""

    open_source: Callable[[LambdaSettings], Source]
    open_store: Callable[[LambdaSettings], CheckpointStore]
    scratch: Callable[[], AbstractContextManager[Path]]


class _Circumstances(Struct, frozen=True, kw_only=True):
    """What Lambda says of the function and of this invocation."""

    request_id: str | None
    function_version: str | None
    memory_bytes: int | None
    remaining_s: Callable[[], float]

    @classmethod
    def of(cls, context: Any) -> Self:
        """Read Lambda's context; what it does not say, as in a test, is not limited."""
        memory = getattr(context, "memory_limit_in_mb", None)
        remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
        return cls(
            request_id=getattr(context, "aws_request_id", None),
            function_version=getattr(context, "function_version", None),
            memory_bytes=None if memory is None else int(memory) * 1_048_576,
            remaining_s=(lambda: remaining_ms() / 1000) if remaining_ms else lambda: math.inf,
        )


class _Progress:
    """What is known of a run so far, for the case that it fails."""

    def __init__(self) -> None:
        self.is_dry = False
        self.report: RunReport | None = None
        self.exports: tuple[ExportResult, ...] = ()
        self.logging: LoggingObserver | None = None


def invoke(
    event: object,
    context: object,
    *,
    environ: Mapping[str, str],
    storage: Storage,
    is_cold: bool,
) -> dict[str, Any]:
    """Run once and return the response document as plain data.

    Guarantee: nothing of this invocation stays behind in the process, neither in log lines nor on
    the disk. Raises RunFailedError, with nothing behind it that could hold a value of an event.
    """
    started = time.monotonic()
    identity = read_identity(environ)
    circumstances = _Circumstances.of(context)
    run_id = new_id()
    bound = {
        "service": identity.service,
        "environment": identity.environment,
        "request_id": circumstances.request_id,
        "function_version": circumstances.function_version,
        "cold_start": is_cold,
        "run_id": run_id,
    }
    configure_logging(level=identity.log_level, bound=bound)
    progress = _Progress()
    failure: ErrorDocument | None = None
    response: dict[str, Any] = {}
    try:
        settings = read_settings(event, environ)
        response = _run(settings, circumstances, storage, run_id, progress)
    except BaseException as error:  # noqa: BLE001 - this is the entry point; polars panics with one
        failure = ErrorDocument.of(error, explain(error, _ADVICE))
        _log_failure(failure, error, progress, duration_ms=_ms_since(started))
    finally:
        if not progress.is_dry:
            _write_metrics(
                identity, bound, progress, succeeded=failure is None, duration_ms=_ms_since(started)
            )
        forget_invocation()
    # Here, where no other exception is being handled, so that none comes along.
    if failure is not None:
        raise RunFailedError(failure)
    return response


def _run(
    settings: LambdaSettings,
    circumstances: _Circumstances,
    storage: Storage,
    run_id: str,
    progress: _Progress,
) -> dict[str, Any]:
    logger = get_logger()
    progress.is_dry = settings.request.dry_run
    tracing, logging = TracingObserver(), LoggingObserver(logger)
    progress.logging = logging
    at_once, warning = affordable(settings.s3.read_concurrency, setting="READ_CONCURRENCY")
    settings = structs.replace(settings, s3=structs.replace(settings.s3, read_concurrency=at_once))
    with tracing.run():
        source, store = storage.open_source(settings), storage.open_store(settings)
        logger.info(
            "run_started",
            source=source.location,
            checkpoint_path=store.location,
            event_format=str(settings.core.event_format),
            since=settings.request.since,
            dry_run=settings.request.dry_run,
        )
        in_time = partial(
            ended_in_time,
            circumstances.remaining_s,
            reserve_s=settings.core.reserve_s,
            stage=lambda: logging.last_stage,
        )
        with storage.scratch() as workdir:
            room = RoomObserver(
                workdir,
                memory_bytes=circumstances.memory_bytes,
                max_events=settings.core.max_events_per_run,
                bytes_held=partial(most_bytes_held, threads=at_once),
            )
            observers = Observers(tracing, logging, room)
            host = structs.replace(
                local_host(workdir, observers),
                new_id=lambda: run_id,
                remaining_s=circumstances.remaining_s,
            )
            observed = ObservedStore(store, observers)
            with in_time():
                told = None
                if logging.wants_objects:
                    told = partial(logging.answered, is_withheld=names_withheld(store))
                report = run(
                    ObservedSource(source, observers, on_answer=told),
                    observed,
                    settings=settings.core,
                    request=settings.request,
                    host=host,
                )
            progress.report = report
            if settings.exports is not None and not progress.is_dry:
                progress.exports = _export(settings.exports, settings.core, observed, host, in_time)
        for each in (*filter(None, [warning]), *warnings_of(progress.exports)):
            logger.warning("run_warning", warning=each)
        tracing.reported(report)
        log_objects(logger, report)
        if report.counts.denied:
            raise DeniedObjectsError(report)
    response: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(Response.of(report, progress.exports))
    )
    log_completed(logger, report)
    return response


def _export(
    exports: Sequence[Export],
    settings: Settings,
    store: CheckpointStore,
    host: Host,
    in_time: Callable[[], AbstractContextManager[None]],
) -> tuple[ExportResult, ...]:
    """Bring the exports up to date; whatever goes wrong there does not concern the run."""
    try:
        with in_time():
            return update_exports(store, exports, settings=settings, host=host, only_these=True)
    except BaseException as error:  # noqa: BLE001 - polars panics with one
        problem = explain(error, _ADVICE)
        return tuple(
            ExportResult(name=export.name, state="failed", problem=problem) for export in exports
        )


def _log_failure(
    document: ErrorDocument, error: BaseException, progress: _Progress, *, duration_ms: int
) -> None:
    log_failed(
        get_logger(),
        document,
        progress.report,
        stage=progress.logging.stage_in_progress if progress.logging else None,
        duration_ms=duration_ms,
        exception=None if isinstance(error, _PLAIN) else error,
    )


def _write_metrics(
    identity: Identity,
    bound: Mapping[str, Any],
    progress: _Progress,
    *,
    succeeded: bool,
    duration_ms: int,
) -> None:
    lines = metrics_lines(
        progress.report,
        exports_failed=len(warnings_of(progress.exports)),
        succeeded=succeeded,
        duration_ms=duration_ms,
        now=datetime.now(UTC),
        dimensions={"service": identity.service, "environment": identity.environment},
        properties={"run_id": bound["run_id"], "request_id": bound["request_id"] or ""},
    )
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _fitted(document: ErrorDocument) -> ErrorDocument:
    """Leave out as many of the failed files as it takes to keep the document small.

    Lambda puts it, escaped once more, into a message to a queue, which is limited to 256 KB.
    """
    if len(document.message) > _MESSAGE_CHARACTERS:
        document = structs.replace(document, message=f"{document.message[:_MESSAGE_CHARACTERS]}...")
    while document.details.failed_files and len(json.dumps(_as_json(document))) > _DOCUMENT_BYTES:
        files = document.details.failed_files
        details = structs.replace(document.details, failed_files=files[: len(files) // 2])
        document = structs.replace(document, details=details)
    return document


def _as_json(document: ErrorDocument) -> str:
    return json.dumps(msgspec.to_builtins(document))
