"""Refusing a run that its function is too small for, before it starts.

Running out of memory cannot be caught: the process is gone. So what a run will need is reckoned
from what was loaded and listed, and held against what there is.
"""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from checkpoint_core import CheckpointError
from checkpoint_format.stores import Stage

__all__ = ["RoomObserver", "TooSmallError"]

_MIB: Final = 1_048_576
# Measured, peak memory of one process: nothing new among 300,000 objects 310 MB, among 1,020,000
# 470 MB, among 2,001,000 810 MB; a first run over 100,000 320 MB, over 300,000 600 MB; all of
# 600,000 rewritten 1,240 MB.
_BASE_BYTES: Final = 170 * _MIB
_LISTED_BYTES: Final = 450
_FIRST_BYTES: Final = 950
_SELECTED_BYTES: Final = 1_400
# On the disk, compressed: a row takes some 20 bytes, an object in the ledger 35.
_SELECTED_DISK_BYTES: Final = 100
_DISK_MARGIN_BYTES: Final = 16 * _MIB
# Measured too, of contents while they are read: 300 of 1 MB 205 MB, 40 of 10 MB 330 MB, one of 200
# MB after the other 390 MB. They come in pieces, are put together, copied and decoded.
_COPIES: Final = 5
_MANY_BYTES: Final = 64 * _MIB
_COPIES_OF_ONE: Final = 2


class TooSmallError(CheckpointError):
    """The function has less memory or disk than this run will need."""

    def __init__(self, what: str, *, needed_bytes: int, available_bytes: int, remedy: str) -> None:
        self.what = what
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes
        super().__init__(
            f"{what}: this run needs about {_in_mib(needed_bytes)} MiB, and there are "
            f"{_in_mib(available_bytes)} MiB. Nothing was changed. {remedy}"
        )


class RoomObserver:
    """An observer that ends a run by a TooSmallError as soon as it is known not to fit.

    Args:
        workdir: where the run keeps its files.
        memory_bytes: the memory that the function has; None: not known, and not looked at.
        max_events: how many events the run takes at most.
        bytes_held: returns the most bytes of contents that the source holds at once, none of
            them larger than the number given.
        free_bytes: returns the space that is left where a folder is.
    """

    def __init__(
        self,
        workdir: Path,
        *,
        memory_bytes: int | None,
        max_events: int,
        bytes_held: Callable[[int], int],
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._workdir = workdir
        self._memory_bytes = memory_bytes
        self._max_events = max_events
        self._bytes_held = bytes_held
        self._free_bytes = free_bytes
        self._stage: Stage | None = None
        self._checkpoint_bytes = self._ledger_bytes = self._listed = 0

    def stage(self, name: Stage) -> AbstractContextManager[object]:
        """Remember it; what is noted belongs to it."""
        self._stage = name
        return nullcontext()

    def note(self, **numbers: int | str) -> None:
        """Take the sizes; check what is known after the listing, and before reading begins."""
        if self._stage == "load":
            self._checkpoint_bytes = int(numbers.get("checkpoint_bytes", self._checkpoint_bytes))
            self._ledger_bytes = int(numbers.get("ledger_bytes", self._ledger_bytes))
        elif self._stage == "list":
            self._listed = int(numbers.get("objects", 0))
            self._check(selected=0, largest_bytes=0)
        elif self._stage == "read" and "selected" in numbers:
            self._check(
                selected=min(int(numbers["selected"]), self._max_events),
                largest_bytes=int(numbers["largest_bytes"]),
            )

    def progress(self, done: int, total: int) -> None:
        """Know enough already."""

    def _check(self, *, selected: int, largest_bytes: int) -> None:
        each = _SELECTED_BYTES if self._ledger_bytes else _FIRST_BYTES
        rows = _BASE_BYTES + self._listed * _LISTED_BYTES + selected * each
        contents = self._contents_bytes(largest_bytes)
        if self._memory_bytes is not None and rows + contents > self._memory_bytes:
            lower = (
                "MAX_EVENTS_PER_RUN lower if most of the objects are new, or are read again for a "
                "newer event format"
            )
            if contents > rows or rows <= self._memory_bytes:
                lower = (
                    f"MAX_OBJECT_SIZE_BYTES lower, which refuses the largest objects, of "
                    f"{_in_mib(largest_bytes)} MiB"
                )
            raise TooSmallError(
                "memory",
                needed_bytes=rows + contents,
                available_bytes=self._memory_bytes,
                remedy=f"Give the function more memory, or set {lower}.",
            )
        # The ledger in force is on the disk already; to come are the checkpoint in force, the
        # next one, and the next ledger.
        disk = 2 * self._checkpoint_bytes + self._ledger_bytes + _DISK_MARGIN_BYTES
        disk += selected * _SELECTED_DISK_BYTES
        free = self._free_bytes(self._workdir)
        if disk > free:
            raise TooSmallError(
                str(self._workdir.parent),
                needed_bytes=disk,
                available_bytes=free,
                remedy="Give the function more ephemeral storage.",
            )

    def _contents_bytes(self, largest_bytes: int) -> int:
        """Return what the contents need that are read at once, none of them larger than this."""
        held = min(self._bytes_held(largest_bytes), _MANY_BYTES)
        return max(_COPIES * held, _COPIES_OF_ONE * largest_bytes)


def _in_mib(size_bytes: int) -> int:
    return -(-size_bytes // _MIB)
