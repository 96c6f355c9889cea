"""The sections that tell about all centers as one: volumes, completeness, rejects."""

from checkpoint_core.queries import QUERIES
from checkpoint_report._charts.bars import bars, columns
from checkpoint_report._figures.completeness import VISITS_FOR_SHARES, Completeness
from checkpoint_report._figures.figures import Figures
from checkpoint_report._figures.suppression import CountTable
from checkpoint_report._sections.section import (
    COLORS,
    Section,
    at_least,
    capital,
    count_panel,
    is_nothing,
    share_panel,
)
from checkpoint_report._sections.sheets import Sheet, number, percent, total, words

__all__ = ["completeness_section", "rejects_section", "volumes_section"]


def volumes_section(figures: Figures) -> Section:
    """Tell how many events there were, when, and of which action."""
    table, threshold = figures.volumes, figures.threshold
    panels = [count_panel(name, table.column(name), threshold) for name in table.columns]
    sums = table.row_totals()
    return Section(
        anchor="volumes",
        title="Volumes over time",
        finding=_told(table),
        chart=None
        if is_nothing(table.total())
        else (lambda width: columns(table.rows, panels, width=width)),
        sheet=Sheet(
            name="volumes",
            caption="Events by the time at which they took place, and by action",
            headings=("period", *table.columns, "all events"),
            rows=tuple(
                (words(name), *(number(cell, threshold) for cell in cells), total(whole))
                for name, cells, whole in zip(table.rows, table.cells, sums, strict=True)
            ),
            totals=(words("all"), *map(total, table.column_totals()), total(table.total())),
        ),
        definitions=(
            QUERIES["counts"].definition,
            (
                "Weeks begin on Monday. The first and the last week or month may be cut off by the "
                "period. In the chart each action has a scale of its own."
            ),
        ),
    )


def _told(table: CountTable) -> str:
    if is_nothing(table.total()):
        return "No event took place in this period."
    finding = f"{capital(at_least(table.total()))} events took place."
    shown = [
        (cell, table.rows[row], table.columns[column])
        for row, cells in enumerate(table.cells)
        for column, cell in enumerate(cells)
        if isinstance(cell, int) and cell
    ]
    if len(table.rows) == 1 or not shown:
        return finding
    most, when, action = max(shown, key=lambda each: each[0])
    return f"{finding} The largest number shown is {most:,} {action} events, in {when}."


def completeness_section(figures: Figures) -> Section:
    """Tell which share of submissions lacks a field, and which share got it later."""
    found = figures.completeness
    shown = [field for field in found if field.missing is not None]
    names = [field.field for field in found]
    panels = [
        share_panel("from the start", [field.from_start for field in found], COLORS["pass-qc"]),
        share_panel("filled in later", [field.later for field in found], COLORS["submit"]),
        share_panel("missing", [field.missing for field in found], COLORS["not-pass-qc"]),
    ]
    return Section(
        anchor="completeness",
        title="Completeness",
        finding=_lacking(shown),
        chart=(lambda width: bars(names, panels, width=width)) if shown else None,
        sheet=Sheet(
            name="completeness",
            caption="Shares of the forms handed in, by what became of a field",
            headings=("field", *(panel.title for panel in panels)),
            rows=tuple(
                (words(each.field), *map(percent, (each.from_start, each.later, each.missing)))
                for each in found
            ),
        ),
        definitions=(
            QUERIES["completeness"].definition,
            (
                "Here: submissions of the datatype form, of one event or more, whose latest event is of the "
                "period. Shares are rounded to whole percent. Where small counts are hidden, so are shares "
                f"that would tell one, and all of fewer than {VISITS_FOR_SHARES} submissions."
            ),
        ),
    )


def _lacking(shown: list[Completeness]) -> str:
    if not shown:
        return "What forms lack cannot be told without telling about too few."
    lacks = " and ".join(f"{each.missing:.0%} lack {each.field}" for each in shown)
    return f"Of the forms handed in, {lacks}."


def rejects_section(figures: Figures) -> Section:
    """Tell how many objects are not in the checkpoint, and why."""
    table = figures.rejects
    panel = count_panel("objects", table.column("objects"), figures.threshold)
    finding = "No event object of this period is known to have been rejected."
    if table.rows:
        reasons = f"{len(table.rows)} reasons" if len(table.rows) > 1 else "one reason"
        told = capital(at_least(table.total()))
        finding = f"{told} event objects of this period are not in the checkpoint, for {reasons}."
    return Section(
        anchor="rejects",
        title="What was rejected, and why",
        finding=finding,
        chart=(lambda width: bars(table.rows, [panel], width=width)) if table.rows else None,
        sheet=Sheet(
            name="rejects",
            caption="Event objects that are not in the checkpoint, by outcome and rule",
            headings=("outcome and rule", "objects"),
            rows=tuple(
                (words(name), *(number(cell, figures.threshold) for cell in cells))
                for name, cells in zip(table.rows, table.cells, strict=True)
            ),
            totals=(words("all"), total(table.total())),
        ),
        definitions=(
            (
                "Counts the event objects that were last written in the period and are not in the "
                "checkpoint, or whose newest content is not. What got in since is not among them."
            ),
        ),
    )
