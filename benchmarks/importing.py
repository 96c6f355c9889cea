"""What a cold start pays for: importing the function, beside importing what it stands on."""

from benchmarks.measuring import Measurement, compared
from benchmarks.watching import watch

_MODULES = {
    "boto3, polars, pydantic": "boto3, polars, pydantic",
    "checkpoint_lambda.handler": "checkpoint_lambda.handler",
    "checkpoint_lambda.handler, and S3 clients": "checkpoint_lambda.handler",
}
_TIME = "import time; begin = time.perf_counter(); import {}{}; print(time.perf_counter() - begin)"
_CLIENTS = "; from checkpoint_storage.s3._clients import current_clients; current_clients()"


def measure(rounds: int) -> list[Measurement]:
    """Measure imports in fresh interpreters, in turn; the best of each counts."""
    seconds = dict.fromkeys(_MODULES, float("inf"))
    for _ in range(rounds):
        for how, modules in _MODULES.items():
            more = _CLIENTS if how.endswith("clients") else ""
            environ = {"AWS_DEFAULT_REGION": "us-east-1"}
            took = watch("-c", _TIME.format(modules, more), environ=environ)
            seconds[how] = min(seconds[how], float(took.lines[-1]))
    return compared(
        [
            Measurement(what="import", how=how, items=1, seconds=best)
            for how, best in seconds.items()
        ]
    )
