"""One measurement, the middle one of several, and what is to be reached."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median, median_low
from typing import Any, TypeVar

from msgspec import Struct, structs

_Some = TypeVar("_Some")


class Spent(Struct, frozen=True):
    """Seconds that passed, and seconds of processor time; those of several threads add up."""

    wall_s: float
    cpu_s: float


class Measurement(Struct, frozen=True, kw_only=True):
    """How long one way of doing something took for so many items.

    `cpu_s` is the processor time of the whole process, which other load changes little; `stages`
    are where the time went. `ratio` compares `seconds` with the first way of its kind in the same
    run of the benchmark, because absolute times say more about the machine than about the code.
    """

    what: str
    how: str
    items: int
    seconds: float
    cpu_s: float | None = None
    peak_mb: float | None = None
    stages: Mapping[str, Spent] = {}
    ratio: float | None = None

    @property
    def items_per_s(self) -> float:
        """How many items were done in a second."""
        return self.items / self.seconds


class Target(Struct, frozen=True, kw_only=True):
    """Something to reach: a ratio of two measurements of one run, or a limit.

    `reason` says in numbers what it is made of, for the case that it is not reached.
    """

    what: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    reason: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether the value is within its limits."""
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long it takes to do it once."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def medians(found: Sequence[_Some]) -> _Some:
    """Return the first of what was found in several rounds, with the median for each number in it."""
    middle: _Some = _middle(found)
    return middle


def _middle(found: Sequence[Any]) -> Any:
    first = found[0]
    if isinstance(first, Struct):
        names = first.__struct_fields__
        numbers = {name: _middle([getattr(each, name) for each in found]) for name in names}
        return structs.replace(first, **numbers)
    if isinstance(first, Mapping):
        return {name: _middle([each[name] for each in found if name in each]) for name in first}
    if isinstance(first, int) and not isinstance(first, bool):
        return median_low(found)
    return median(found) if isinstance(first, float) else first


def in_rounds(rounds: int, one_round: Callable[[], Iterable[Measurement]]) -> list[Measurement]:
    """Measure everything in turn, so many times; return the medians, in the order of a round."""
    found: dict[tuple[str, str], list[Measurement]] = {}
    for _ in range(rounds):
        for each in one_round():
            found.setdefault((each.what, each.how), []).append(each)
    return [medians(of_one_way) for of_one_way in found.values()]


def compared(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return measurements of one kind, each with its ratio to the first."""
    first = measurements[0].seconds
    return [structs.replace(each, ratio=each.seconds / first) for each in measurements]


def told(stages: Mapping[str, Spent]) -> str:
    """Say where the time went: seconds of each stage, and in parentheses those of a processor."""
    parts = (f"{name} {spent.wall_s:.2f} ({spent.cpu_s:.2f})" for name, spent in stages.items())
    return f"{', '.join(parts)} s" if stages else ""
