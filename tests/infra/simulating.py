"""When an alarm goes off, given the data points as CloudWatch has them.

After the documented rules: an alarm is evaluated every minute over windows that end at that minute;
one that looks back more than a day once an hour, over what came before the full hour. Where data
points are missing, CloudWatch looks at somewhat more than it was asked for (how much more is not
told, hence `more`): if it finds enough of them, it takes the latest, however old; otherwise what is
missing is filled in as the alarm says.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import Struct

__all__ = ["DAY", "HOUR", "MINUTE", "Datum", "State", "decide", "rises", "states"]

MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


class Datum(Struct, frozen=True):
    """One value of one metric; it is not there before it arrives, whatever its stamp says."""

    metric: str
    stamp_s: float
    value: float
    arrives_s: float


def rises(found: Sequence[tuple[float, State]]) -> list[float]:
    """Return when people are told: each change to ALARM."""
    return [at for at, state in found[1:] if state == "ALARM"]


def states(
    alarm: Mapping[str, Any], data: Iterable[Datum], *, end_s: float, more: int
) -> list[tuple[float, State]]:
    """Return the states of an alarm as the program registered it, from 0 to the end, as changes."""
    period, wanted = _period(alarm), int(alarm["evaluationPeriods"])
    step = HOUR if period * wanted > DAY else MINUTE
    known = sorted(data, key=lambda each: each.stamp_s)
    stamps = [each.stamp_s for each in known]
    state: State = "INSUFFICIENT_DATA"
    found: list[tuple[float, State]] = [(0, state)]
    for at in _changing(known, step, period, wanted + more, int(end_s)):
        points = []
        for back in range(wanted + more):
            start = at - (back + 1) * period
            within = known[bisect_left(stamps, start) : bisect_left(stamps, start + period)]
            points.append(_value(alarm, [each for each in within if each.arrives_s <= at]))
        breaching = [None if each is None else _breaches(alarm, each) for each in points]
        now = decide(
            breaching,
            needed=int(alarm["datapointsToAlarm"]),
            periods=wanted,
            missing=alarm["treatMissingData"],
            before=state,
        )
        if now != state:
            found.append((at, now))
        state = now
    return found


def _changing(known: list[Datum], step: int, period: int, windows: int, end_s: int) -> list[int]:
    """Return the evaluations at which a value arrives, or enters or leaves one of the windows.

    At all others CloudWatch sees what it saw at the one before, and the state stays.
    """
    moments = {step}
    for each in known:
        shifts = (each.stamp_s + window * period for window in range(windows + 1))
        for moment in (each.arrives_s, *shifts):
            whole = int(moment // step) * step
            moments |= {whole, whole + step}
    return sorted(at for at in moments if step <= at <= end_s)


def decide(
    breaching: Sequence[bool | None], *, needed: int, periods: int, missing: str, before: State
) -> State:
    """Return the state after points, the newest first, of which None is missing."""
    latest = list(breaching[:periods])
    existing = [each for each in breaching if each is not None]
    if None not in latest:
        used = [each for each in latest if each is not None]
    elif len(existing) >= periods:
        used = existing[:periods]
    else:
        return _filled(existing, periods - len(existing), needed, missing, before)
    return "ALARM" if sum(used) >= needed else "OK"


def _filled(existing: list[bool], absent: int, needed: int, missing: str, before: State) -> State:
    if missing == "ignore":
        if sum(existing) >= needed:
            return "ALARM"
        return "OK" if False in existing else before
    assert missing in {"breaching", "notBreaching"}
    bad = sum(existing) + (absent if missing == "breaching" else 0)
    return "ALARM" if bad >= needed else "OK"


def _period(alarm: Mapping[str, Any]) -> int:
    periods = [
        each["metric"]["period"] for each in alarm.get("metricQueries", []) if "metric" in each
    ]
    return int(periods[0] if periods else alarm["period"])


def _value(alarm: Mapping[str, Any], data: list[Datum]) -> float | None:
    """Return the value of one window: a statistic, or the one form of arithmetic that is used."""
    if "metricQueries" not in alarm:
        return _statistic(alarm["metricName"], alarm["statistic"], data)
    queries = {each["id"]: each for each in alarm["metricQueries"]}
    assert queries["share"]["expression"] == "IF(whole > 0, 100 * part / whole, 0)"
    part, whole = (
        _statistic(metric["metricName"], metric["stat"], data)
        for metric in (queries["part"]["metric"], queries["whole"]["metric"])
    )
    if part is None or whole is None:
        return None
    return 100 * part / whole if whole > 0 else 0


def _statistic(metric: str, statistic: str, data: list[Datum]) -> float | None:
    values = [each.value for each in data if each.metric == metric]
    if not values:
        return None
    assert statistic in {"Maximum", "Sum"}
    return max(values) if statistic == "Maximum" else sum(values)


def _breaches(alarm: Mapping[str, Any], value: float) -> bool:
    if alarm["comparisonOperator"] == "GreaterThanThreshold":
        return bool(value > alarm["threshold"])
    assert alarm["comparisonOperator"] == "LessThanThreshold"
    return bool(value < alarm["threshold"])
