"""Somebody who has all that is published, knows the definitions, and reckons."""

from collections.abc import Hashable, Iterable, Mapping

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp


class Auditor:
    """Finds the least and the greatest that a number can be under all that is known of numbers.

    By integer programs of its own: it shares nothing with what it looks over.
    """

    def __init__(self) -> None:
        """Know nothing."""
        self._least: dict[Hashable, int] = {}
        self._most: dict[Hashable, int | None] = {}
        self._known: list[tuple[Mapping[Hashable, int], float, float]] = []
        self._program: tuple[Bounds, list[LinearConstraint], int] | None = None

    def is_told(self, name: Hashable, least: int, most: int | None) -> None:
        """Learn that a number is published as this range; of one that is there twice, of both."""
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
        self._known.append((signs, least, 0.0))

    def finds(self, name: Hashable) -> tuple[int, int | None]:
        """Return the least and the greatest that a number can be; None: there is no end."""
        bounds, constraints, far = self._program or self._made()
        goal = np.zeros(len(self._least))
        goal[[*self._least].index(name)] = 1
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * goal,
                integrality=np.ones(len(goal), dtype=int),
                bounds=bounds,
                constraints=constraints,
                options={"mip_rel_gap": 0.0},
            )
            assert found.status == 0, found.message
            ends.append(round(sign * found.fun))
        return ends[0], None if ends[1] > far / 2 else ends[1]

    def _made(self) -> tuple[Bounds, list[LinearConstraint], int]:
        place = {name: index for index, name in enumerate(self._least)}
        ends = [end for end in (*self._least.values(), *self._most.values()) if end]
        far = 10 * (sum(ends) + len(place))
        most = [far if end is None else end for end in self._most.values()]
        matrix = np.zeros((len(self._known), len(place)))
        for row, (signs, _, _) in enumerate(self._known):
            for name, sign in signs.items():
                matrix[row, place[name]] = sign
        _, low, high = zip(*self._known, strict=True) if self._known else ((), (), ())
        constraints = [LinearConstraint(matrix, low, high)] if self._known else []
        self._program = Bounds([*self._least.values()], most), constraints, far
        return self._program
