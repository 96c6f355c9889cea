"""What is known of a number: all of it, a range that it is in, or nothing.

Every number of the page is one of these, and so is every number that is made from others: a sum, a
share or a change of numbers that are ranges is the range of all that it can be, and no less.
"""

from collections.abc import Iterable
from math import ceil, floor, isclose, sqrt
from typing import Final, Literal, Self

from msgspec import Struct

__all__ = ["UNKNOWN", "Change", "Count", "Days", "Flag", "Share", "added"]

Flag = Literal["exact", "suppressed", "bounded", "unknown", "none"]
"""What a number is: `exact`; `suppressed`, hidden itself, so that only a range is told; `bounded`, a
range because of what else is hidden; `unknown`, there was nothing to count it from; `none`, there
is no such number, such as the share of nothing.
"""

Plain = tuple[str, str, Flag]
"""The least, the most and the flag, as a file has them; empty where there is no such end."""

_MINUS: Final = "\N{MINUS SIGN}"
_DASH: Final = "\N{EN DASH}"
_NORMAL_95: Final = 1.959963984540054


class Count(Struct, frozen=True):
    """How many: at the least, and at the most, None where no end is known.

    `is_hidden`: it is told by itself, and not shown. Without `is_known` it could not be counted.
    Raises ValueError for a range that holds nothing.
    """

    least: int = 0
    most: int | None = None
    is_hidden: bool = False
    is_known: bool = True

    def __post_init__(self) -> None:
        """Refuse what no count can be."""
        if self.least < 0 or (self.most is not None and self.most < self.least):
            raise ValueError("a count is 0 or more, and at the most no less than at the least")

    @classmethod
    def of(cls, number: int) -> Self:
        """Return the count that is just this."""
        return cls(number, number)

    @property
    def exact(self) -> int | None:
        """The count itself, where it is told."""
        return self.least if self.least == self.most else None

    @property
    def flag(self) -> Flag:
        """What it is."""
        if not self.is_known:
            return "unknown"
        if self.exact is not None:
            return "exact"
        return "suppressed" if self.is_hidden else "bounded"

    def __add__(self, other: "Count") -> "Count":
        """Return how many both are together; unknown where one is."""
        if not (self.is_known and other.is_known):
            return UNKNOWN
        ends = (self.most, other.most)
        most = None if None in ends else sum(end or 0 for end in ends)
        return Count(self.least + other.least, most)

    def __sub__(self, other: "Count") -> "Change":
        """Return the change from the other to this."""
        if not (self.is_known and other.is_known):
            return Change(is_known=False)
        return Change(
            None if other.most is None else self.least - other.most,
            None if self.most is None else self.most - other.least,
        )

    @property
    def words(self) -> str:
        """What people read."""
        match self.flag, self.most:
            case "unknown", _:
                return "unknown"
            case "exact", _:
                return f"{self.least:,}"
            case _, None:
                return f"at least {self.least:,}" if self.least else "not shown"
            case _, most:
                return f"{self.least:,} to {most:,}" if self.least else f"at most {most:,}"

    @property
    def plain(self) -> Plain:
        """What programs read."""
        if not self.is_known:
            return "", "", "unknown"
        return str(self.least), "" if self.most is None else str(self.most), self.flag


UNKNOWN: Final = Count(is_known=False)
"""The count of what there was nothing to count from."""


def added(counts: Iterable[Count]) -> Count:
    """Return how many all of them are together, 0 for none of them."""
    return sum(counts, start=Count.of(0))


class Share(Struct, frozen=True):
    """Which share a part has of its whole, from 0 to 1: at the least, and at the most.

    Both are None where there is no share: of nothing, or of what is not known.
    """

    least: float | None = None
    most: float | None = None
    is_known: bool = True

    @classmethod
    def of(cls, part: Count, rest: Count) -> Self:
        """Return the share of a part that has this rest beside it.

        With a part of a to b and a rest of c to d it is between a / (a + d) and b / (b + c).
        """
        if not (part.is_known and rest.is_known):
            return cls(is_known=False)
        if part.most == rest.most == 0:
            return cls()
        least = 0.0 if rest.most is None else _part(part.least, rest.most)
        return cls(least, 1.0 if part.most is None else _part(part.most, rest.least))

    @classmethod
    def interval(cls, part: Count, rest: Count) -> Self:
        """Return where the rate behind a share is with 95% confidence, by Wilson's score interval.

        The ends are those of the widest interval that the counts admit.
        """
        share = cls.of(part, rest)
        if share.least is None or share.most is None:
            return share
        lower = 0.0 if rest.most is None else _wilson(part.least, rest.most)
        upper = 0.0 if part.most is None else _wilson(rest.least, part.most)
        return cls(lower, 1 - upper)

    @property
    def exact(self) -> float | None:
        """The share itself, where it is told."""
        return self.least if self.least == self.most else None

    @property
    def flag(self) -> Flag:
        """What it is."""
        if not self.is_known:
            return "unknown"
        if self.least is None:
            return "none"
        return "bounded" if self.exact is None else "exact"

    def __sub__(self, other: "Share") -> "Change":
        """Return the change from the other to this, in percentage points."""
        if None in {self.least, self.most, other.least, other.most}:
            return Change(is_known=False)
        return Change(
            100 * ((self.least or 0) - (other.most or 0)),
            100 * ((self.most or 0) - (other.least or 0)),
        )

    def words(self, decimals: int = 0) -> str:
        """Return what people read; no share is called 0% or 100% that is not."""
        if self.least is None or self.most is None:
            return "unknown" if self.flag == "unknown" else _DASH
        if self.exact is not None:
            return _percent(self.exact, decimals)
        scale = 10 ** (decimals + 2)
        # Outwards, but not because of what arithmetic leaves behind the last decimal.
        low, high = floor(self.least * scale + 1e-9), ceil(self.most * scale - 1e-9)
        if low <= 0 and high >= scale:
            return "not shown"
        if low == high:
            return f"{low / scale:.{decimals}%}"
        return f"{100 * low / scale:.{decimals}f} to {high / scale:.{decimals}%}"

    @property
    def plain(self) -> Plain:
        """What programs read, with six decimals."""
        if self.least is None or self.most is None:
            return "", "", self.flag
        return f"{self.least:.6f}", f"{self.most:.6f}", self.flag


def _part(part: int, rest: int) -> float:
    return part / (part + rest) if part else 0.0


def _wilson(part: int, rest: int) -> float:
    """Return the lower end of the interval: it grows with the part, and shrinks with the rest."""
    whole = part + rest
    if part == 0:
        return 0.0
    square = _NORMAL_95**2
    middle = part + square / 2
    spread = _NORMAL_95 * sqrt(part * rest / whole + square / 4)
    return (middle - spread) / (whole + square)


def _percent(share: float, decimals: int) -> str:
    step = 10.0 ** -(decimals + 2)
    if 0 < share < step / 2:
        return f"under {step:.{decimals}%}"
    if 1 - step / 2 < share < 1:
        return f"over {1 - step:.{decimals}%}"
    return f"{share:.{decimals}%}"


class Change(Struct, frozen=True):
    """By how much a number changed: at the least, and at the most, None where no end is known.

    Of counts it is a number of them, of shares one of percentage points.
    """

    least: float | None = None
    most: float | None = None
    is_known: bool = True

    @property
    def exact(self) -> float | None:
        """The change itself, where it is told."""
        if self.least is None or self.most is None:
            return None
        return self.least if isclose(self.least, self.most, abs_tol=1e-9) else None

    @property
    def flag(self) -> Flag:
        """What it is."""
        if not self.is_known:
            return "unknown"
        return "bounded" if self.exact is None else "exact"

    def words(self, decimals: int = 0) -> str:
        """Return what people read: with its sign."""
        if not self.is_known:
            return "unknown"
        if self.exact is not None:
            return _signed(self.exact, decimals)
        least, most = self._outwards(decimals)
        if least is None:
            return "not shown" if most is None else f"at most {_signed(most, decimals)}"
        if most is None:
            return f"at least {_signed(least, decimals)}"
        return f"{_signed(least, decimals)} to {_signed(most, decimals)}"

    def plain(self, decimals: int = 0) -> Plain:
        """Return what programs read."""
        ends = (self.least, self.most) if self.exact is not None else self._outwards(decimals)
        least, most = ("" if end is None else f"{end:.{decimals}f}" for end in ends)
        return least, most, self.flag

    def _outwards(self, decimals: int) -> tuple[float | None, float | None]:
        """Return the ends with so many decimals, so that the truth is still between them."""
        scale = 10**decimals
        least = None if self.least is None else floor(self.least * scale + 1e-9) / scale
        return least, None if self.most is None else ceil(self.most * scale - 1e-9) / scale


def _signed(number: float, decimals: int) -> str:
    text = f"{abs(number):,.{decimals}f}"
    if not float(text.replace(",", "")):
        return text
    return f"{_MINUS if number < 0 else '+'}{text}"


class Days(Struct, frozen=True):
    """Some days, such as a median; without them `flag` says why there are none."""

    days: float | None = None
    flag: Flag = "none"

    @classmethod
    def of(cls, days: float) -> Self:
        """Return the days that are just these."""
        return cls(days, "exact")

    @property
    def words(self) -> str:
        """What people read."""
        if self.days is None:
            return {"suppressed": "not told", "unknown": "unknown"}.get(self.flag, _DASH)
        return f"{self.days:,.1f}".removesuffix(".0").replace("-", _MINUS)

    @property
    def plain(self) -> tuple[str, Flag]:
        """What programs read."""
        return "" if self.days is None else f"{self.days:.1f}".removesuffix(".0"), self.flag
