"""A run on a Spark application: the usual run, with another reader."""

import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from msgspec import Struct, structs
from pyspark.sql import SparkSession

from checkpoint_core import Observer, Request, RunReport, Settings
from checkpoint_core import run as run_once
from checkpoint_core.passes import run_until_complete
from checkpoint_spark._reader import SparkReader
from checkpoint_spark._staging import Staging
from checkpoint_spark._watching import DriverObserver
from checkpoint_storage.foreign import fetch_foreign, open_foreign
from checkpoint_storage.local import local_host, new_id
from checkpoint_storage.locations import (
    OpenSource,
    OpenStore,
    check_source,
    lies_inside,
    open_checkpoint,
    open_source,
)
from checkpoint_storage.scratch import temporary_folder
from checkpoint_storage.settings import S3Settings

__all__ = ["AT_ONCE", "run", "tell"]

AT_ONCE = Settings(max_events_per_run=100_000_000)
"""Settings by which a run takes everything in one pass, as a cluster is there for."""


class _Job(Struct, frozen=True, kw_only=True):
    """What every pass of a run needs."""

    spark: SparkSession
    source: OpenSource
    store: OpenStore
    files: Sequence[OpenStore]
    settings: Settings
    request: Request
    read_concurrency: int
    observer: Observer


def tell(line: str) -> None:
    """Write a line to stderr; where nobody reads it, nothing more can be done."""
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def run(
    spark: SparkSession,
    source: str,
    checkpoint: str,
    *,
    settings: Settings = AT_ONCE,
    request: Request | None = None,
    adopt_from: Sequence[str] = (),
    reading: S3Settings | None = None,
    say: Callable[[str], None] = tell,
) -> RunReport:
    """Bring a checkpoint up to date, until nothing is left; the application's executors read.

    Guarantee: all that `checkpoint_core.run` promises, whatever tasks or executors are lost; and
    the next run, here or anywhere else, goes on from the result.
    Objects to which access was denied do not stop a run; the caller decides what `counts.denied`
    means. Raises a CheckpointError for everything that concerns the run as a whole, and
    UnsupportedLocationError, a ValueError, where one of the places is none.

    Args:
        spark: the session; executors need this package, and access to both places.
        source: a directory that every executor sees under this path, or `s3://bucket/prefix`.
        checkpoint: a file in such a directory, or `s3://bucket/key`.
        settings: what may be set of the run.
        request: what is asked of it.
        adopt_from: further files whose rows are adopted.
        reading: how S3 is used.
        say: is given a line for each stage.

    """
    objects, store = open_source(source), open_checkpoint(checkpoint)
    request = request or Request()
    is_rewrite = request.mode != "incremental"
    job = _Job(
        spark=spark,
        source=objects,
        store=store,
        files=open_foreign(adopt_from, store),
        settings=settings,
        request=request,
        read_concurrency=(reading or S3Settings()).read_concurrency,
        observer=DriverObserver(
            say,
            max_events=None if is_rewrite else settings.max_events_per_run,
            compares=is_rewrite,
        ),
    )
    check_source(objects)
    if lies_inside(store, objects):
        say("Warning: the checkpoint lies inside the source; its own files count as unrecognized")
    return run_until_complete(
        partial(_one_pass, job),
        listed_failures=settings.listed_failures,
        pause=time.sleep,
        jitter=random.random,
    )


def _one_pass(job: _Job) -> RunReport:
    with temporary_folder() if job.request.dry_run else job.store.scratch() as workdir:
        reader = SparkReader(
            context=job.spark.sparkContext,
            source=job.source.location,
            staging=Staging(checkpoint=job.store.location, run=f"staged-{new_id()}"),
            workdir=workdir,
            batch_objects=job.settings.batch_objects,
            read_concurrency=job.read_concurrency,
        )
        request = job.request
        if job.files:
            request = structs.replace(request, adopt_from=fetch_foreign(job.files, workdir))
        return run_once(
            job.source,
            job.store,
            settings=job.settings,
            request=request,
            host=local_host(workdir, job.observer),
            reader=reader,
        )
