"""What a pass needs of the driver, and whether the driver has it: looked at before anything is read."""

from pathlib import Path
from typing import Final

__all__ = ["available_bytes", "needed_bytes"]

_MIB: Final = 1_048_576
# Measured, peak memory of the driver's Python process beyond what the listing takes; see
# docs/operating.md.
_BASE_BYTES: Final = 200 * _MIB
_SELECTED_BYTES: Final = 250
# Adoption and rebuilds compare whole rows, in memory.
_COMPARED_BYTES: Final = 1_000
_GROUP: Final = Path("/sys/fs/cgroup")


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
