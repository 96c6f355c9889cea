"""A progress bar on a terminal."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from checkpoint_core import Observer
from checkpoint_format.stores import QuietObserver, Stage

__all__ = ["watched"]

_DOING: dict[Stage, str] = {
    "load": "Loading the checkpoint",
    "list": "Listing the source",
    "read": "Reading objects",
    "merge": "Merging",
    "commit": "Committing",
}


class _Bar:
    """Shows the stage that a run is in, and how far it has come."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Show the stage while it lasts; validating is part of what reading shows."""
        if name not in _DOING:
            yield
            return
        self._task = self._progress.add_task(_DOING[name], total=None, amount="")
        try:
            yield
        finally:
            self._progress.remove_task(self._task)
            self._task = None

    def progress(self, done: int, total: int) -> None:
        """Move the bar."""
        if self._task is not None:
            amount = f"{done:,}/{total:,}"
            self._progress.update(self._task, completed=done, total=total, amount=amount)

    def note(self, **numbers: int | str) -> None:
        """Leave the numbers to the summary."""


def watched() -> AbstractContextManager[Observer]:
    """Return an observer that shows a bar on stderr while it lasts, if that is a terminal."""
    if sys.stderr.isatty():
        return _bar()
    return nullcontext(QuietObserver())


@contextmanager
def _bar() -> Iterator[Observer]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    # Gone when it ends, so that what stays on the screen is the result.
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress)
