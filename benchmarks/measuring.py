"""One measurement, and how it is taken."""

import time
from collections.abc import Callable

from msgspec import Struct, structs


class Measurement(Struct, frozen=True, kw_only=True):
    """How long one way of doing something took for so many items.

    `ratio` compares it with the first way of its kind in the same run of the benchmark, because
    absolute times say more about the machine than about the code.
    """

    what: str
    how: str
    items: int
    seconds: float
    peak_mb: float | None = None
    ratio: float | None = None


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
