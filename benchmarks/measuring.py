"""One measurement, and how it is taken."""

import time
from collections.abc import Callable

from msgspec import Struct, structs


class Measurement(Struct, frozen=True, kw_only=True):
    """How long one way of doing something took for so many items.

    `cpu_s` is the processor time of the whole process, which other load changes little. `ratio`
    compares `seconds` with the first way of its kind in the same run of the benchmark, because
    absolute times say more about the machine than about the code.
    """

    what: str
    how: str
    items: int
    seconds: float
    cpu_s: float | None = None
    peak_mb: float | None = None
    ratio: float | None = None

    @property
    def items_per_s(self) -> float:
        """How many items were done in a second."""
        return self.items / self.seconds


class Target(Struct, frozen=True, kw_only=True):
    """Something to reach: a ratio of two measurements of one run, or a limit."""

    what: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_reached(self) -> bool:
        """Whether the value is within its limits."""
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )


def best_of(rounds: int, work: Callable[[], object]) -> float:
    """Return the shortest time of several, in seconds."""
    shortest = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - begin)
    return shortest


def compared(measurements: list[Measurement]) -> list[Measurement]:
    """Return measurements of one kind, each with its ratio to the first."""
    first = measurements[0].seconds
    return [structs.replace(each, ratio=each.seconds / first) for each in measurements]
