"""A first run on S3 by this machine alone, and by executors of Spark, as many as are asked for.

Time is what the response says: without the start of Python and of the JVM, which `fixed` has. All
checkpoints have the same rows in the same order, and a usual run upon what Spark made finds nothing
new, or the benchmark fails. Executors are processes on this machine and share its cores with the
server, so their number shows less here than elsewhere.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3
import polars as pl

from benchmarks.measuring import Measurement, compared, in_rounds
from benchmarks.s3.look_alike import Endpoint, Latency, look_alike
from benchmarks.watching import watch


def measure(
    objects: int, executors: Sequence[int], latency: Latency, rounds: int
) -> list[Measurement]:
    """Measure the usual run, and runs on so many executors, in turn, medians of so many rounds."""
    with look_alike(objects, latency) as endpoint:
        found = in_rounds(rounds, lambda: _one_round(endpoint, objects, executors))
    *first, fixed = found
    return [*compared(first), fixed]


def _one_round(endpoint: Endpoint, objects: int, executors: Sequence[int]) -> Iterator[Measurement]:
    """Measure each upon nothing; the last has nothing new."""
    what = f"first run, {objects:,} objects in S3"
    names = {f"on-{number}": number for number in executors}
    with TemporaryDirectory() as folder:
        yield _run(endpoint, "checkpoint_cli", "here", what=what, how="this machine", items=objects)
        expected = _rows(endpoint, "here", Path(folder))
        for name, number in names.items():
            yield _run(
                endpoint,
                "checkpoint_spark",
                name,
                what=what,
                how=f"Spark, {number} executors of one core",
                items=objects,
                environ=_cluster(number),
            )
            if not _rows(endpoint, name, Path(folder)).equals(expected):
                raise RuntimeError(f"{name}: other rows, or another order")
            _refuse_news(endpoint, name)
    yield _run(
        endpoint,
        "checkpoint_spark",
        "here",
        what="nothing new, fixed cost",
        how="Spark, whole process",
        items=objects,
        environ=_cluster(1),
        whole=True,
    )
    for name in ("here", *names):
        endpoint.remove(name)


def _run(
    endpoint: Endpoint,
    module: str,
    name: str,
    *,
    what: str,
    how: str,
    items: int,
    environ: Mapping[str, str] | None = None,
    whole: bool = False,
) -> Measurement:
    took = watch(*_command(endpoint, module, name), environ={**endpoint.environ, **(environ or {})})
    response = json.loads(took.lines[-1])
    return Measurement(
        what=what,
        how=how,
        items=items,
        seconds=took.seconds if whole else response["execution_time_ms"] / 1_000,
        cpu_s=took.cpu_s,
        peak_mb=took.peak_mb,
    )


def _command(endpoint: Endpoint, module: str, name: str) -> tuple[str, ...]:
    source = f"s3://{endpoint.bucket}/{endpoint.prefix}"
    checkpoint = f"s3://{endpoint.checkpoint_bucket}/{name}/events.parquet"
    return ("-m", module, "run", source, checkpoint, "--json")


def _refuse_news(endpoint: Endpoint, name: str) -> None:
    """Raise where a usual run does not go on from what is there."""
    took = watch(*_command(endpoint, "checkpoint_cli", name), environ=endpoint.environ)
    response = json.loads(took.lines[-1])
    counts = response["counts"]
    if counts["unchanged"] != sum(counts.values()):
        raise RuntimeError(f"{name}: not all of it is known to the next run: {counts}")


def _cluster(executors: int) -> dict[str, str]:
    master = f"--master local-cluster[{executors},1,1024]"
    quiet = "--conf spark.ui.showConsoleProgress=false --conf spark.ui.enabled=false"
    return {"PYSPARK_SUBMIT_ARGS": f"{master} {quiet} pyspark-shell"}


def _rows(endpoint: Endpoint, name: str, folder: Path) -> pl.DataFrame:
    environ = endpoint.environ
    client = boto3.client(
        "s3",
        endpoint_url=environ["AWS_ENDPOINT_URL"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        region_name=environ["AWS_DEFAULT_REGION"],
    )
    file = folder / f"{name}.parquet"
    client.download_file(endpoint.checkpoint_bucket, f"{name}/events.parquet", str(file))
    return pl.read_parquet(file)
