"""Which counts are hidden: the small ones, and what would tell more of one than that it is small."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from checkpoint_report._figures.inference import Cell, Ends, Inference, Statement
from checkpoint_report._figures.known import Count

__all__ = ["LEAST_THRESHOLD", "Rule", "hide"]

LEAST_THRESHOLD: Final = 3
"""Below it there would be one small count, 1: who reads that it is hidden would know it."""
_NOTHING: Final = 1e-7


class Rule(Struct, frozen=True):
    """What everybody knows of counts: each times its sign, they add up to 0, or to less."""

    signs: Mapping[Cell, int]
    or_less: bool


def hide(
    counts: Mapping[Cell, int], rules: Sequence[Rule], sums: Collection[Cell], threshold: int
) -> dict[Cell, Count]:
    """Return what is told of each count. `sums` are those that are better told than others."""
    if threshold <= 1:
        return {cell: Count.of(count) for cell, count in counts.items()}
    hiding = _Hiding(counts, rules, sums, max(threshold, LEAST_THRESHOLD))
    while hiding.goes_on():
        pass
    known = hiding.inference(dict.fromkeys(hiding.withheld, (1, None)))
    told = {cell: Count.of(count) for cell, count in counts.items()}
    told |= dict.fromkeys(hiding.small, Count(1, hiding.threshold - 1, is_hidden=True))
    told |= {cell: Count(*known.ends(cell), is_hidden=True) for cell in hiding.withheld}
    return told


class _Hiding:
    """The counts that are hidden so far: small ones, and others, which are withheld.

    Each of those withheld has beside it the large counts of which it was chosen.
    """

    def __init__(
        self,
        counts: Mapping[Cell, int],
        rules: Sequence[Rule],
        sums: Collection[Cell],
        threshold: int,
    ) -> None:
        self.threshold = threshold
        self.small = {cell for cell, count in counts.items() if 0 < count < threshold}
        self.withheld: dict[Cell, tuple[Cell, ...]] = {}
        self._asked = {(cell, sign) for cell in self.small for sign in (1, -1)}
        self._counts = counts
        self._rank = {cell: rank for rank, cell in enumerate(counts)}
        self._rules = rules
        self._sums = frozenset(sums)

    def goes_on(self) -> bool:
        """Withhold what it takes so that proofs about small counts fail; tell whether there were any."""
        known = self.inference({cell: (self._floor(cell), None) for cell in self.withheld})
        found = self._found_out(known)
        done: set[Cell] = set()
        for cell, sign in found:
            proof = [(self._rules[row], weight) for row, weight in known.proof(cell, sign)]
            used = _used(proof)
            # Another one withheld for the same proof would be one too many.
            if done.isdisjoint(used):
                compared = {each for rule, _ in proof if rule.or_less for each in rule.signs}
                done.add(self._withhold(cell, used, compared))
        return bool(found)

    def inference(self, withheld: dict[Cell, Ends]) -> Inference:
        """Return what can be found out, where these are the ends of what is withheld."""
        ends: Ends = (1, self.threshold - 1)
        hidden = dict.fromkeys(sorted(self.small), ends) | withheld
        statements = []
        for rule in self._rules:
            signs = {cell: sign for cell, sign in rule.signs.items() if cell in hidden}
            shown = rule.signs.keys() - signs.keys()
            total = -sum(rule.signs[cell] * self._counts[cell] for cell in shown)
            statements.append(Statement(signs=signs, total=total, or_less=rule.or_less))
        return Inference(hidden, statements)

    def _floor(self, cell: Cell) -> int:
        """Return the least that a withheld count can be for those who know how it was chosen."""
        # Of those at least half as large as the largest it was the last.
        others = [each for each in self.withheld[cell] if each != cell]
        shown = [each for each in others if self._is_shown(each)]
        half = -(-max((self._counts[each] for each in shown), default=0) // 2)
        if len(shown) < len(others):
            return max(1, half)
        later = (self._counts[each] for each in shown if self._rank[each] > self._rank[cell])
        last = max(later, default=0)
        return max(1, half, 2 * last + 1 if last >= half else 0)

    def _is_shown(self, cell: Cell) -> bool:
        return cell not in self.small and cell not in self.withheld

    def _found_out(self, known: Inference) -> list[tuple[Cell, int]]:
        """Return of which counts too much is found out: that they are no smaller, or no greater (-1).

        What is not found out of a count will not be when more is withheld: it is asked no more.
        """
        most = self.threshold - 1
        found: list[tuple[Cell, int]] = []
        rest: set[tuple[Cell, int]] = set()
        for sign, goal in ((1, 1), (-1, most)):
            asked = sorted(cell for cell, side in self._asked if side == sign)
            goals = {cell: goal for cell in asked if cell in self.small}
            short, unsettled = known.short_of(goals, sign)
            found += [(cell, sign) for cell in short]
            rest |= {(cell, sign) for cell in unsettled}
        for cell, sign in self._asked:
            if sign == -1 and cell in self.withheld:
                low, high = known.ends(cell)
                if low <= most and high is not None and high - low + 1 < most:
                    found.append((cell, -1))
        self._asked = {*found, *rest}
        return sorted(found)

    def _withhold(self, told: Cell, used: set[Cell], compared: set[Cell]) -> Cell:
        """Withhold one of the counts that a proof about another uses, and return it.

        Of those at least half as large as the largest it is the last: a range of a few is not much of
        what is large. Where all are hidden it is a small one, whichever it is: nothing here depends on
        how small a small count is.
        """
        everything = self._counts.keys()
        for cells in (*self._preferred(told, used, compared), everything):
            large = tuple(each for each in cells if self._is_shown(each) and self._counts[each])
            if large:
                half = max(self._counts[each] for each in large) / 2
                chosen = self._last(each for each in large if self._counts[each] >= half)
                self.withheld[chosen] = large
                self._asked.add((chosen, -1))
                return chosen
            if cells in (used, everything) and (small := self.small.intersection(cells)):
                chosen = self._last(small & self._sums or small)
                self.small.remove(chosen)
                self.withheld[chosen] = ()
                self._asked.add((chosen, -1))
                return chosen
        raise RuntimeError("all counts are withheld, and still too much is known of one")

    def _last(self, cells: Iterable[Cell]) -> Cell:
        return max(cells, key=self._rank.__getitem__)

    def _preferred(
        self, told: Cell, used: set[Cell], compared: set[Cell]
    ) -> Iterator[Collection[Cell]]:
        """Yield among which counts to choose, the better ones first.

        Where equal sums are all that it takes, of the same table: then these stay what they are. Where
        rows of tables are compared, of the other table: it has no part in the sums of this one. Where
        both are, a sum has to go: withholding one row helps no other.
        """
        parts = used - self._sums
        if compared:
            yield used & self._sums
            yield {each for each in parts & compared if each[0] != told[0]}
        yield {each for each in parts if each[0] == told[0]}
        yield parts
        # What is withheld may be known too well by what it was chosen of.
        yield {beside for each in used for beside in self.withheld.get(each, ())}
        yield used


def _used(proof: Iterable[tuple[Rule, float]]) -> set[Cell]:
    """Return the counts that a proof needs."""
    weights: dict[Cell, float] = {}
    for rule, weight in proof:
        for cell, sign in rule.signs.items():
            weights[cell] = weights.get(cell, 0.0) + sign * weight
    return {cell for cell, weight in weights.items() if abs(weight) > _NOTHING}
