"""What a run tells while it is at work."""

from collections.abc import Iterator
from contextlib import contextmanager

from checkpoint_format.stores import Stage


class Watcher:
    """An observer that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        self.told.append(f"begin {name}")
        yield
        self.told.append(f"end {name}")

    def progress(self, done: int, total: int) -> None:
        self.told.append(f"{done} of {total}")

    def note(self, **numbers: int | str) -> None:
        told = " ".join(f"{name}={number}" for name, number in numbers.items())
        self.told.append(told)
