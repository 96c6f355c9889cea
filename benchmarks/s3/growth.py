"""How the function grows with what is known: time, memory, disk, requests, bytes; and where it ends.

At each size as many rows as known objects, and some new ones among them. A straight line through
the sizes tells at how many the function reaches one of its limits.
"""

import tempfile
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from benchmarks.fitting import Line, fitted
from benchmarks.measuring import Spent, Target, medians, told
from benchmarks.s3.invoking import invoke_counted
from benchmarks.s3.look_alike import Latency, LookAlike, counted_look_alike
from benchmarks.s3.prepared import Prepared, prepared
from checkpoint_core.room import RoomObserver, TooSmallError

SIZES: Final = (1_000_000, 3_000_000, 10_000_000)
_MEMORY_MB: Final = 10_240
_LIMITS: Final = {"seconds": 900.0, "peak_mb": float(_MEMORY_MB), "disk_mb": 10_240.0}
"""The most that Lambda gives a function: 15 minutes, and MB of memory and of `/tmp`."""
_MOST: Final = 1_000_000_000
_AIM: Final = 10_000_000
_AIM_LIMITS: Final = {"seconds": 300.0, "peak_mb": float(_MEMORY_MB)}
_UNITS: Final = {"seconds": "s", "peak_mb": "MB of memory", "disk_mb": "MB of /tmp"}


class Size(Struct, frozen=True, kw_only=True):
    """A run with some new objects among so many known ones.

    `seconds` and `peak_mb` are of the whole process; `disk_mb` is the most that its temporary
    files took at once.
    """

    known: int
    new: int
    seconds: float
    cpu_s: float
    peak_mb: float
    disk_mb: float
    requests: int
    written_mb: float
    stages: Mapping[str, Spent]


class Growth(Struct, frozen=True, kw_only=True):
    """The sizes, and a line by million known objects for each of what is limited, by its name."""

    sizes: list[Size]
    lines: dict[str, Line]

    def told(self) -> list[str]:
        """Say the lines, and which limit is the first to be reached."""
        if not self.lines:
            return []
        ends = {name: line.reaches(_LIMITS[name]) for name, line in self.lines.items()}
        first = min(ends, key=ends.__getitem__)
        said = [
            f"{_rise(name, line)}; no size is more than {line.residual:,.2f} off; "
            f"{_LIMITS[name]:,.0f} are reached at {ends[name]:,.1f} million"
            for name, line in self.lines.items()
        ]
        said.append(f"the function ends at {ends[first]:,.1f} million, by {_UNITS[first]}")
        refused = f"{refused_from() / 1e6:,.1f} million"
        return [*said, f"by its own reckoning of memory, it refuses more than {refused}"]


def refused_from() -> int:
    """Return from how many listed objects on the function refuses a run as too large for it."""
    with tempfile.TemporaryDirectory() as folder:
        observer = RoomObserver(
            Path(folder),
            memory_bytes=_MEMORY_MB * 1_048_576,
            max_events=0,
            bytes_held=lambda _: 0,
            free_bytes=lambda _: int(_LIMITS["disk_mb"]) * 1_048_576,
        )
        observer.stage("list")
        return bisect_left(range(_MOST), 1, key=partial(_is_refused, observer))


def _is_refused(observer: RoomObserver, objects: int) -> bool:
    try:
        observer.note(objects=objects)
    except TooSmallError:
        return True
    return False


def _rise(name: str, line: Line) -> str:
    return f"{_UNITS[name]}: {line.start:,.2f} + {line.slope:,.2f} for each million known"


def measure(
    sizes: Sequence[int], new: int, latency: Latency, rounds: int
) -> tuple[Growth, list[Target]]:
    """Measure the sizes, from the smallest on, medians of so many rounds; say what is reached."""
    found = [_size(known, new, latency, rounds) for known in sorted(sizes)]
    lines = {}
    if len({each.known for each in found}) > 1:
        lines = {
            name: fitted([(each.known / 1e6, getattr(each, name)) for each in found])
            for name in _LIMITS
        }
    growth = Growth(sizes=found, lines=lines)
    return growth, _targets(growth)


def _size(known: int, new: int, latency: Latency, rounds: int) -> Size:
    with (
        counted_look_alike(known + new, latency) as served,
        prepared(served.endpoint, new, "late") as pairs,
    ):
        return medians([_run(served, pairs, known, new) for _ in range(rounds)])


def _run(served: LookAlike, pairs: Prepared, known: int, new: int) -> Size:
    with pairs.uploaded(served.endpoint, "late") as key:
        counted = invoke_counted(served, key, memory_mb=_MEMORY_MB)
    found = counted.invocation
    found.check(new=new, listed=known + new)
    return Size(
        known=known,
        new=new,
        seconds=found.whole_s,
        cpu_s=found.cpu_s,
        peak_mb=found.peak_mb,
        disk_mb=found.disk_mb,
        requests=sum(counted.operations.values()),
        written_mb=sum(counted.written.values()) / 1e6,
        stages=found.stages,
    )


def _targets(growth: Growth) -> list[Target]:
    """Hold the aim's size against its limits; where it was not measured, what the lines say."""
    nearest = min(growth.sizes, key=lambda each: abs(each.known - _AIM))
    if nearest.known == _AIM or not growth.lines:
        how = f"{nearest.known:,} known"
        values = {name: getattr(nearest, name) for name in _AIM_LIMITS}
    else:
        how = f"{_AIM:,} known, by the line"
        values = {name: growth.lines[name].at(_AIM / 1e6) for name in _AIM_LIMITS}
    lines = "".join(f"; {_rise(name, line)}" for name, line in growth.lines.items())
    return [
        Target(
            what=f"{_UNITS[name]}: {nearest.new:,} new, {how}",
            value=values[name],
            at_most=limit,
            reason=f"{nearest.known:,} known: {told(nearest.stages)}{lines}",
        )
        for name, limit in _AIM_LIMITS.items()
    ]
