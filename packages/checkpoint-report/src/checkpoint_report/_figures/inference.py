"""What can be found out about hidden counts, by somebody who sees the others and can reckon.

Exactly, by integer programs: the least and the greatest that a hidden count can be under all that
is known. Nothing here knows what the hidden counts are.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from msgspec import Struct
from scipy.optimize import linprog
from scipy.sparse import coo_array

__all__ = ["Cell", "Ends", "Inference", "Statement"]

Cell = tuple[str, int, int]
"""A table, a row and a column of it."""

Ends = tuple[int, int | None]
"""The least and the most; None: there is no end."""

_NOTHING: Final = 1e-7
_ENOUGH: Final = 8
"""Of so many it is worth while to do something before one looks at more."""
# Its stubs do not know that what is given may be sparse.
_SOLVE: Final[Any] = linprog


class Statement(Struct, frozen=True, kw_only=True):
    """Something known: hidden counts, each times +1 or -1, add up to `total`, or to less."""

    signs: Mapping[Cell, int]
    total: int
    or_less: bool


class Inference:
    """Hidden counts, each within known ends, and what is known of their sums."""

    def __init__(self, ends: Mapping[Cell, Ends], statements: Sequence[Statement]) -> None:
        """Begin with what is known; each statement is about some of these counts, or none."""
        self._cells = tuple(ends)
        self._place = {cell: place for place, cell in enumerate(self._cells)}
        numbers = [statement.total for statement in statements]
        numbers += [end for end in chain.from_iterable(ends.values()) if end is not None]
        # Beyond whatever follows from these numbers: a count that gets there has no end.
        self._far = 4 * (sum(map(abs, numbers)) + len(numbers))
        self._ends = [(low, self._far if high is None else high) for low, high in ends.values()]
        entries = [
            (row, self._place[cell], sign)
            for row, statement in enumerate(statements)
            for cell, sign in statement.signs.items()
        ]
        rows, columns, signs = zip(*entries, strict=True) if entries else ((), (), ())
        shape = (len(statements), len(self._cells))
        matrix = coo_array((signs, (rows, columns)), shape=shape).tocsr()
        totals = np.array([statement.total for statement in statements], dtype=float)
        self._or_less = np.array([statement.or_less for statement in statements], dtype=bool)
        less, same = self._or_less, ~self._or_less
        self._known: dict[str, Any] = {
            "A_ub": matrix[less],
            "b_ub": totals[less],
            "A_eq": matrix[same],
            "b_eq": totals[same],
            "bounds": self._ends,
        }

    def ends(self, cell: Cell) -> Ends:
        """Return the least and the greatest that a count can be."""
        place = self._place[cell]
        least, most = (int(self._extreme([place], sign)[place]) for sign in (1, -1))
        return least, None if most > self._far // 2 else most

    def short_of(self, goals: Mapping[Cell, int], sign: int) -> tuple[set[Cell], set[Cell]]:
        """Return counts that cannot be as small as their goals; with a sign of -1, as great.

        Not all of them, where they are many: the second are those of which it is open.
        """
        short: set[Cell] = set()
        pending = {self._place[cell]: goal for cell, goal in goals.items()}
        asked = [*pending]
        while pending and len(short) < _ENOUGH:
            found = self._extreme(asked, sign)
            can_be = [place for place in pending if sign * found[place] <= sign * pending[place]]
            if len(asked) == 1 and not can_be:
                short.add(self._cells[asked[0]])
                del pending[asked[0]]
            for place in can_be:
                del pending[place]
            # One answer shows of many counts that they can be what they should, as long as it does.
            asked = [*pending] if can_be else [*pending][:1]
        return short, {self._cells[place] for place in pending}

    def _extreme(self, asked: Sequence[int], sign: int) -> np.ndarray[Any, Any]:
        """Return counts for which the sum of some is least; with a sign of -1, greatest."""
        answer = self._solved(asked, sign, whole=True)
        found: np.ndarray[Any, Any] = np.rint(answer.x).astype(np.int64)
        return found

    def proof(self, cell: Cell, sign: int) -> list[tuple[int, float]]:
        """Return which statements prove that a count is no smaller than it can be, and their weights.

        With a sign of -1, no greater. Where it takes that counts are whole, it is no proof of all.
        """
        answer = self._solved([self._place[cell]], sign, whole=False)
        weights = np.zeros(len(self._or_less))
        weights[self._or_less] = answer.ineqlin.marginals
        weights[~self._or_less] = answer.eqlin.marginals
        return [(int(row), float(weights[row])) for row in np.flatnonzero(abs(weights) > _NOTHING)]

    def _solved(self, asked: Sequence[int], sign: int, *, whole: bool) -> Any:
        goal = np.zeros(len(self._cells))
        goal[list(asked)] = sign
        # Without a gap: the answer is the very least, not one that is near.
        answer = _SOLVE(
            goal,
            **self._known,
            integrality=np.full(len(goal), int(whole)),
            options={"mip_rel_gap": 0.0} if whole else {},
        )
        if answer.status != 0:
            raise RuntimeError(f"what is hidden could not be reckoned: {answer.message}")
        return answer
