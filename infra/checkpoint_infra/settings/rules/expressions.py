"""Schedule expressions as the scheduler has them: what is wrong with one, and when it is due."""

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from msgspec import Struct

__all__ = ["Cron", "Rate", "expression_problems", "parse"]

_UNITS: Final = {"minute": 60, "hour": 3_600, "day": 86_400}
_MONTHS: Final = tuple(name.upper() for name in calendar.month_abbr[1:])
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()


_FIELDS: Final = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 1, 7, _WEEKDAYS),
    _Field("year", 1970, 2199),
)

_DayTest = Callable[[date], bool]


class Rate(Struct, frozen=True):
    """A fixed pause."""

    seconds: int


class Cron(Struct, frozen=True):
    """Times of day, on days that all tests are true for."""

    times: tuple[time, ...]
    tests: tuple[_DayTest, ...]

    def due(self, start: date, days: int) -> Iterator[datetime]:
        """Yield when it is due, by the clock on the wall, in so many days from the start."""
        for offset in range(days):
            day = start + timedelta(days=offset)
            if all(test(day) for test in self.tests):
                yield from (datetime.combine(day, each) for each in self.times)


def expression_problems(expression: str) -> Iterator[str]:
    """Say why the scheduler would refuse an expression, or never act on it."""
    try:
        parsed = parse(expression)
    except ValueError as error:
        yield str(error)
        return
    # Every combination of leap years and weekdays comes within 28 years.
    if isinstance(parsed, Cron) and not any(parsed.due(date(2026, 1, 1), 28 * 366)):
        yield f"{expression} is never due"


def parse(expression: str) -> Rate | Cron:
    """Return what `cron(...)` or `rate(...)` means; raises ValueError that says what is wrong."""
    kind, _, inner = expression.removesuffix(")").partition("(")
    return _rate(inner) if kind == "rate" else _cron(inner)


def _rate(inner: str) -> Rate:
    found = re.fullmatch(r"([0-9]+) (minute|hour|day)(s?)", inner)
    if not found:
        raise ValueError("rate(...) has a number and minutes, hours or days, such as rate(6 hours)")
    number = int(found[1])
    if number < 1:
        raise ValueError("the number in rate(...) must be at least 1")
    if (number == 1) == bool(found[3]):
        unit = found[2] if number == 1 else f"{found[2]}s"
        raise ValueError(f"must be rate({number} {unit}): one is singular, more are plural")
    return Rate(number * _UNITS[found[2]])


def _cron(inner: str) -> Cron:
    fields = inner.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"cron(...) has six fields, not {len(fields)}: "
            + ", ".join(field.name for field in _FIELDS)
        )
    if [fields[2], fields[4]].count("?") != 1:
        raise ValueError("one of day of month and day of week must be ?, and the other not")
    minutes, hours, _, months, _, years = (
        frozenset() if field.name.startswith("day") else _values(field, text)
        for field, text in zip(_FIELDS, fields, strict=True)
    )
    day_test = _weekdays(fields[4]) if fields[2] == "?" else _days_of_month(fields[2])
    return Cron(
        times=tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)),
        tests=(lambda day: day.month in months and day.year in years, day_test),
    )


def _values(field: _Field, text: str) -> frozenset[int]:
    """Return the numbers that a field means: a list of values, ranges and steps."""
    return frozenset(value for part in text.split(",") for value in _part(field, part))


def _part(field: _Field, part: str) -> range:
    span, slash, step = part.partition("/")
    if slash and not (step.isdecimal() and int(step) > 0):
        raise ValueError(f"{field.name}: {part} needs a positive number behind the slash")
    first, dash, last = span.partition("-")
    if span == "*":
        start, end = field.first, field.last
    else:
        start = _number(field, first, part)
        end = _number(field, last, part) if dash else field.last if slash else start
    if start > end:
        raise ValueError(f"{field.name}: {part} ends before it begins")
    return range(start, end + 1, int(step) if slash else 1)


def _number(field: _Field, text: str, part: str) -> int:
    if text.upper() in field.names:
        return field.names.index(text.upper()) + field.first
    if not (text.isdecimal() and field.first <= int(text) <= field.last):
        names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
        raise ValueError(f"{field.name}: {part} is not from {field.first} to {field.last}{names}")
    return int(text)


def _days_of_month(text: str) -> _DayTest:
    """Days by number, `L` for the last, `15W` for the weekday that is nearest to the 15th."""
    field = _FIELDS[2]
    if text == "L":
        return lambda day: day.day == _length(day)
    if text == "LW":
        return lambda day: day.day == _nearest_weekday(day, _length(day))
    if text.endswith("W"):
        wanted = _number(field, text[:-1], text)
        return lambda day: day.day == _nearest_weekday(day, wanted)
    days = _values(field, text)
    return lambda day: day.day in days


def _weekdays(text: str) -> _DayTest:
    """Weekdays by number from Sunday or by name, `6L` for the last Friday, `3#2` for the second."""
    field = _FIELDS[4]
    name, sharp, which = text.partition("#")
    if sharp:
        wanted = _number(field, name, text)
        if which not in {"1", "2", "3", "4", "5"}:
            raise ValueError(f"{field.name}: {text} needs 1 to 5 behind the #")
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 == int(which) - 1
    if text.endswith("L"):
        last = _number(field, text[:-1] or "SAT", text)
        any_week = text == "L"
        return lambda day: _weekday(day) == last and (any_week or day.day + 7 > _length(day))
    days = _values(field, text)
    return lambda day: _weekday(day) in days


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> int:
    """Return the day of the month from Monday to Friday that is nearest, in the same month."""
    last = _length(day)
    if wanted > last:
        return 0
    weekday = date(day.year, day.month, wanted).weekday()
    if weekday == 5:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 6:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted
