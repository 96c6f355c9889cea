"""Whole runs as their users start them: each is a process of its own, with its peak memory."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Measurement, compared


def measure(objects: int, new: int) -> list[Measurement]:
    """Measure a first run, a run with some new objects, and a run with nothing new."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "events")
        checkpoint = Path(folder, "checkpoint", "events.parquet")
        job = ["run", str(source), str(checkpoint), "--json"]
        _start("sample", str(source), "--count", str(objects), "--seed", "1")
        first = _timed(f"first run, {objects:,} objects", objects, job)
        more = ("--count", str(new), "--seed", "2", "--start", "2026-10-05")
        _start("sample", str(source), *more)
        second = _timed(f"{new:,} new among them", objects, job)
        third = _timed("nothing new", objects, job)
        return compared([first, second, third])


_WATCH = """
import resource, subprocess, sys, time
begin = time.perf_counter()
subprocess.run([sys.executable, "-m", "checkpoint_lambda", *sys.argv[1:]],
               check=True, stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - begin
print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
"""A small process between, because a child's peak begins with the memory of its parent."""


def _timed(how: str, items: int, arguments: list[str]) -> Measurement:
    command = [sys.executable, "-c", _WATCH, *arguments]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, peak_mb = map(float, answer.split())
    return Measurement(
        what="nacc-checkpoint run", how=how, items=items, seconds=seconds, peak_mb=peak_mb
    )


def _start(*arguments: str) -> None:
    command = [sys.executable, "-m", "checkpoint_lambda", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
