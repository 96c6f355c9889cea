"""The sections of a report: of each its finding, its chart, its table and its definition."""

from collections.abc import Sequence

from msgspec import Struct

from checkpoint_report._charts.bars import Panel
from checkpoint_report._charts.drawing import Chart
from checkpoint_report._figures.counts import FAILED_AGAIN, PASSED_AGAIN
from checkpoint_report._figures.suppression import Cell, CountTable, Hidden, Total, share, together
from checkpoint_report._sections.sheets import Sheet, number, percent

__all__ = [
    "COLORS",
    "Section",
    "at_least",
    "capital",
    "count_panel",
    "is_nothing",
    "outcomes",
    "passing",
    "share_panel",
]

COLORS = {
    "submit": "var(--submit)",
    "pass-qc": "var(--pass)",
    "not-pass-qc": "var(--fail)",
    "delete": "var(--delete)",
    "waiting": "var(--submit)",
    "deleted": "var(--delete)",
}
_OTHER = "var(--other)"


class Section(Struct, frozen=True, kw_only=True):
    """One question and its answer; without a chart where there is nothing to draw.

    What stands between backticks in a definition is the name of a field.
    """

    anchor: str
    title: str
    finding: str
    chart: Chart | None
    sheet: Sheet
    definitions: tuple[str, ...]


def at_least(whole: Total) -> str:
    """Return a total in words."""
    if not whole.exact and not whole.at_least:
        return "some"
    return f"{'' if whole.exact else 'at least '}{whole.at_least:,}"


def is_nothing(whole: Total) -> bool:
    """Tell whether it is the total of nothing at all."""
    return whole == Total(0, exact=True)


def capital(text: str) -> str:
    """Return the text as it begins a sentence."""
    return text[:1].upper() + text[1:]


def count_panel(title: str, cells: Sequence[Cell | None], threshold: int) -> Panel:
    """Return the bars of counts; None is no count at all."""
    return Panel(
        title=title,
        values=tuple(None if isinstance(cell, Hidden) else cell for cell in cells),
        texts=tuple("" if cell is None else number(cell, threshold).text for cell in cells),
        color=COLORS.get(title, _OTHER),
    )


def share_panel(
    title: str, shares: Sequence[float | None], color: str, told: Sequence[bool] | None = None
) -> Panel:
    """Return the bars of shares; those that are not `told` have no text, not even a dash."""
    texts = (percent(share).text for share in shares)
    if told is not None:
        texts = (text if is_told else "" for text, is_told in zip(texts, told, strict=True))
    return Panel(title=title, values=tuple(shares), texts=tuple(texts), color=color, full=1.0)


def outcomes(status: CountTable) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """Return how many passed and how many failed at each center, by their last outcome."""
    passed = zip(status.column("pass-qc"), status.column(PASSED_AGAIN), strict=True)
    failed = zip(status.column("not-pass-qc"), status.column(FAILED_AGAIN), strict=True)
    return tuple(map(together, passed)), tuple(map(together, failed))


def passing(status: CountTable) -> tuple[float | None, int]:
    """Return the pass rate over the centers whose numbers are shown, and how many these are."""
    passed, failed, centers = 0, 0, 0
    for pair in zip(*outcomes(status), strict=True):
        match pair:
            case (int(its_passed), int(its_failed)) if its_passed + its_failed:
                passed, failed, centers = passed + its_passed, failed + its_failed, centers + 1
    return share(passed, failed), centers
