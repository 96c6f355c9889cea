"""Whole runs as their users start them: each is a process of its own, with its peak memory."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Measurement, compared
from benchmarks.watching import watch


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


def _timed(how: str, items: int, arguments: list[str]) -> Measurement:
    took = watch("-m", "checkpoint_cli", *arguments)
    return Measurement(
        what="nacc-checkpoint run",
        how=how,
        items=items,
        seconds=took.seconds,
        cpu_s=took.cpu_s,
        peak_mb=took.peak_mb,
    )


def _start(*arguments: str) -> None:
    command = [sys.executable, "-m", "checkpoint_cli", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
