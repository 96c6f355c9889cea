"""When each alarm goes off: what it watches, its threshold and for how long, as plain data.

Thresholds that a stack may set have their defaults in `settings/sections/operation.py`. Each
alarm names the section of `docs/operating.md` that says what to do.
"""

import math
from typing import Final, Literal

from msgspec import Struct, structs

from checkpoint_infra.monitoring.metrics import RUN_EXPECTED, Metric, Metrics
from checkpoint_infra.naming import Names
from checkpoint_infra.settings.stack import Configuration

__all__ = ["MANUAL", "AlarmRule", "Both", "Share", "alarm_rules"]

MANUAL: Final = "docs/operating.md"

_FIVE_MINUTES: Final = 300
_HOUR: Final = 3_600
_DAY: Final = 86_400
# Periods of five minutes: what a run emits when it ends may be some minutes late, and the metrics
# of a queue that was idle a quarter of an hour.
_DELAYED: Final = 3
_WOKEN: Final = 5


class Share(Struct, frozen=True, kw_only=True):
    """The percentage that one metric is of another; 0 where there is nothing to be a part of."""

    part: Metric
    whole: Metric

    @property
    def expression(self) -> str:
        """The arithmetic, over `part` and `whole`."""
        return "IF(whole > 0, 100 * part / whole, 0)"


class Both(Struct, frozen=True, kw_only=True):
    """Two alarms of the stack that are both on."""

    first: str
    second: str


class AlarmRule(Struct, frozen=True, kw_only=True):
    """One alarm: it rises when `watched` is `above` or `below` a threshold.

    In `datapoints` of the last `periods`. `explained_as` is the alarm whose section of the manual
    says what to do, where that is not its own. `missing` is what no value means. `tells_recovery`:
    also the return to normal is told; not where that only means that time has passed. Only alarms
    that are `told` tell anybody.
    """

    name: str
    watched: Metric | Share | Both
    above: float | None = None
    below: float | None = None
    period_s: int = _FIVE_MINUTES
    periods: int = 1
    datapoints: int = 1
    missing: Literal["notBreaching", "breaching", "ignore"] = "notBreaching"
    tells_recovery: bool = False
    told: bool = True
    explained_as: str | None = None

    @property
    def section(self) -> str:
        """The heading in the manual."""
        return f"Alarm: {(self.explained_as or self.name).replace('-', ' ')}"


def alarm_rules(config: Configuration) -> list[AlarmRule]:
    """Return the stack's alarms; those that another one is made of come before it."""
    metrics = Metrics(config)
    rules = [*_run_rules(config, metrics), *_data_rules(config, metrics), *_queue_rules(config)]
    if config.exports is not None:
        rules.append(_export_rule(metrics))
    if config.schedule.enabled:
        rules.extend(_missing_run_rules(config, metrics))
    return rules


def _run_rules(config: Configuration, metrics: Metrics) -> list[AlarmRule]:
    # Lambda's metrics come when an invocation ends and are stamped with its start, so the window
    # reaches back over the longest invocation, the rest of its first period, and a period of delay.
    reach = math.ceil(config.function.timeout_s / _FIVE_MINUTES) + 2
    longest_ms = config.alarms.duration_minutes * 60_000
    return [
        AlarmRule(
            name="errors",
            watched=metrics.of_lambda("Errors", "Sum"),
            above=0,
            periods=reach,
        ),
        AlarmRule(
            name="duration",
            watched=metrics.of_lambda("Duration", "Maximum"),
            above=longest_ms,
            periods=reach,
        ),
        # What the run itself says when it ends; an invocation that is killed says nothing.
        AlarmRule(
            name="execution-time",
            explained_as="duration",
            watched=metrics.of_runs("ExecutionTime", "Maximum"),
            above=longest_ms,
            periods=_DELAYED,
        ),
    ]


def _missing_run_rules(config: Configuration, metrics: Metrics) -> list[AlarmRule]:
    """Expect a success of every schedule that is on.

    A run that never started leaves no value behind, and neither does one that was killed.
    """
    silence = AlarmRule(
        name="no-successful-run",
        watched=metrics.of_runs("RunSucceeded", "Maximum"),
        below=1,
        period_s=_HOUR,
        periods=config.alarms.expected_run_hours,
        datapoints=config.alarms.expected_run_hours,
        missing="breaching",
        tells_recovery=True,
    )
    if config.alarms.deadline is None:
        return [silence]
    recent = structs.replace(
        silence,
        name="no-recent-success",
        explained_as=silence.name,
        told=False,
        tells_recovery=False,
    )
    expected = AlarmRule(
        name="run-expected",
        explained_as=silence.name,
        watched=metrics.of_runs(RUN_EXPECTED, "Maximum"),
        above=0,
        periods=_HOUR // _FIVE_MINUTES,
        told=False,
    )
    both = AlarmRule(name=silence.name, watched=Both(first=expected.name, second=recent.name))
    return [expected, recent, both]


def _data_rules(config: Configuration, metrics: Metrics) -> list[AlarmRule]:
    return [
        AlarmRule(
            name="failed-events",
            watched=Share(
                part=metrics.of_runs("EventsFailed", "Sum"),
                whole=metrics.of_runs("EventsProcessed", "Sum"),
            ),
            above=config.alarms.failed_percent,
            periods=_DELAYED,
        ),
        AlarmRule(
            name="denied-objects",
            watched=metrics.of_runs("ObjectsDenied", "Maximum"),
            above=0,
            periods=_DELAYED,
        ),
        # Between runs there is no value, and the last one stands.
        AlarmRule(
            name="no-new-events",
            watched=metrics.of_runs("LastEventAge", "Maximum"),
            above=config.alarms.stale_days * _DAY,
            period_s=_HOUR,
            missing="ignore",
            tells_recovery=True,
        ),
    ]


def _export_rule(metrics: Metrics) -> AlarmRule:
    return AlarmRule(
        name="failed-exports",
        watched=metrics.of_runs("ExportsFailed", "Maximum"),
        above=0,
        periods=_DELAYED,
    )


def _queue_rules(config: Configuration) -> list[AlarmRule]:
    """Say that a queue is not empty, as long as it is not, and each time that something is added.

    An alarm tells only when it rises: the first one is silent about what is added to a queue that
    nobody has emptied yet. The second rises again.
    """
    names, metrics = Names(config), Metrics(config)
    queues = {"failed-runs": names.failed_runs, "undelivered": names.undelivered}
    rules = []
    for name, queue in queues.items():
        waiting = AlarmRule(
            name=name,
            watched=metrics.of_queue(queue, "ApproximateNumberOfMessagesVisible", "Maximum"),
            above=0,
            periods=_WOKEN,
            # SQS stops reporting a queue that nobody touches, and its messages are still there.
            missing="ignore",
            tells_recovery=True,
        )
        added = AlarmRule(
            name=f"more-{name}",
            explained_as=name,
            watched=metrics.of_queue(queue, "NumberOfMessagesSent", "Sum"),
            above=0,
            periods=_WOKEN,
        )
        rules += [waiting, added]
    return rules
