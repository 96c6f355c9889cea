"""The tables behind the charts: for the page, and as files."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from checkpoint_report._figures.suppression import Cell, Hidden, Total

__all__ = ["DASH", "Sheet", "Value", "days", "number", "percent", "total", "words"]

DASH: Final = "\N{EN DASH}"
"""What stands where there is nothing to show."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Value(Struct, frozen=True):
    """What a cell says to people, and to programs."""

    text: str
    plain: str


class Sheet(Struct, frozen=True, kw_only=True):
    """A table with a heading for each column; the first column names the rows.

    `totals` is a last row that only the page shows: a program adds up what it needs.
    """

    name: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    totals: tuple[Value, ...] = ()

    def lines(self) -> Iterable[Sequence[str]]:
        """Yield the headings and the rows, for programs."""
        yield self.headings
        for row in self.rows:
            yield [value.plain for value in row]


def words(text: str) -> Value:
    """Return text; in a file it is never taken for a formula."""
    return Value(text, f"'{text}" if text.startswith(_FORMULA) else text)


def number(cell: Cell, threshold: int) -> Value:
    """Return a count, or why it is not shown."""
    match cell:
        case Hidden.SMALL:
            return Value(f"<{threshold}", f"<{threshold}")
        case Hidden.WITHHELD:
            return Value("withheld", "withheld")
        case shown:
            return Value(f"{shown:,}", str(shown))


def total(whole: Total) -> Value:
    """Return a total; one with hidden parts is at least what the others are."""
    if whole.exact:
        return number(whole.at_least, 0)
    return Value(f"≥ {whole.at_least:,}", f">={whole.at_least}")


def percent(share: float | None, *, decimals: int = 0) -> Value:
    """Return a share, or a dash where there is none to show."""
    if share is None:
        return Value(DASH, "")
    return Value(f"{share:.{decimals}%}", f"{share:.{decimals + 2}f}")


def days(value: float | None) -> Value:
    """Return days, or a dash where they are not shown."""
    if value is None:
        return Value(DASH, "")
    text = f"{value:.1f}".removesuffix(".0")
    return Value(text.replace("-", "\N{MINUS SIGN}"), text)
