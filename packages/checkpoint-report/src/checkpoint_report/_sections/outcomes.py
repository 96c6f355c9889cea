"""What is told of submissions by where they stand: the same columns, bars and rates everywhere."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from checkpoint_report._charts.panels import Bars, Mark, Panel, Part, Points
from checkpoint_report._charts.rows import rows
from checkpoint_report._figures.known import Count, Share, added
from checkpoint_report._figures.standing import NOT_ALIVE, NOT_PASSED, PASSED, STATUSES
from checkpoint_report._sections.section import Picture
from checkpoint_report._sections.sheets import NONE, Column, Value, change, count, share

__all__ = [
    "COLUMNS",
    "Standing",
    "count_bars",
    "difference",
    "ends",
    "interval",
    "picture_of",
    "rates_differ",
    "values",
]

_PARTS: Final = (
    ("passed", "var(--pass)", PASSED[:1]),
    ("not passed", "var(--fail)", NOT_PASSED[:1]),
    ("waiting", "var(--submit)", ("waiting",)),
    ("handed in again", "var(--again)", (PASSED[1], NOT_PASSED[1])),
    ("duplicate or deleted", "var(--other)", NOT_ALIVE),
)
"""By what a submission is called: its colour, and the statuses that are meant."""

COLUMNS: Final = (
    Column("submissions", "submissions", "submissions"),
    Column("passed", "passed", "submissions"),
    Column("not passed", "not_passed", "submissions"),
    Column("waiting", "waiting", "submissions"),
    Column("handed in again", "handed_in_again", "submissions"),
    Column("duplicate or deleted", "duplicate_or_deleted", "submissions"),
    Column("checked", "checked", "submissions"),
    Column("pass rate", "pass_rate", "share of checked"),
    Column("95% interval", "pass_rate_interval", "share of checked"),
)


class Standing(Struct, frozen=True):
    """How many submissions stand at each of STATUSES."""

    cells: tuple[Count, ...]

    @property
    def total(self) -> Count:
        """How many there are."""
        return added(self.cells)

    @property
    def parts(self) -> tuple[Count, ...]:
        """How many are of each of the parts that are told."""
        return tuple(self._at(statuses) for _, _, statuses in _PARTS)

    @property
    def passed(self) -> Count:
        """Those whose last outcome is pass-qc."""
        return self._at(PASSED)

    @property
    def failed(self) -> Count:
        """Those whose last outcome is not-pass-qc."""
        return self._at(NOT_PASSED)

    @property
    def checked(self) -> Count:
        """Those that have an outcome."""
        return self._at((*PASSED, *NOT_PASSED))

    @property
    def rate(self) -> Share:
        """Which share of the checked passed."""
        return Share.of(self.passed, self.failed)

    @property
    def interval(self) -> Share:
        """Where the rate behind that is."""
        return Share.interval(self.passed, self.failed)

    def _at(self, statuses: Sequence[str]) -> Count:
        return added(self.cells[STATUSES.index(status)] for status in statuses)


def values(standing: Standing) -> tuple[Value, ...]:
    """Return the values of COLUMNS."""
    return (
        count(standing.total),
        *map(count, standing.parts),
        count(standing.checked),
        # A range is not known to the tenth of a percent.
        share(standing.rate, decimals=0 if standing.rate.flag == "bounded" else 1),
        interval(standing.interval),
    )


def interval(ends: Share) -> Value:
    """Return an interval: its ends are what it is, not what is known of it."""
    shown = share(ends)
    if ends.least is None or ends.most is None:
        return shown
    low, high = (f"{100 * end:.0f}" for end in (ends.least, ends.most))
    return Value(f"{low} to {high}%", shown.least, shown.most, "interval")


def difference(now: Count, before: Count) -> Value:
    """Return the change of a count."""
    return change(now - before)


def rates_differ(now: Share, before: Share) -> Value:
    """Return the change of a rate in percentage points, where there is one of both."""
    if "none" in {now.flag, before.flag}:
        return NONE
    return change(now - before, decimals=1, of_range=0)


def picture_of(
    name: str,
    by: str,
    named: Iterable[tuple[str, Standing]],
    overall: Share | None,
    *,
    with_mean: bool = False,
) -> Picture:
    """Return the chart of where submissions stand, by what they are called, and of their rates."""
    names, standings = zip(*named, strict=True)
    parts = tuple(Part(part, color) for part, color, _ in _PARTS)
    counts = [each.parts for each in standings]
    panels = (
        count_bars("Where submissions stand", "submissions", parts, counts, with_mean=with_mean),
        _rates(standings, overall),
    )
    return Picture(
        name=name,
        shows=f"Submissions by where they stand, and pass rates, by {by}",
        chart=partial(rows, names, panels),
    )


def count_bars(
    title: str,
    unit: str,
    parts: tuple[Part, ...],
    counts: Sequence[tuple[Count, ...]],
    *,
    with_mean: bool,
) -> Panel:
    """Return bars of counts, with a line at the mean of those that have any, if asked for."""
    totals = [added(row) for row in counts]
    some = [total.exact for total in totals if total.exact]
    all_told = all(total.exact is not None for total in totals)
    mean = sum(some) / len(some) if with_mean and some and all_told else None
    return Panel(
        title=title,
        unit=unit,
        seen=Bars(parts=parts, values=tuple(tuple(map(ends, row)) for row in counts)),
        texts=tuple(total.words for total in totals),
        text_heading="all",
        overall=mean,
        overall_text="" if mean is None else f"dashed: mean of the centers, {mean:,.1f}",
    )


def ends(number: Count) -> tuple[float, float]:
    """Return the least and the most that a bar can be long; without an end, the least."""
    return number.least, number.least if number.most is None else number.most


def _rates(standings: Sequence[Standing], overall: Share | None) -> Panel:
    """Return the pass rates with their intervals, and the rate of all as a line."""
    marks: list[Mark | None] = []
    for each in standings:
        ends, rate = each.interval, each.rate
        if ends.least is None or ends.most is None:
            marks.append(None)
        else:
            marks.append(Mark(low=ends.least, high=ends.most, middle=rate.exact))
    texts = [
        "none checked"
        if each.rate.flag == "none"
        else f"{each.rate.words()}, n {each.checked.words}"
        for each in standings
    ]
    line = None if overall is None else overall.exact
    return Panel(
        title="Pass rate, 95% interval",
        unit="share of the checked",
        seen=Points(color="var(--pass)", values=tuple(marks)),
        texts=tuple(texts),
        text_heading="rate, n checked",
        overall=line,
        overall_text="" if line is None or overall is None else f"dashed: all, {overall.words(1)}",
        end=1.03,
        percent=True,
    )
