"""`nacc-checkpoint-spark`: for spark-submit, and for a terminal."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

import msgspec
from msgspec import structs
from pyspark.sql import SparkSession

from checkpoint_core import RunReport
from checkpoint_core.errors import DeniedObjectsError
from checkpoint_core.responses import ErrorDocument, Response
from checkpoint_format.stores import QuietObserver
from checkpoint_queries.exports import ExportResult, update_exports
from checkpoint_spark._arguments import Arguments, read_arguments
from checkpoint_spark._running import run, tell
from checkpoint_spark.errors import SparkStartError
from checkpoint_storage.errors import UnsupportedLocationError
from checkpoint_storage.explanations import Advice, explain
from checkpoint_storage.foreign import open_foreign
from checkpoint_storage.local import local_host
from checkpoint_storage.locations import open_checkpoint, open_source

__all__ = ["main"]

_ADVICE: Final = Advice(
    no_space="Make room there, and run again.",
    other_system_error="Check the space and the permissions there, and run again.",
    no_memory="Give the driver more memory, and run again.",
    bug="Please report it.",
)
_WRONG_USAGE: Final = 2
_INTERRUPTED: Final = 130


def main(given: Sequence[str] | None = None) -> NoReturn:
    """Run with these arguments, or this process's, and end the process.

    Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
    """
    arguments = read_arguments(given)
    # Executors on this machine get the Python that runs this, unless somebody has said otherwise.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        _run(arguments)
    except UnsupportedLocationError as error:
        tell(f"Error: {error}")
        sys.exit(_WRONG_USAGE)
    except KeyboardInterrupt:
        tell("Error: interrupted; the checkpoint is as it was before or complete")
        sys.exit(_INTERRUPTED)
    except BaseException as error:  # noqa: BLE001 - this is the entry point; polars panics with one
        message = explain(error, _ADVICE)
        tell(f"Error: {message}")
        if arguments.as_json:
            _print(ErrorDocument.of(error, message))
        sys.exit(1)
    sys.exit()


def _run(arguments: Arguments) -> None:
    # First, because Spark takes its time to start.
    open_source(arguments.source)
    open_foreign(arguments.adopt_from, open_checkpoint(arguments.checkpoint))
    spark = _session()
    # A cluster that cancels a job says so by SIGTERM; Spark knows how to be interrupted.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        report = run(
            spark,
            arguments.source,
            arguments.checkpoint,
            settings=arguments.settings,
            request=arguments.request,
            adopt_from=arguments.adopt_from,
            reading=arguments.reading,
        )
    finally:
        spark.stop()
    response = Response.of(report, () if report.dry_run else _export(arguments))
    for warning in response.warnings:
        tell(f"Warning: {ascii(warning)[1:-1]}")
    if report.counts.denied:
        raise DeniedObjectsError(report)
    if arguments.as_json:
        _print(response)
    else:
        _summarize(report)


def _session() -> SparkSession:
    """Start the application, or take the one that is there; raises SparkStartError."""
    try:
        return SparkSession.builder.appName("nacc-checkpoint").getOrCreate()
    except Exception as error:
        raise SparkStartError from error


def _export(arguments: Arguments) -> tuple[ExportResult, ...]:
    """Bring the exports that are defined up to date; whatever fails there is a warning."""
    store = open_checkpoint(arguments.checkpoint)
    try:
        with store.scratch() as workdir:
            host = local_host(workdir, QuietObserver())
            return update_exports(
                store, (), settings=arguments.settings, host=host, only_these=False
            )
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - polars panics with one
        tell(f"Warning: exports: {explain(error, _ADVICE)}")
        return ()


def _summarize(report: RunReport) -> None:
    """Print what came in and what did not, one number a line."""
    ends = {name: n for name, n in structs.asdict(report.counts).items() if n}
    lines = [f"{report.listed:,} objects"]
    lines += [f"  {number:,} {name}" for name, number in ends.items()]
    lines += [f"{report.total_events:,} rows{' would be there' if report.dry_run else ''}"]
    sys.stdout.write("\n".join(lines) + "\n")


def _print(document: Any) -> None:
    with suppress(OSError):
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
        sys.stdout.flush()
