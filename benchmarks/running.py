"""Whole runs as their users start them: each is a process of its own, with its peak memory."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Measurement, compared, in_rounds
from benchmarks.watching import watch


def measure(objects: int, new: int, rounds: int) -> list[Measurement]:
    """Measure a first run, one with new objects, and one with nothing new; medians of rounds."""
    return compared(in_rounds(rounds, lambda: _one_round(objects, new)))


def _one_round(objects: int, new: int) -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "events")
        checkpoint = Path(folder, "checkpoint", "events.parquet")
        job = ["run", str(source), str(checkpoint), "--json"]
        _start("sample", str(source), "--count", str(objects), "--seed", "1")
        yield _timed(f"first run, {objects:,} objects", objects, job)
        more = ("--count", str(new), "--seed", "2", "--start", "2026-10-05")
        _start("sample", str(source), *more)
        yield _timed(f"{new:,} new among them", objects, job)
        yield _timed("nothing new", objects, job)


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
