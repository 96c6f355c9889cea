"""The function as it was built, laid out and run as in Lambda."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from artifacts.layout import Layout, lay_out
from artifacts.toolchain import find_interpreter
from benchmarks.measuring import Measurement, compared, in_rounds
from benchmarks.s3 import handler_process
from benchmarks.watching import Program, watch

_HANDLER: Final = "checkpoint_lambda.handler"
_TIME: Final = (
    "import time; begin = time.perf_counter(); import {}; print(time.perf_counter() - begin)"
)


@contextmanager
def laid_out(built: Path) -> Iterator[Layout]:
    """Lay it out in a temporary folder.

    Raises BuildError where nothing is built, or not for this machine.
    """
    with tempfile.TemporaryDirectory() as folder:
        yield lay_out(built, Path(folder))


def program(layout: Layout) -> Program:
    """Return one invocation of what is laid out, in the runtime's Python; nothing is compiled."""
    return Program(
        # Beside the module there are others, which are none of the function's.
        arguments=("-s", "-S", "-P", str(handler_process.__file__)),
        interpreter=find_interpreter(layout.target.runtime),
        environ=_environ(layout),
    )


def measure_imports(built: Path, rounds: int) -> list[Measurement]:
    """Measure imports in fresh interpreters of the runtime, in turn, medians of so many rounds.

    The files are in the page cache, which those of a cold start are not. Raises as `laid_out`.
    """
    with laid_out(built) as whole, laid_out(built) as bare:
        for cache in [*bare.task.rglob("__pycache__"), *bare.layers.rglob("__pycache__")]:
            shutil.rmtree(cache)
        ways = {
            "boto3, polars": (whole, "boto3, polars"),
            _HANDLER: (whole, _HANDLER),
            f"{_HANDLER}, nothing compiled": (bare, _HANDLER),
        }

        def one_round() -> Iterator[Measurement]:
            for how, (layout, modules) in ways.items():
                yield _import(how, layout, modules)

        return compared(in_rounds(rounds, one_round))


def _import(how: str, layout: Layout, modules: str) -> Measurement:
    took = watch(
        *("-s", "-S", "-c", _TIME.format(modules)),
        interpreter=find_interpreter(layout.target.runtime),
        environ=_environ(layout),
    )
    return Measurement(
        what="import of what was built",
        how=how,
        items=1,
        seconds=float(took.lines[-1]),
        cpu_s=took.cpu_s,
        peak_mb=took.peak_mb,
    )


def _environ(layout: Layout) -> dict[str, str]:
    """Return what Python is told: where everything is, and that nothing can be written."""
    return {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(str, [layout.task, layout.layers])),
    }
