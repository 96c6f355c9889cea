"""Somebody who has all that is published, knows the definitions, and reckons."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp


class Auditor:
    """Finds the least and the greatest that a number can be under all that is known of numbers.

    By integer programs of its own: it shares nothing with what it looks over.
    """

    def __init__(self) -> None:
        """Know nothing but that numbers are whole and not negative."""
        self._least: dict[Hashable, int] = {}
        self._most: dict[Hashable, int | None] = {}
        self._known: list[tuple[Mapping[Hashable, int], float]] = []
        self._program: tuple[Bounds, list[LinearConstraint]] | None = None
        self._far = 0
        self._seen: list[np.ndarray[Any, Any]] = []

    def is_told(self, name: Hashable, least: int = 0, most: int | None = None) -> None:
        """Learn of a number, and the range as which it is published; if that is again, both hold."""
        self._least[name] = max(least, self._least.get(name, 0))
        ends = [end for end in (most, self._most.get(name)) if end is not None]
        self._most[name] = min(ends, default=None)

    def equal(self, left: Iterable[Hashable], right: Iterable[Hashable]) -> None:
        """Learn that two sums are equal."""
        self._knows(left, right, 0.0)

    def at_most(self, left: Iterable[Hashable], right: Iterable[Hashable]) -> None:
        """Learn that one sum is no greater than the other."""
        self._knows(left, right, -np.inf)

    def _knows(self, left: Iterable[Hashable], right: Iterable[Hashable], least: float) -> None:
        signs: dict[Hashable, int] = {}
        for sign, side in ((1, left), (-1, right)):
            for name in side:
                signs[name] = signs.get(name, 0) + sign
        self._known.append((signs, least))

    def finds(self, name: Hashable, least: int, most: int | None) -> tuple[int, int | None]:
        """Return the least and the greatest that a number can be, which is told as a range.

        None: there is no end.
        """
        place = self._place[name]
        low, high = (self._end(place, sign, goal) for sign, goal in ((1, least), (-1, most)))
        return low, None if high > self._far / 2 else high

    @property
    def _place(self) -> dict[Hashable, int]:
        return {name: index for index, name in enumerate(self._least)}

    def _end(self, place: int, sign: int, goal: int | None) -> int:
        """Return how small a number can be; with a sign of -1, how great. Not beyond what is told."""
        if not self._seen:
            every = np.arange(len(self._least))
            self._seen = [self._solved(every, 1), self._solved(every, -1)]
        if any(found[place] == goal for found in self._seen):
            return int(goal or 0)
        self._seen.append(self._solved(np.array([place]), sign))
        return int(self._seen[-1][place])

    def _solved(self, places: np.ndarray[Any, Any], sign: int) -> np.ndarray[Any, Any]:
        bounds, constraints = self._program = self._program or self._made()
        goal = np.zeros(len(self._least))
        goal[places] = sign
        found = milp(
            goal,
            integrality=np.ones(len(goal), dtype=int),
            bounds=bounds,
            constraints=constraints,
            options={"mip_rel_gap": 0.0},
        )
        assert found.status == 0, found.message
        whole: np.ndarray[Any, Any] = np.rint(found.x).astype(int)
        return whole

    def _made(self) -> tuple[Bounds, list[LinearConstraint]]:
        place = self._place
        ends = [end for end in (*self._least.values(), *self._most.values()) if end]
        self._far = 10 * (sum(ends) + len(place))
        most = [self._far if end is None else end for end in self._most.values()]
        matrix = np.zeros((len(self._known), len(place)))
        for row, (signs, _) in enumerate(self._known):
            for name, sign in signs.items():
                matrix[row, place[name]] = sign
        low = [least for _, least in self._known]
        constraints = [LinearConstraint(matrix, low, np.zeros(len(low)))] if low else []
        return Bounds([*self._least.values()], most), constraints
