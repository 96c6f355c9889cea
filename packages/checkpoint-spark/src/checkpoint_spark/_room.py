"""What a pass needs of the driver, and whether the driver has it: looked at before anything is read."""

from pathlib import Path
from typing import Final

from checkpoint_core import CheckpointError

__all__ = ["DriverTooSmallError", "available_bytes", "needed_bytes"]

_MIB: Final = 1_048_576
# Measured, peak memory of the driver's Python process beyond what the listing takes; see
# docs/operating.md.
_BASE_BYTES: Final = 200 * _MIB
_SELECTED_BYTES: Final = 600
# Adoption and rebuilds compare whole rows, in memory.
_COMPARED_BYTES: Final = 1_000
_GROUP: Final = Path("/sys/fs/cgroup")


class DriverTooSmallError(CheckpointError):
    """The driver has less memory than this run will need."""

    def __init__(self, *, needed: int, available: int) -> None:
        self.needed_bytes = needed
        self.available_bytes = available
        super().__init__(
            f"the driver's memory: this run needs about {needed // _MIB:,} MiB more than it has "
            f"taken, and there are {available // _MIB:,} MiB. Nothing was changed. Give the driver "
            "more memory (spark.driver.memoryOverhead), or set --max-events-per-run lower."
        )


def needed_bytes(selected: int, *, compares: bool) -> int:
    """Return the memory that the driver will need once it has listed.

    Args:
        selected: how many objects are read in the pass.
        compares: whether the rows that are taken are compared with those that are there.

    """
    return _BASE_BYTES + selected * (_SELECTED_BYTES + (_COMPARED_BYTES if compares else 0))


def available_bytes() -> int:
    """Return the memory that this machine, or this process's container, has left."""
    meminfo = Path("/proc/meminfo").read_text(encoding="ascii")
    free = next(line for line in meminfo.splitlines() if line.startswith("MemAvailable"))
    available = int(free.split()[1]) * 1_024
    try:
        limit = (_GROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((_GROUP / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return available
    return available if limit == "max" else min(available, int(limit) - used)
