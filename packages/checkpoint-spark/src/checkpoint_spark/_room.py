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
_MEMINFO: Final = Path("/proc/meminfo")
_GROUP: Final = Path("/sys/fs/cgroup")


def needed_bytes(selected: int, *, compares: bool) -> int:
    """Return the memory that the driver will need once it has listed.

    Args:
        selected: how many objects are read in the pass.
        compares: whether the rows that are taken are compared with those that are there.

    """
    return _BASE_BYTES + selected * (_SELECTED_BYTES + (_COMPARED_BYTES if compares else 0))


def available_bytes(meminfo: Path = _MEMINFO, group: Path = _GROUP) -> int | None:
    """Return the memory that this machine, or this process's container, has left.

    None where the system does not tell. What a container's kernel keeps of files counts as left.
    """
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    available = _number(lines, "MemAvailable:") * 1_024
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        kept = _number((group / "memory.stat").read_text("ascii").splitlines(), "inactive_file")
    except (OSError, ValueError):  # no container, or one without a limit
        return available
    return min(available, limit - used + kept)


def _number(lines: list[str], name: str) -> int:
    return next(int(line.split()[1]) for line in lines if line.split()[0] == name)
