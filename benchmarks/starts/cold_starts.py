"""Cold starts of the function: whole processes, from nothing to a first byte and to the end.

A thousand objects are known, and one is new or none. What is imported on the way is told by the
interpreter itself.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from artifacts.toolchain import BuildError
from benchmarks.measuring import Measurement, in_rounds, medians
from benchmarks.s3.invoking import HERE, LAMBDA_MB, invoke
from benchmarks.s3.look_alike import Endpoint, Latency, look_alike
from benchmarks.s3.prepared import Prepared, prepared
from benchmarks.starts.built import laid_out, program
from benchmarks.watching import Program

OBJECTS: Final = 1_000
_MODULES: Final = 10
_IMPORT: Final = re.compile(r"import time:\s*(\d+) \|\s*\d+ \|\s*(\S+)")


class Imported(Struct, frozen=True):
    """How long a module takes by itself, without what it imports, while imports are timed."""

    module: str
    own_ms: float


class _Field(Struct, frozen=True):
    """Where the objects are, what is known of them, and the functions to start by their names."""

    endpoint: Endpoint
    pairs: Prepared
    programs: Mapping[str, Program]


def measure(
    built: Path, latency: Latency, rounds: int, *, objects: int = OBJECTS
) -> tuple[list[Measurement], list[Imported], list[str]]:
    """Measure the function of this tree, and the built one where there is one.

    Returns also the modules that take longest to import in a run that finds nothing new, of the
    built function if there is one; and why there is none.
    """
    with ExitStack() as stack:
        endpoint = stack.enter_context(look_alike(objects, latency))
        pairs = stack.enter_context(prepared(endpoint, 1, "late", "none"))
        programs, remarks = {"of this tree": HERE}, list[str]()
        try:
            layout = stack.enter_context(laid_out(built))
        except BuildError as error:
            remarks.append(f"the built function: passed over. {error}")
        else:
            programs["as built"] = program(layout)
        field = _Field(endpoint, pairs, programs)
        found = in_rounds(rounds, lambda: _one_round(field, objects))
        last = [*programs.values()][-1]
        own = medians([_own_ms(field, last) for _ in range(rounds)])
    longest = sorted(own.items(), key=lambda each: -each[1])[:_MODULES]
    return found, [Imported(module, own_ms) for module, own_ms in longest], remarks


def _one_round(field: _Field, objects: int) -> Iterator[Measurement]:
    for name, each in field.programs.items():
        yield _first_byte(field, name, each)
        yield _nothing_new(field, name, each, objects)


def _first_byte(field: _Field, name: str, each: Program) -> Measurement:
    """Measure until the one new object is there, which a line of the log says at DEBUG."""
    environ = {"LOG_LEVEL": "DEBUG"}
    with field.pairs.uploaded(field.endpoint, "late") as key:
        found = invoke(field.endpoint, key, program=each, environ=environ)
    logged = [json.loads(line) for line in found.lines if '"object_answered"' in line]
    answered = datetime.fromisoformat(logged[0]["timestamp"])
    return Measurement(
        what="the function, from nothing",
        how=f"to the first byte of an object, {name}",
        items=1,
        seconds=answered.timestamp() - found.began,
    )


def _nothing_new(field: _Field, name: str, each: Program, objects: int) -> Measurement:
    with field.pairs.uploaded(field.endpoint, "none") as key:
        found = invoke(field.endpoint, key, program=each)
    found.check(new=0, listed=objects)
    return Measurement(
        what="the function, from nothing",
        how=f"to its end, nothing new among {objects:,}, {name}",
        items=1,
        seconds=found.whole_s,
        cpu_s=found.cpu_s,
        peak_mb=found.peak_mb,
        stages=found.stages,
    )


def _own_ms(field: _Field, each: Program) -> dict[str, float]:
    """Return the milliseconds of each module that a run imports which finds nothing new."""
    endpoint = field.endpoint
    with field.pairs.uploaded(endpoint, "none") as key, tempfile.TemporaryDirectory() as tmp:
        where = (endpoint.bucket, endpoint.prefix, endpoint.checkpoint_bucket, key, str(LAMBDA_MB))
        ended = subprocess.run(
            [str(each.interpreter), "-X", "importtime", *each.arguments, *where],
            env={**os.environ, **endpoint.environ, **each.environ, "TMPDIR": tmp},
            capture_output=True,
            text=True,
            check=True,
        )
    return {module: int(own_us) / 1000 for own_us, module in _IMPORT.findall(ended.stderr)}
