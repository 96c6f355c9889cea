"""Importing the function from what was built, laid out and run as in Lambda."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from artifacts.layout import Layout, lay_out
from artifacts.toolchain import find_interpreter
from benchmarks.measuring import Measurement, compared

_HANDLER = "checkpoint_lambda.handler"
_TIME = "import time; begin = time.perf_counter(); import {}; print(time.perf_counter() - begin)"


def measure(built: Path, rounds: int) -> list[Measurement]:
    """Measure imports in fresh interpreters of the runtime, in turn; the best of each counts.

    The files are in the page cache, which those of a cold start are not. Raises BuildError where
    nothing is built, or not for this machine.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = lay_out(built, Path(folder, "whole"))
        bare = lay_out(built, Path(folder, "bare"))
        for cache in [*bare.task.rglob("__pycache__"), *bare.layers.rglob("__pycache__")]:
            shutil.rmtree(cache)
        ways = {
            "boto3, polars": (whole, "boto3, polars"),
            _HANDLER: (whole, _HANDLER),
            f"{_HANDLER}, nothing compiled": (bare, _HANDLER),
        }
        seconds = dict.fromkeys(ways, float("inf"))
        for _ in range(rounds):
            for how, (layout, modules) in ways.items():
                seconds[how] = min(seconds[how], _import(layout, modules))
    return compared(
        [
            Measurement(what="import of what was built", how=how, items=1, seconds=best)
            for how, best in seconds.items()
        ]
    )


def _import(layout: Layout, modules: str) -> float:
    """Return the seconds that it takes; nothing is written, as nothing can be in Lambda."""
    environment = {
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(str, [layout.task, layout.layers])),
    }
    interpreter = find_interpreter(layout.target.runtime)
    command: list[str | Path] = [interpreter, "-s", "-S", "-c", _TIME.format(modules)]
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(ended.stdout)
