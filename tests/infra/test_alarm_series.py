"""When each alarm goes off: data points as CloudWatch would have them, late, sparse, or none."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest

from tests.infra.deploying import Deployment
from tests.infra.simulating import DAY, HOUR, MINUTE, Datum, State, rises, states

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
TIMEOUT = 900
START = 3 * HOUR
# How many points more than asked for CloudWatch may look at; nothing must depend on it.
MORE = (0, 2, 5)


def simulated(
    deployment: Deployment, name: str, data: Iterable[Datum], end_s: float, more: int
) -> list[tuple[float, State]]:
    """Return the states of one of the stack's alarms."""
    return states(deployment.one(ALARM, name), data, end_s=end_s, more=more)


def raised(
    deployment: Deployment, name: str, data: Iterable[Datum], end_s: float, more: int
) -> list[float]:
    """Return when one of the stack's alarms goes off."""
    return rises(simulated(deployment, name, data, end_s, more))


def of_lambda(metric: str, start: float, lasts: float, value: float, late: float) -> Datum:
    """Return what Lambda says: when an invocation ends, stamped with its start."""
    return Datum(metric, start - start % MINUTE, value, start + lasts + late)


def of_run(metric: str, end: float, value: float, late: float = MINUTE) -> Datum:
    """Return what a run says of itself: when it ends."""
    return Datum(metric, end - end % MINUTE, value, end + late)


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("late", [0, 60, 300])
@pytest.mark.parametrize("offset", [0, 61, 299])
@pytest.mark.parametrize("lasts", [1, 300, TIMEOUT])
def test_every_error_raises_an_alarm_of_its_own(
    stacks: dict[str, Deployment], lasts: float, offset: float, late: float, more: int
) -> None:
    """Also one of a run that was ended by the timeout, a quarter of an hour after its stamp."""
    begin = START + offset
    later = begin + 6 * HOUR
    errors = [of_lambda("Errors", each, lasts, 1, late) for each in (begin, later)]
    fine = [of_lambda("Errors", begin + 3 * HOUR, lasts, 0, late)]
    found = raised(stacks["prod"], "errors", errors + fine, later + 2 * HOUR, more)

    assert len(found) == 2
    assert [
        end <= at <= end + late + 2 * MINUTE
        for at, end in zip(found, (begin + lasts, later + lasts), strict=True)
    ] == [True, True]


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("late", [0, 240])
@pytest.mark.parametrize("lasts,is_raised", [(540, False), (601, True), (TIMEOUT, True)])
def test_a_long_run_raises_an_alarm_by_lambdas_clock_and_by_its_own(
    stacks: dict[str, Deployment], lasts: float, late: float, more: int, *, is_raised: bool
) -> None:
    """Stamped with its start by Lambda, with its end by itself."""
    end = START + lasts
    own = [of_run("ExecutionTime", end, lasts * 1000, late)]
    lambdas = [of_lambda("Duration", START, lasts, lasts * 1000, late)]

    assert len(raised(stacks["prod"], "duration", lambdas, end + 2 * HOUR, more)) == is_raised
    assert len(raised(stacks["prod"], "execution-time", own, end + 2 * HOUR, more)) == is_raised


@pytest.mark.parametrize("more", MORE)
def test_nothing_that_runs_raises_nothing_but_the_alarm_on_silence(
    stacks: dict[str, Deployment], more: int
) -> None:
    """No data points at all; there are none for days of a quiet schedule."""
    names = [each.name for each in stacks["prod"].all(ALARM)]
    off = [name for name in names if raised(stacks["prod"], name, [], 2 * DAY, more)]

    assert off == ["no-successful-run"]


@pytest.mark.parametrize("more", MORE)
def test_a_daily_run_that_succeeds_is_never_missed(
    stacks: dict[str, Deployment], more: int
) -> None:
    """At once or at the timeout, and on the day when clocks go back, which has 25 hours."""
    starts = [day * DAY + 6 * HOUR + (HOUR if day >= 5 else 0) for day in range(12)]
    ends = [start + (5 if day % 2 else TIMEOUT) for day, start in enumerate(starts)]
    data = [of_run("RunSucceeded", end, 1) for end in ends]
    found = raised(stacks["prod"], "no-successful-run", data, 11 * DAY, more)

    # Before the first run there is no success.
    assert [at for at in found if at > ends[0] + 2 * HOUR] == []


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("value", [None, 0])
def test_a_missed_or_failed_daily_run_is_told_the_same_day(
    stacks: dict[str, Deployment], value: float | None, more: int
) -> None:
    """26 hours after the last success, later by what CloudWatch looks back more; until the next."""
    days = [day for day in range(7) if day != 4]
    data = [of_run("RunSucceeded", day * DAY + 6 * HOUR + 30, 1) for day in days]
    if value is not None:
        data.append(of_run("RunSucceeded", 4 * DAY + 6 * HOUR + 30, value))
    found = simulated(stacks["prod"], "no-successful-run", data, 7 * DAY, more)
    after = [each for each in found if each[0] > DAY]

    assert [state for _, state in after] == ["ALARM", "OK"]
    assert 4 * DAY + 8 * HOUR <= after[0][0] <= 4 * DAY + (10 + more) * HOUR
    assert 5 * DAY + 6 * HOUR <= after[1][0] <= 5 * DAY + 8 * HOUR


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("missed", [None, 1])
def test_a_weekly_run_is_told_at_its_deadline(
    everything: Deployment, missed: int | None, more: int
) -> None:
    """At 08:00 for a run at 06:00, on the day itself, and each week anew; otherwise never."""
    week = 7 * DAY
    weeks = range(3)
    data = [
        Datum("RunExpected", each * week + 8 * HOUR, 1, each * week + 8 * HOUR) for each in weeks
    ]
    data += [
        of_run("RunSucceeded", each * week + 6 * HOUR + 40, 1) for each in weeks if each != missed
    ]
    parts = {
        name: simulated(everything, name, data, 2 * week + DAY, more)
        for name in ("run-expected", "no-recent-success")
    }
    rule = everything.one(COMPOSITE)["alarmRule"]
    told = rises(both(*parts.values()))

    assert rule == (
        'ALARM("visit-event-checkpoint-full-run-expected") AND '
        'ALARM("visit-event-checkpoint-full-no-recent-success")'
    )
    expected = [] if missed is None else [missed * week + 8 * HOUR]
    assert [at - at % (10 * MINUTE) for at in told] == expected


def both(*parts: list[tuple[float, State]]) -> list[tuple[float, State]]:
    """Return the states of an alarm that is on when all of these are."""
    found: list[tuple[float, State]] = [(0, "OK")]
    for at in sorted({at for part in parts for at, _ in part}):
        now = [[state for since, state in part if since <= at][-1] for part in parts]
        state: State = "ALARM" if set(now) == {"ALARM"} else "OK"
        if state != found[-1][1]:
            found.append((at, state))
    return found


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("late", [0, 300])
@pytest.mark.parametrize(
    "failed,processed,is_raised", [(0, 0, False), (10, 100, False), (11, 100, True), (5, 5, True)]
)
def test_a_run_with_many_failures_is_told_once(
    stacks: dict[str, Deployment],
    failed: int,
    processed: int,
    late: float,
    more: int,
    *,
    is_raised: bool,
) -> None:
    """However late its two metrics are, together or one after the other."""
    data = [
        of_run("EventsFailed", START, failed, late),
        of_run("EventsProcessed", START, processed, late / 2),
    ]

    assert len(raised(stacks["prod"], "failed-events", data, START + DAY, more)) == is_raised


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize(
    "alarm, metric", [("denied-objects", "ObjectsDenied"), ("failed-exports", "ExportsFailed")]
)
def test_denied_objects_and_failed_exports_are_told_by_every_run_that_meets_them(
    everything: Deployment, alarm: str, metric: str, more: int
) -> None:
    """A run an hour; nothing between them."""
    data = [of_run(metric, START + each * HOUR, each % 2, 240) for each in range(6)]

    assert len(raised(everything, alarm, data, START + DAY, more)) == 3


@pytest.mark.parametrize("more", MORE)
def test_a_log_that_has_dried_up_stays_told_until_there_is_a_new_event(
    stacks: dict[str, Deployment], more: int
) -> None:
    """One value a day; between them the last one stands."""
    ages = [6, 6.9, 7.1, 8, 9, 0.1, 1]
    data = [of_run("LastEventAge", day * DAY + 6 * HOUR, age * DAY) for day, age in enumerate(ages)]
    found = simulated(stacks["prod"], "no-new-events", data, 7 * DAY, more)

    assert [(at // DAY, state) for at, state in found[1:]] == [(0, "OK"), (2, "ALARM"), (5, "OK")]


def of_queue(visible: dict[float, float], late: float) -> list[Datum]:
    """Return a queue's values, each for the minutes until the next, six hours at most."""
    metric = "ApproximateNumberOfMessagesVisible"
    changes = [*visible.items(), (max(visible) + DAY, 0.0)]
    return [
        Datum(metric, at, value, at + late)
        for (start, value), (end, _) in pairwise(changes)
        for at in range(int(start), int(min(end, start + 6 * HOUR)), MINUTE)
    ]


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("late", [60, 14 * MINUTE])
@pytest.mark.parametrize("name", ["failed-runs", "undelivered"])
def test_a_queue_is_told_while_it_is_not_empty_and_again_for_each_message(
    stacks: dict[str, Deployment], name: str, late: float, more: int
) -> None:
    """SQS falls silent after six hours, and says nothing more of what still waits."""
    first, second, purged = START, START + 20 * HOUR, START + 30 * HOUR
    waiting = of_queue({first: 1, second: 2, purged: 0}, late)
    sent = [Datum("NumberOfMessagesSent", at, 1, at + late) for at in (first, second)]
    sent += [Datum("NumberOfMessagesSent", first + 5 * HOUR, 0, first + 5 * HOUR + late)]
    found = simulated(stacks["prod"], name, waiting, purged + 3 * HOUR, more)
    again = raised(stacks["prod"], f"more-{name}", sent, purged + 3 * HOUR, more)

    assert [state for _, state in found if state != "INSUFFICIENT_DATA"] == ["ALARM", "OK"]
    assert purged <= found[-1][0] <= purged + late + HOUR
    assert [int(at // HOUR) for at in again] == [3, 23]


def test_every_alarm_has_its_series_here(
    stacks: dict[str, Deployment], everything: Deployment
) -> None:
    """A new one must be added above."""
    simulated_above = {
        "errors",
        "duration",
        "execution-time",
        "no-successful-run",
        "no-recent-success",
        "run-expected",
        "failed-events",
        "denied-objects",
        "failed-exports",
        "no-new-events",
        "failed-runs",
        "more-failed-runs",
        "undelivered",
        "more-undelivered",
    }
    kinds = (ALARM, COMPOSITE)
    deployments = (stacks["prod"], everything)
    registered = {
        each.name for deployment in deployments for kind in kinds for each in deployment.all(kind)
    }

    assert registered == simulated_above


def limits(alarm: dict[str, Any]) -> int:
    """Return how long CloudWatch lets an alarm of this period look back."""
    periods = [
        each["metric"]["period"] for each in alarm.get("metricQueries", []) if "metric" in each
    ]
    period = periods[0] if periods else alarm["period"]
    longest = 7 * DAY if period >= HOUR else DAY
    return int(longest - period * alarm["evaluationPeriods"])


def test_no_alarm_looks_back_further_than_cloudwatch_does(
    stacks: dict[str, Deployment], everything: Deployment
) -> None:
    """A day; a week where the period is an hour or more."""
    for deployment in (stacks["prod"], everything):
        assert all(limits(each.inputs) >= 0 for each in deployment.all(ALARM))
