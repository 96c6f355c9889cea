"""What can be seen of each name in a row: bars of parts, or a point in its range."""

from msgspec import Struct

__all__ = ["Bars", "Mark", "Panel", "Part", "Points"]


class Part(Struct, frozen=True):
    """What bars are made of, and its colour."""

    name: str
    color: str


class Mark(Struct, frozen=True, kw_only=True):
    """A place from `low` to `high`, with a dot where its middle is known."""

    low: float
    high: float
    middle: float | None


class Bars(Struct, frozen=True, kw_only=True):
    """Counts of parts, each at the least and at the most, one beside the other."""

    parts: tuple[Part, ...]
    values: tuple[tuple[tuple[float, float], ...] | None, ...]


class Points(Struct, frozen=True, kw_only=True):
    """A mark for each name."""

    color: str
    values: tuple[Mark | None, ...]


class Panel(Struct, frozen=True, kw_only=True):
    """What is seen side by side: a title, a unit on the axis, and what is said of each name.

    `overall` is where a line across all rows is, and `overall_text` what it is. `end` is where the
    axis ends, otherwise where what is seen does. `percent`: what is seen are shares.
    """

    title: str
    unit: str
    seen: Bars | Points
    texts: tuple[str, ...]
    text_heading: str = ""
    overall: float | None = None
    overall_text: str = ""
    end: float | None = None
    percent: bool = False
