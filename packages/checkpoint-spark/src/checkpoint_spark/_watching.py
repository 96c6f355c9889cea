"""Watching a run from the driver: a line for each stage, and no pass that does not fit."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from checkpoint_format.stores import Stage
from checkpoint_spark._room import available_bytes, needed_bytes
from checkpoint_spark.errors import DriverTooSmallError

__all__ = ["DriverObserver"]

_TOLD: Final = ("load", "list", "read", "merge", "commit")


class DriverObserver:
    """Tells each stage when it ends, and ends a run by DriverTooSmallError before it reads.

    Args:
        say: is given each line.
        max_events: how many events a pass takes at most; None: all.
        compares: whether the run compares whole rows with those that are there.
        available: returns the memory that is left, or None where that is not known.

    """

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        max_events: int | None,
        compares: bool,
        available: Callable[[], int | None] = available_bytes,
    ) -> None:
        self._say = say
        self._max_events = max_events
        self._compares = compares
        self._available = available
        self._selected = ""

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Tell how long it took, where it is one that people know."""
        begun, self._selected = time.monotonic(), ""
        yield
        if name in _TOLD:
            self._say(f"{name}: {time.monotonic() - begun:.1f} s{self._selected}")

    def note(self, **numbers: int | str) -> None:
        """Check what is selected before it is read."""
        if "selected" in numbers:
            selected = int(numbers["selected"])
            # The first number is of all that may be read; later ones come with rows in memory.
            if not self._selected:
                self._check(min(selected, self._max_events or selected))
            self._selected = f", {selected:,} objects"

    def progress(self, done: int, total: int) -> None:
        """Leave it to Spark, which tells of its tasks."""

    def _check(self, selected: int) -> None:
        needed, available = needed_bytes(selected, compares=self._compares), self._available()
        if available is not None and needed > available:
            raise DriverTooSmallError(needed=needed, available=available)
