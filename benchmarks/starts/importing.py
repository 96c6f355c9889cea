"""What a cold start pays for: importing the function, beside importing what it stands on."""

from collections.abc import Iterator

from benchmarks.measuring import Measurement, compared, in_rounds
from benchmarks.watching import watch

_MODULES = {
    "boto3, polars, pydantic": "boto3, polars, pydantic",
    "checkpoint_lambda.handler": "checkpoint_lambda.handler",
    "checkpoint_lambda.handler, and S3 clients": "checkpoint_lambda.handler",
}
_TIME = "import time; begin = time.perf_counter(); import {}{}; print(time.perf_counter() - begin)"
_CLIENTS = "; from checkpoint_storage.s3._clients import current_clients; current_clients()"


def measure(rounds: int) -> list[Measurement]:
    """Measure imports in fresh interpreters, in turn, medians of so many rounds."""
    return compared(in_rounds(rounds, _one_round))


def _one_round() -> Iterator[Measurement]:
    for how, modules in _MODULES.items():
        more = _CLIENTS if how.endswith("clients") else ""
        environ = {"AWS_DEFAULT_REGION": "us-east-1"}
        took = watch("-c", _TIME.format(modules, more), environ=environ)
        yield Measurement(
            what="import",
            how=how,
            items=1,
            seconds=float(took.lines[-1]),
            cpu_s=took.cpu_s,
            peak_mb=took.peak_mb,
        )
