"""The tables behind the charts: for people on the page, and for programs as files."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from msgspec import Struct

from checkpoint_report._figures.known import Change, Count, Days, Share

__all__ = ["NONE", "Column", "Row", "Sheet", "Value", "change", "count", "days", "share", "slug"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_OTHER: Final = re.compile("[^a-z0-9]+")
_ENDS: Final = ("measure", "unit", "value", "least", "most", "flag")


class Value(Struct, frozen=True):
    """What a number is to people; and to programs its least, its most, and what it is."""

    text: str
    least: str
    most: str
    flag: str


NONE: Final = Value("\N{EN DASH}", "", "", "none")
"""There is no such number."""


class Column(Struct, frozen=True):
    """A number of each row: its heading on the page, its name and unit in a file.

    One that is not `in_page` is in the file alone: another table of the page has it.
    """

    heading: str
    measure: str
    unit: str
    in_page: bool = True


class Row(Struct, frozen=True, kw_only=True):
    """The numbers of one thing: what it is called, its keys in a file, and if its own, its days."""

    name: str
    keys: tuple[str, ...]
    values: tuple[Value, ...]
    days: tuple[date, date] | None = None


class Sheet(Struct, frozen=True, kw_only=True):
    """A table: on the page a row for each thing, in a file a line for each number.

    `keys` name the columns of the file that say what a row is about. `totals` is the last row, of
    all of them. It is on the page, a file, or both.
    """

    name: str
    caption: str
    heading: str
    keys: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    totals: Row | None = None
    in_page: bool = True
    in_file: bool = True

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings of the columns that are on the page."""
        return tuple(column.heading for column in self.columns if column.in_page)

    def texts(self, row: Row) -> tuple[str, ...]:
        """Return what the page says of a row under these headings."""
        pairs = zip(self.columns, row.values, strict=True)
        return tuple(value.text for column, value in pairs if column.in_page)

    def lines(self, days: tuple[date, date]) -> Iterator[tuple[str, ...]]:
        """Yield the headings and a line for each number, of a report on these days."""
        yield "first", "last", *self.keys, *_ENDS
        for row in (*self.rows, *([self.totals] if self.totals else [])):
            first, last = row.days or days
            keys = [f"'{key}" if key.startswith(_FORMULA) else key for key in row.keys]
            for column, value in zip(self.columns, row.values, strict=True):
                exact = value.least if value.flag == "exact" else ""
                yield (
                    first.isoformat(),
                    last.isoformat(),
                    *keys,
                    column.measure,
                    column.unit,
                    exact,
                    value.least,
                    value.most,
                    value.flag,
                )


def slug(text: str) -> str:
    """Return the name that a file gives to what people call so."""
    return _OTHER.sub("_", text.lower()).strip("_")


def count(number: Count) -> Value:
    """Return a count."""
    return Value(number.words, *number.plain)


def share(part: Share, *, decimals: int = 0) -> Value:
    """Return a share, in percent for people and from 0 to 1 for programs."""
    return Value(part.words(decimals), *part.plain)


def change(difference: Change, *, decimals: int = 0, of_range: int = 0) -> Value:
    """Return a change, with its sign; for people the ends of a range have decimals of their own."""
    shown = of_range if difference.flag == "bounded" else decimals
    return Value(difference.words(shown), *difference.plain(decimals))


def days(number: Days) -> Value:
    """Return days or hours."""
    plain, flag = number.plain
    return Value(number.words, plain, plain, flag)
