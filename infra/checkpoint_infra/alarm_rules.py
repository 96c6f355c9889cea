"""What raises an alarm, as plain data.

Each alarm names the section of `docs/operating.md` that says what to do.
"""

from typing import Final, Literal

from msgspec import Struct

from checkpoint_infra.config import Configuration
from checkpoint_infra.metrics import Metric, Metrics
from checkpoint_infra.naming import Names

__all__ = ["MANUAL", "AlarmRule", "Share", "alarm_rules"]

MANUAL: Final = "docs/operating.md"

_FIVE_MINUTES: Final = 300
_HOUR: Final = 3_600
_DAY: Final = 86_400


class Share(Struct, frozen=True, kw_only=True):
    """The percentage that one metric is of another; 0 where there is nothing to be a part of."""

    part: Metric
    whole: Metric

    @property
    def expression(self) -> str:
        """The arithmetic, over `part` and `whole`."""
        return "IF(whole > 0, 100 * part / whole, 0)"


class AlarmRule(Struct, frozen=True, kw_only=True):
    """One alarm: it rises when `watched` is `above` or `below` a threshold for so many periods.

    `section` is the heading in the manual. `missing` is what no value means. `tells_recovery`: also
    the return to normal is told; not where that only means that time has passed.
    """

    name: str
    section: str
    watched: Metric | Share
    above: float | None = None
    below: float | None = None
    period_s: int = _FIVE_MINUTES
    periods: int = 1
    missing: Literal["notBreaching", "breaching", "ignore"] = "notBreaching"
    tells_recovery: bool = False

    @property
    def description(self) -> str:
        """Where it is explained."""
        return f'What to do: {MANUAL}, section "{self.section}".'


def alarm_rules(config: Configuration) -> list[AlarmRule]:
    """Return the stack's alarms."""
    metrics = Metrics(config)
    rules = [*_run_rules(config, metrics), *_data_rules(config, metrics), *_queue_rules(config)]
    if config.schedule.enabled:
        rules.append(_missing_run_rule(config, metrics))
    return rules


def _run_rules(config: Configuration, metrics: Metrics) -> list[AlarmRule]:
    return [
        AlarmRule(
            name="errors",
            section="Alarm: errors",
            watched=metrics.of_lambda("Errors", "Sum"),
            above=0,
        ),
        AlarmRule(
            name="duration",
            section="Alarm: duration",
            watched=metrics.of_lambda("Duration", "Maximum"),
            above=config.alarms.duration_minutes * 60_000,
        ),
    ]


def _missing_run_rule(config: Configuration, metrics: Metrics) -> AlarmRule:
    """Expect a success of every schedule that is on.

    A run that never started leaves no value behind, and neither does one that was killed.
    """
    return AlarmRule(
        name="no-successful-run",
        section="Alarm: no successful run",
        watched=metrics.of_runs("RunSucceeded", "Maximum"),
        below=1,
        period_s=_HOUR,
        periods=config.alarms.expected_run_hours,
        missing="breaching",
        tells_recovery=True,
    )


def _data_rules(config: Configuration, metrics: Metrics) -> list[AlarmRule]:
    return [
        AlarmRule(
            name="failed-events",
            section="Alarm: failed events",
            watched=Share(
                part=metrics.of_runs("EventsFailed", "Sum"),
                whole=metrics.of_runs("EventsProcessed", "Sum"),
            ),
            above=config.alarms.failed_percent,
        ),
        AlarmRule(
            name="denied-objects",
            section="Alarm: denied objects",
            watched=metrics.of_runs("ObjectsDenied", "Maximum"),
            above=0,
        ),
        # Between runs there is no value, and the last one stands.
        AlarmRule(
            name="no-new-events",
            section="Alarm: no new events",
            watched=metrics.of_runs("LastEventAge", "Maximum"),
            above=config.alarms.stale_days * _DAY,
            period_s=_HOUR,
            missing="ignore",
            tells_recovery=True,
        ),
    ]


def _queue_rules(config: Configuration) -> list[AlarmRule]:
    names, metrics = Names(config), Metrics(config)
    queues = {"failed-runs": names.failed_runs, "undelivered": names.undelivered}
    return [
        AlarmRule(
            name=name,
            section=f"Alarm: {name.replace('-', ' ')}",
            watched=metrics.of_queue(queue),
            above=0,
            # SQS stops reporting a queue that nobody touches, and its messages are still there.
            missing="ignore",
            tells_recovery=True,
        )
        for name, queue in queues.items()
    ]
