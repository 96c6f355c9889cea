"""The processes of an application on this machine, found by what they run, and ended."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

EXECUTOR = b"CoarseGrainedExecutorBackend"
WORKER = b"pyspark.daemon"


def kill_one(of: bytes) -> int:
    """End a process below this one that runs this, without warning; return its id."""
    found = next(number for number in _below(os.getpid()) if of in _command(number))
    os.kill(found, signal.SIGKILL)
    return found


def _below(number: int) -> Iterator[int]:
    """Yield the processes that a process has started, directly or not, the latest first."""
    children = [int(each) for each in _parts(number, "children")]
    for child in reversed(children):
        yield from _below(child)
        yield child


def _parts(number: int, name: str) -> list[bytes]:
    found = []
    for task in Path(f"/proc/{number}/task").iterdir():
        try:
            found += (task / name).read_bytes().split()
        except OSError:
            continue
    return found


def _command(number: int) -> bytes:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return b""
