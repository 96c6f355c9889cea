"""Schedules: what the scheduler would refuse, what an expression means, and who watches it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_infra.settings.rules.expressions import Cron, expression_problems, parse
from tests.infra.refusing import only, problems, read


@pytest.mark.parametrize(
    "expression,said",
    [
        ("cron(0 6 * * ?)", "six fields, not 5"),
        ("cron(0 6 * * * *)", "must be ?"),
        ("cron(0 6 ? * ? *)", "must be ?"),
        ("cron(60 6 * * ? *)", "minutes: 60 is not from 0 to 59"),
        ("cron(0 24 * * ? *)", "hours: 24 is not from 0 to 23"),
        ("cron(0 6 32 * ? *)", "day of month: 32 is not"),
        ("cron(0 6 * 13 ? *)", "month: 13 is not from 1 to 12 or JAN to DEC"),
        ("cron(0 6 ? * 0 *)", "day of week: 0 is not from 1 to 7 or SUN to SAT"),
        ("cron(0 6 ? * MON#6 *)", "1 to 5"),
        ("cron(0 6 * * ? 1969)", "year: 1969"),
        ("cron(0 6-4 * * ? *)", "hours: 6-4 ends before it begins"),
        ("cron(0/0 6 * * ? *)", "a positive number behind the slash"),
        ("cron(0 6 31 FEB ? *)", "is never due"),
        ("cron(0 6 * * ? 2020)", "is never due"),
        ("rate(0 hours)", "at least 1"),
        ("rate(1 hours)", "must be rate(1 hour)"),
        ("rate(6 hour)", "must be rate(6 hours)"),
        ("rate(6h)", "a number and minutes, hours or days"),
        ("rate(30 seconds)", "a number and minutes, hours or days"),
    ],
)
def test_an_expression_that_the_scheduler_would_refuse_is_refused(
    expression: str, said: str
) -> None:
    """With the field that is wrong, and by the setting's name in a stack."""
    assert said in only(expression_problems(expression))
    assert problems({"schedule.expression": expression})[0].startswith("schedule.expression: ")


@pytest.mark.parametrize(
    "days,expected",
    [
        ("? * MON", [4, 11, 18, 25]),
        ("? * 2", [4, 11, 18, 25]),
        ("? * FRI-SAT", [1, 2, 8, 9, 15, 16, 22, 23, 29, 30]),
        ("? * 6L", [29]),
        ("? * L", [2, 9, 16, 23, 30]),
        ("? * TUE#2", [12]),
        ("L * ?", [31]),
        ("LW * ?", [29]),
        ("2W * ?", [1]),
        ("3W * ?", [4]),
        # In the same month: not the Monday of the next, nor the Friday of the one before.
        ("1W * ?", [1]),
        ("30W * ?", [29]),
        ("31W * ?", [29]),
        ("1,15 JAN,FEB ?", [1, 15]),
        ("1/10 1/3 ?", [1, 11, 21, 31]),
        ("* 2 ?", []),
    ],
)
def test_an_expression_is_due_on_the_days_that_it_means(days: str, expected: list[int]) -> None:
    """In January 2027, which begins on a Friday and ends on a Sunday."""
    cron = parse(f"cron(30 6 {days} *)")
    assert isinstance(cron, Cron)
    due = list(cron.due(date(2027, 1, 1), 31))

    assert expected == [each.day for each in due]
    assert all((each.hour, each.minute) == (6, 30) for each in due)


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    day=st.integers(1, 7),
    step=st.integers(1, 30),
)
def test_what_is_in_range_is_taken(minute: int, hour: int, day: int, step: int) -> None:
    """Numbers, steps and names in either case."""
    for weekday in (str(day), f"{day}L", f"{day}#1", "mon-fri"):
        assert [] == list(expression_problems(f"cron({minute}/{step} {hour} ? * {weekday} *)"))


@pytest.mark.parametrize(
    "schedule,hours",
    [
        ({"expression": "cron(0 6 ? * MON-FRI *)"}, 74),
        ({"expression": "cron(0 6,18 * * ? *)", "timeZone": "UTC"}, None),
        ({"expression": "rate(24 hours)"}, None),
        ({"expression": "rate(2 days)"}, 49),
        ({"expression": "cron(0 6 * * ? *)"}, None),
    ],
)
def test_a_schedule_that_pauses_longer_than_the_alarm_waits_is_refused(
    schedule: dict[str, str], hours: int | None
) -> None:
    """With both settings named and the number that would do; clocks that go back are reckoned."""
    if hours is None:
        assert read({"schedule": schedule}).alarms.expected_run_hours == 26
        return
    [problem] = problems({"schedule": schedule})

    assert problem.startswith("schedule.expression: ")
    assert f"raise alarms.expectedRunHours to at least {hours}" in problem
    longer = read({"schedule": schedule, "alarms": {"expectedRunHours": hours}})
    assert longer.alarms.expected_run_hours == hours
    assert problems({"schedule": schedule, "alarms": {"expectedRunHours": hours - 1}})


def test_a_weekly_schedule_is_watched_by_a_deadline() -> None:
    """CloudWatch looks back a week at most, which is just too little."""
    weekly = {"expression": "cron(0 6 ? * MON *)"}
    [problem] = problems({"schedule": weekly, "alarms": {"expectedRunHours": 168}})
    watched = {"expectedRunHours": 4, "deadline": "cron(0 8 ? * MON *)"}

    assert "168 hours at most: give alarms.deadline" in problem
    assert read({"schedule": weekly, "alarms": watched}).alarms.deadline


@pytest.mark.parametrize(
    "deadline,hours,said",
    [
        ("cron(0 8 ? * TUE *)", 4, "no run of schedule.expression cron(0 6 ? * MON *)"),
        ("cron(20 6 ? * MON *)", 4, "at least 30 minutes before"),
        ("cron(0 8 ? * MON *)", 1, "within alarms.expectedRunHours (1)"),
        ("cron(0 8 ? * MON *)", 26, "alarms.expectedRunHours: with alarms.deadline"),
        ("cron(0 8 * * MON *)", 4, "alarms.deadline: one of day"),
        ("rate(7 days)", 4, "must be cron(...)"),
    ],
)
def test_a_deadline_that_no_run_could_meet_is_refused(deadline: str, hours: int, said: str) -> None:
    """Too early, too late, or of another day than the run."""
    alarms = {"expectedRunHours": hours, "deadline": deadline}
    schedule = {"expression": "cron(0 6 ? * MON *)"}

    [problem] = problems({"schedule": schedule, "alarms": alarms})
    assert said in problem
