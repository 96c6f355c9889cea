"""A program as a process of its own: how long it took, and how much memory at most."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

SERVER_CORE = 1
CLIENT_CORE = 0
"""Of machines with more than one core, where the system lets processes be pinned."""

_WATCH = """
import json, os, resource, subprocess, sys, time
core = int(sys.argv[1])
if core >= 0:
    os.sched_setaffinity(0, {core})
began, begin = time.time(), time.perf_counter()
ended = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE)
seconds = time.perf_counter() - begin
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
lines = ended.stdout.decode().splitlines()
print(json.dumps({
    "began": began,
    "seconds": seconds,
    "cpu_s": usage.ru_utime + usage.ru_stime,
    "peak_mb": usage.ru_maxrss / 1024,
    "lines": lines,
}))
sys.exit(ended.returncode)
"""
"""A small process between, because a child's peak begins with the memory of its parent."""

_PIN = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); os.execv(sys.argv[2], sys.argv[2:])"


class Watched(Struct, frozen=True):
    """What a process took, from its start to its end, and what it printed.

    `began` is when it was started, in seconds since 1970.
    """

    began: float
    seconds: float
    cpu_s: float
    peak_mb: float
    lines: list[str]


class Program(Struct, frozen=True, kw_only=True):
    """A Python program: its first arguments, which Python runs it, and what its environment needs."""

    arguments: tuple[str, ...]
    interpreter: Path = Path(sys.executable)
    environ: Mapping[str, str] = {}


def watch(
    *arguments: str,
    core: int | None = None,
    environ: Mapping[str, str] | None = None,
    interpreter: Path | None = None,
) -> Watched:
    """Run `python ARGUMENTS` on a core, or wherever the system likes, and wait for its end."""
    pinned = core if core is not None and _can_pin() else -1
    program = [str(interpreter or sys.executable), *arguments]
    # What the environment says to Python is for the program alone.
    command = [sys.executable, "-I", "-c", _WATCH, str(pinned), *program]
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, env=_environ(environ), check=False
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {ended.stdout[-4000:]}")
    return Watched(**json.loads(ended.stdout))


def pinned(core: int, *arguments: str) -> list[str]:
    """Return the command that runs `python ARGUMENTS` on a core, where that is possible."""
    command = [sys.executable, *arguments]
    return [sys.executable, "-c", _PIN, str(core), *command] if _can_pin() else command


def conditions() -> dict[str, str]:
    """Return what the numbers depend on besides the code."""
    return {
        "cores": str(os.cpu_count()),
        "pinned": "yes" if _can_pin() else "no",
        "python": sys.version.split()[0],
        "load_average": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def _can_pin() -> bool:
    if sys.platform != "linux":
        return False
    return {SERVER_CORE, CLIENT_CORE} <= os.sched_getaffinity(0)


def _environ(more: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if more is None else {**os.environ, **more}
