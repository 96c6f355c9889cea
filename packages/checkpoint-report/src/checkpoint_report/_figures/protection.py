"""Protection of small counts: what leaves this module may be handed on, and nothing else may.

A count from 1 to the threshold - 1 is small, and told as that range. Others are withheld where they
would tell more of a small one, and told as the range that follows from what is shown. Nought is
always shown: it is about nobody. Everything else on a page is made from what is told.

Covered is who has all of one report and knows what holds between its counts: he finds of each
hidden count just the range that is told, and of one that can be small at least as many numbers as
there are small ones; that is reckoned, exactly, and not supposed. Covered is also that he knows by
which rule a count was chosen to be withheld, as far as that says that it is no smaller than others.

Not covered is who concludes from which counts were withheld why they had to be; who has another
report, of another month, threshold or center; and who knows some of the counts from elsewhere.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from checkpoint_report._figures.inference import Cell, Ends, Inference, Statement
from checkpoint_report._figures.known import Count
from checkpoint_report._figures.tables import Relation, Table, places

__all__ = ["protect"]

_LEAST_THRESHOLD: Final = 3
"""Below it there would be one small count, 1: who reads that it is hidden would know it."""
_NOTHING: Final = 1e-7


class _Rule(Struct, frozen=True):
    """A relation between all cells: each times its sign, they add up to 0, or to less."""

    signs: Mapping[Cell, int]
    or_less: bool


def protect(
    tables: Mapping[str, Table[int]], relations: Iterable[Relation], threshold: int
) -> dict[str, Table[Count]]:
    """Return what may be told of the tables, so that no count from 1 to `threshold` - 1 is found out.

    The same arguments give the same answer. A threshold of 1 tells everything, and one of 2 hides as
    much as one of 3. Raises ValueError where the counts are not as the relations say.
    """
    counts = {
        (name, row, column): count
        for name, table in tables.items()
        for row, cells in enumerate(table.cells)
        for column, count in enumerate(cells)
    }
    told = _told(counts, tuple(_rules(tables, relations, counts)), threshold)
    return {
        name: Table(
            name=table.name,
            rows=table.rows,
            columns=table.columns,
            cells=tuple(
                tuple(told[name, row, column] for column in range(len(table.columns)))
                for row in range(len(table.rows))
            ),
        )
        for name, table in tables.items()
    }


def _rules(
    tables: Mapping[str, Table[int]], relations: Iterable[Relation], counts: Mapping[Cell, int]
) -> Iterator[_Rule]:
    for relation in relations:
        signs: dict[Cell, int] = {}
        for sign, side in ((1, relation.left), (-1, relation.right)):
            for cell in set(places(tables, side)):
                signs[cell] = signs.get(cell, 0) + sign
        signs = {cell: signs[cell] for cell in sorted(signs) if signs[cell]}
        rule = _Rule(signs, or_less=relation.how == "is at most")
        more = sum(sign * counts[cell] for cell, sign in signs.items())
        if more > 0 or (more < 0 and not rule.or_less):
            raise ValueError(f"the counts are not as they should be: {relation.why}")
        yield rule


def _told(counts: Mapping[Cell, int], rules: Sequence[_Rule], threshold: int) -> dict[Cell, Count]:
    """Return what is told of each count."""
    if threshold <= 1:
        return {cell: Count.of(count) for cell, count in counts.items()}
    hiding = _Hiding(counts, rules, max(threshold, _LEAST_THRESHOLD))
    while hiding.goes_on():
        pass
    known = hiding.inference(dict.fromkeys(hiding.withheld, (1, None)))
    told = {cell: Count.of(count) for cell, count in counts.items()}
    told |= dict.fromkeys(hiding.small, Count(1, hiding.threshold - 1, is_hidden=True))
    told |= {cell: Count(*known.ends(cell), is_hidden=True) for cell in hiding.withheld}
    return told


class _Hiding:
    """Which counts are hidden so far: the small ones, and others, which are withheld, beside them.

    Each of those withheld has beside it the large counts of which it was chosen.
    """

    def __init__(self, counts: Mapping[Cell, int], rules: Sequence[_Rule], threshold: int) -> None:
        self.threshold = threshold
        self.small = {cell for cell, count in counts.items() if 0 < count < threshold}
        self.withheld: dict[Cell, tuple[Cell, ...]] = {}
        self._counts = counts
        self._rank = {cell: rank for rank, cell in enumerate(counts)}
        self._rules = rules

    def goes_on(self) -> bool:
        """Withhold what it takes so that proofs about small counts fail; tell whether there were any."""
        known = self.inference({cell: (self._floor(cell), None) for cell in self.withheld})
        found = self._found_out(known)
        done: set[Cell] = set()
        for cell, sign in found:
            used = self._used(known.proof(cell, sign))
            if done.isdisjoint(used):
                done.add(self._withhold(used, cell))
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
        shown = [each for each in self.withheld[cell] if self._is_shown(each)]
        most = max((self._counts[each] for each in shown), default=0)
        later = (self._counts[each] for each in shown if self._rank[each] > self._rank[cell])
        # Of those at least half as large as the largest it is the last.
        double = 2 * max(later, default=0)
        return max(1, -(-most // 2), double + 1 if double >= most else 0)

    def _is_shown(self, cell: Cell) -> bool:
        return cell not in self.small and cell not in self.withheld

    def _found_out(self, known: Inference) -> list[tuple[Cell, int]]:
        """Return of which counts too much is found out: that they are no smaller, or no greater (-1)."""
        most = self.threshold - 1
        found = [(cell, 1) for cell in known.short_of(dict.fromkeys(self.small, 1), 1)]
        found += [(cell, -1) for cell in known.short_of(dict.fromkeys(self.small, most), -1)]
        for cell in self.withheld:
            if self._floor(cell) < self.threshold:
                low, high = known.ends(cell)
                if low < self.threshold and high is not None and high - low + 1 < most:
                    found.append((cell, -1))
        return sorted(found)

    def _used(self, proof: Iterable[tuple[int, float]]) -> set[Cell]:
        """Return the counts that a proof needs."""
        weights: dict[Cell, float] = {}
        for row, weight in proof:
            for cell, sign in self._rules[row].signs.items():
                weights[cell] = weights.get(cell, 0.0) + sign * weight
        return {cell for cell, weight in weights.items() if abs(weight) > _NOTHING}

    def _withhold(self, used: Collection[Cell], told: Cell) -> Cell:
        """Withhold one of the counts that a proof about another uses, and return it.

        Of those at least half as large as the largest it is the last: where it is large, a range of a
        few is not much. Where all are hidden it is a small one, whichever it is: nothing here depends
        on how small a small count is.
        """
        # A proof by there being no fractions has no such counts: then it is any of its rules'.
        rules = [rule.signs for rule in self._rules]
        around = {each for signs in rules if told in signs for each in signs}
        for cells in (used, around, {each for signs in rules for each in signs}):
            beside = {each for cell in cells for each in self.withheld.get(cell, ())}
            if large := self._large(cells) or self._large(beside):
                half = max(self._counts[cell] for cell in large) / 2
                chosen = max(
                    (cell for cell in large if self._counts[cell] >= half),
                    key=self._rank.__getitem__,
                )
                self.withheld[chosen] = large
                return chosen
            if small := self.small.intersection(cells):
                chosen = max(small, key=self._rank.__getitem__)
                self.small.remove(chosen)
                self.withheld[chosen] = ()
                return chosen
        raise RuntimeError("all counts are withheld, and still too much is known of one")

    def _large(self, cells: Iterable[Cell]) -> tuple[Cell, ...]:
        return tuple(cell for cell in cells if self._is_shown(cell) and self._counts[cell])
