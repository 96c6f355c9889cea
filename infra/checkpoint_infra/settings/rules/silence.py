"""Whether the alarm on a missing success fits to the schedule.

CloudWatch looks back seven days at most. A schedule that pauses longer, or as long as that, cannot
be watched by how long ago the last success was; it is watched at the moment when a run must have
succeeded: `alarms.deadline`.
"""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from checkpoint_infra.settings.rules.expressions import Cron, Rate, parse
from checkpoint_infra.settings.rules.zones import is_unknown_zone
from checkpoint_infra.settings.stack import Configuration

__all__ = ["silence_problems"]

_HOUR: Final = 3_600
# How late a metric may be in CloudWatch, and a schedule with its invocation.
_LATE_S: Final = 15 * 60
_EVALUATED_AT_ONCE_HOURS: Final = 24
# Days that show every pause of a schedule by weekdays or months, a leap day among them.
_FIRST: Final = date(2027, 1, 1)
_DAYS: Final = 3 * 366


def silence_problems(config: Configuration) -> Iterator[str]:
    """Say why the alarm on silence would be raised by a schedule that is kept, or by none."""
    schedule, alarms = config.schedule, config.alarms
    zone = schedule.time_zone
    try:
        expression = parse(schedule.expression)
        deadline = parse(alarms.deadline) if alarms.deadline else None
    except ValueError:
        return
    if not schedule.enabled or is_unknown_zone(zone):
        return
    takes_s = config.function.timeout_s + _LATE_S
    expected_s = alarms.expected_run_hours * _HOUR
    if deadline is None:
        needed_s = _longest_pause_s(expression, zone) + takes_s
        if needed_s > expected_s:
            yield _too_long(needed_s)
    elif alarms.expected_run_hours > _EVALUATED_AT_ONCE_HOURS:
        yield (
            "alarms.expectedRunHours: with alarms.deadline it is how long before that a run may "
            f"have begun, at most {_EVALUATED_AT_ONCE_HOURS}: CloudWatch looks at a longer time "
            "only once an hour"
        )
    elif isinstance(deadline, Rate) or isinstance(expression, Rate):
        yield "alarms.deadline: must be cron(...), and so must schedule.expression"
    elif (late := _unmet(expression, deadline, zone, takes_s, expected_s)) is not None:
        yield (
            f"alarms.deadline: at {late:%A %H:%M} no run of schedule.expression "
            f"{schedule.expression} has begun within alarms.expectedRunHours "
            f"({alarms.expected_run_hours}) and at least {takes_s // 60} minutes before, which a "
            "run may take"
        )


def _too_long(needed_s: float) -> str:
    hours = -int(-needed_s // _HOUR)
    if hours <= 168:
        remedy = f"raise alarms.expectedRunHours to at least {hours}, or"
    else:
        remedy = "CloudWatch looks back 168 hours at most:"
    return (
        "schedule.expression: a success may come only "
        f"{hours} hours after the one before, and alarms.expectedRunHours expects it earlier; "
        f"{remedy} give alarms.deadline, by when a run must have succeeded, or run more often: "
        "a run that finds nothing new costs next to nothing"
    )


def _instants(cron: Cron, zone: str) -> list[float]:
    return sorted(due.replace(tzinfo=ZoneInfo(zone)).timestamp() for due in cron.due(_FIRST, _DAYS))


def _longest_pause_s(expression: Rate | Cron, zone: str) -> float:
    if isinstance(expression, Rate):
        return expression.seconds
    due = _instants(expression, zone)
    if len(due) < 2:
        return _DAYS * 24 * _HOUR
    return max(later - earlier for earlier, later in pairwise(due))


def _unmet(
    expression: Cron, deadline: Cron, zone: str, takes_s: float, expected_s: float
) -> datetime | None:
    """Return a deadline before which no run is early enough and none too early, if there is one."""
    runs = _instants(expression, zone)
    for end in _instants(deadline, zone):
        # The first days have no run before them in what is looked at.
        if end < runs[0] + expected_s:
            continue
        if not any(end - expected_s <= run <= end - takes_s for run in runs):
            return datetime.fromtimestamp(end, ZoneInfo(zone))
    return None
