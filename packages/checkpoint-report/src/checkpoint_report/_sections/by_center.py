"""The sections with a row for each center: status, errors and pass rates, and times."""

from collections.abc import Sequence

from msgspec.structs import replace

from checkpoint_core.queries import QUERIES
from checkpoint_report._charts.bars import Panel, bars
from checkpoint_report._charts.drawing import Chart
from checkpoint_report._charts.spans import Span, spans
from checkpoint_report._figures.centers import Center
from checkpoint_report._figures.days import Days, DaysTable
from checkpoint_report._figures.figures import Figures
from checkpoint_report._figures.suppression import Cell, CountTable, share, sum_shown
from checkpoint_report._sections.section import (
    COLORS,
    Section,
    at_least,
    capital,
    count_panel,
    is_nothing,
    outcomes,
    passing,
    share_panel,
)
from checkpoint_report._sections.sheets import (
    DASH,
    Sheet,
    Value,
    days,
    number,
    percent,
    total,
    words,
)

__all__ = ["days_section", "errors_section", "status_section"]

_NO_DATA = "no data"
_TIMES = {
    "days-to-submission": ("Time to submission", "submitted", COLORS["submit"]),
    "days-to-qc": ("Time to QC", "passed by QC", COLORS["pass-qc"]),
}
"""By query: the title, what was done, and its colour."""
_NOBODY = Days(visits="none", negative="none", median=None, p90=None)


def status_section(figures: Figures, centers: Sequence[Center]) -> Section:
    """Tell where the submissions of each center stand."""
    table, threshold = figures.status, figures.threshold
    found = [table.row(center.name) if center.has_data else None for center in centers]
    panels = [
        count_panel(name, [None if cells is None else cells[index] for cells in found], threshold)
        for index, name in enumerate(table.columns)
    ]
    rows = []
    for center, cells in zip(centers, found, strict=True):
        values = () if cells is None else (*_numbers(cells, threshold), total(sum_shown(cells)))
        rows.append(_row(center, values, width=len(table.columns) + 1))
    return Section(
        anchor="status",
        title="Status of submissions",
        finding=_standing(table),
        chart=_bars(centers, panels),
        sheet=Sheet(
            name="status",
            caption="Submissions with events in the period, by center and status",
            headings=("center", *table.columns, "all submissions"),
            rows=tuple(rows),
            totals=(words("all centers"), *map(total, table.column_totals()), total(table.total())),
        ),
        definitions=(
            QUERIES["status"].definition,
            (
                "Here: where the submission stood at the end of the period, if its latest "
                "event until then is of the period; resubmitted: handed in again after the outcome in "
                "parentheses. In the chart each status has a scale of its own."
            ),
        ),
    )


def _standing(table: CountTable) -> str:
    if is_nothing(table.total()):
        return "No submission had an event in this period."
    sums = zip(table.columns, table.column_totals(), strict=True)
    parts = [f"{at_least(whole)} stand at {name}" for name, whole in sums if whole.at_least]
    told = f": {', '.join(parts)}" if parts else ""
    return f"{capital(at_least(table.total()))} submissions had events{told}."


def errors_section(figures: Figures, centers: Sequence[Center]) -> Section:
    """Tell how many submissions of each center have errors, and which share passed QC."""
    table, threshold = figures.status, figures.threshold
    passed, failed = outcomes(table)
    pairs = dict(zip(table.rows, zip(failed, passed, strict=True), strict=True))
    found = [pairs.get(center.name, (0, 0)) if center.has_data else None for center in centers]
    rates = [None if pair is None else share(pair[1], pair[0]) for pair in found]
    errors = [None if pair is None else pair[0] for pair in found]
    panels = [
        replace(count_panel("not-pass-qc", errors, threshold), title="errors"),
        share_panel("pass rate", rates, COLORS["pass-qc"], [pair is not None for pair in found]),
    ]
    rows = []
    for center, pair, rate in zip(centers, found, rates, strict=True):
        numbers = () if pair is None else _numbers(pair, threshold)
        rows.append(_row(center, (*numbers, percent(rate, decimals=1)), width=3))
    return Section(
        anchor="errors",
        title="Errors and pass rates by center",
        finding=_rates_told(table, centers, rates),
        chart=_bars(centers, panels),
        sheet=Sheet(
            name="errors",
            caption="Submissions with errors, those that passed QC, and pass rate, by center",
            headings=("center", "errors", "passed", "pass rate"),
            rows=tuple(rows),
        ),
        definitions=(QUERIES["errors-by-center"].definition, QUERIES["pass-rates"].definition),
    )


def _numbers(cells: Sequence[Cell], threshold: int) -> tuple[Value, ...]:
    return tuple(number(cell, threshold) for cell in cells)


def _rates_told(table: CountTable, centers: Sequence[Center], rates: Sequence[float | None]) -> str:
    overall, count = passing(table)
    if overall is None:
        return "There is no pass rate that can be shown."
    if count == 1:
        return f"{overall:.1%} of the checked submissions passed QC, at the one center that can be shown."
    named = zip(rates, (center.name for center in centers), strict=True)
    told = sorted((rate, name) for rate, name in named if rate is not None)
    (lowest, last), (highest, first) = told[0], told[-1]
    return (
        f"{overall:.1%} of the checked submissions passed QC, over the {count} centers that can be "
        f"shown: from {lowest:.1%} ({last}) to {highest:.1%} ({first})."
    )


def days_section(
    query: str, table: DaysTable, centers: Sequence[Center], threshold: int
) -> Section:
    """Tell how many days passed from the visits of each center until something was done."""
    title, done, color = _TIMES[query]
    told = table.by_center
    found = [told.get(center.name, _NOBODY) if center.has_data else None for center in centers]
    rows = [
        _row(center, () if its is None else _days_row(its), width=4)
        for center, its in zip(centers, found, strict=True)
    ]
    everyone = (words("all centers"), *_days_row(table.every))
    names = [center.name for center in centers]
    spanned = [_span(its) for its in found]
    return Section(
        anchor=query,
        title=title,
        finding=_days_told(table.every, done),
        chart=(lambda width: spans(names, spanned, ("median", "9 of 10"), width=width, color=color))
        if any(center.has_data for center in centers)
        else None,
        sheet=Sheet(
            name=query,
            caption=f"Days from visit until {done}, by center",
            headings=("center", "submissions", "median days", "9 of 10 within days", "negative"),
            rows=(*rows, everyone) if len(centers) > 1 else tuple(rows),
        ),
        definitions=(QUERIES[query].definition, _percentiles_told(threshold)),
    )


def _percentiles_told(threshold: int) -> str:
    told = "The dot is the median, and the end of the line the days within which nine of ten were done."
    if threshold <= 1:
        return told
    return (
        f"{told} The one is shown from {threshold * 2} submissions on and the other from "
        f"{threshold * 10}, in whole days: over fewer they would tell about single ones. Where "
        "other tables hide more, it takes more. For the same reason numbers of submissions are told "
        "roughly."
    )


def _days_row(its: Days) -> tuple[Value, ...]:
    return words(its.visits), days(its.median), days(its.p90), words(its.negative)


def _days_told(every: Days, done: str) -> str:
    if every.visits == "none":
        return f"Nothing was {done} in this period."
    if every.median is None:
        return f"Too few submissions were {done} in this period to say how long it took."
    finding = f"Half of the submissions were {done} within {days(every.median).text} days"
    if every.p90 is None:
        return f"{finding}."
    return f"{finding}, nine of ten within {days(every.p90).text}."


def _span(its: Days | None) -> Span:
    if its is None:
        return Span(middle=None, end=None, texts=(_NO_DATA, ""))
    if its.median is None:
        return Span(middle=None, end=None, texts=("none" if its is _NOBODY else "too few", ""))
    return Span(middle=its.median, end=its.p90, texts=(days(its.median).text, days(its.p90).text))


def _bars(centers: Sequence[Center], panels: list[Panel]) -> Chart | None:
    """Return a chart of the panels; the first says of which centers there is no data."""
    if not any(center.has_data for center in centers):
        return None
    told = zip(panels[0].texts, centers, strict=True)
    texts = tuple(text if center.has_data else _NO_DATA for text, center in told)
    first = replace(panels[0], texts=texts)
    names = [center.name for center in centers]
    return lambda width: bars(names, [first, *panels[1:]], width=width)


def _row(center: Center, values: Sequence[Value], *, width: int) -> tuple[Value, ...]:
    """Return a row of the table; a center without data has that in its first cell, not noughts."""
    if not center.has_data:
        values = (words(_NO_DATA), *[words(DASH)] * (width - 1))
    return (words(center.name), *values)
