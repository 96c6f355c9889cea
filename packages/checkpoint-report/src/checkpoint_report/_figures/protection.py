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

from collections.abc import Iterable, Iterator, Mapping

from checkpoint_report._figures.hiding import Rule, hide
from checkpoint_report._figures.inference import Cell
from checkpoint_report._figures.known import Count
from checkpoint_report._figures.tables import Relation, Table, places

__all__ = ["protect"]


def protect(
    tables: Mapping[str, Table[int]], relations: Iterable[Relation], threshold: int
) -> dict[str, Table[Count]]:
    """Return what may be told of the tables, so that no count from 1 to `threshold` - 1 is found out.

    The sum of each column is told by itself: more may be said of it than of its cells. The same
    arguments give the same answer. A threshold of 1 tells everything, and one of 2 hides as much as
    one of 3.
    """
    counts: dict[Cell, int] = {}
    rules: list[Rule] = []
    sums: list[Cell] = []
    for name, table in tables.items():
        size = len(table.rows)
        for row, cells in enumerate(table.cells):
            counts |= {(name, row, column): count for column, count in enumerate(cells)}
        for column in range(len(table.columns)) if size > 1 else ():
            parts = [(name, row, column) for row in range(size)]
            total = (name, size, column)
            counts[total] = sum(counts[part] for part in parts)
            rules.append(Rule({**dict.fromkeys(parts, 1), total: -1}, or_less=False))
            sums.append(total)
    rules += _rules(tables, relations, counts)
    told = hide(counts, rules, sums, threshold)
    return {name: _table(table, told) for name, table in tables.items()}


def _rules(
    tables: Mapping[str, Table[int]], relations: Iterable[Relation], counts: Mapping[Cell, int]
) -> Iterator[Rule]:
    for relation in relations:
        signs: dict[Cell, int] = {}
        for sign, side in ((1, relation.left), (-1, relation.right)):
            for cell in sorted(set(places(tables, side))):
                signs[cell] = signs.get(cell, 0) + sign
        signs = {cell: sign for cell, sign in signs.items() if sign}
        rule = Rule(signs, or_less=relation.how == "is at most")
        more = sum(sign * counts[cell] for cell, sign in signs.items())
        # What does not hold, because a later event told another submission apart, tells nothing.
        if more == 0 or (more < 0 and rule.or_less):
            yield rule


def _table(table: Table[int], told: Mapping[Cell, Count]) -> Table[Count]:
    size, columns = len(table.rows), range(len(table.columns))
    *cells, sums = (
        tuple(told.get((table.name, row, column), Count.of(0)) for column in columns)
        for row in range(size + 1)
    )
    return Table(
        name=table.name,
        rows=table.rows,
        columns=table.columns,
        cells=tuple(cells),
        sums=sums if size > 1 else (),
    )
