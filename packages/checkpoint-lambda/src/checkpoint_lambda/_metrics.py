"""Lines of metrics in CloudWatch's embedded metric format: one per run, and one per study.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from checkpoint_core import RunReport

NAMESPACE: Final = "NACC/EventCheckpoint"
DIMENSIONS: Final = ("service", "environment")
BY_STUDY: Final = (*DIMENSIONS, "study", "datatype")


class Metric(Struct, frozen=True, kw_only=True):
    """One metric.

    `is_state`: it tells the state that the run left behind, and is left out where the run failed
    before it knew; the others tell what the run did, and are 0 then.
    """

    name: str
    unit: Literal["Count", "Milliseconds", "Bytes", "Seconds", "None"]
    meaning: str
    is_state: bool = False


METRICS: Final = (
    Metric(name="NewEventsProcessed", unit="Count", meaning="Events that this run took."),
    Metric(
        name="TotalEvents",
        unit="Count",
        meaning="Events in the checkpoint after the run.",
        is_state=True,
    ),
    Metric(
        name="EventsFailed",
        unit="Count",
        meaning="Objects that this run found invalid, unreadable, denied or missing.",
    ),
    Metric(
        name="EventsProcessed",
        unit="Count",
        meaning="Objects that this run tried to take: the new events and the failed ones.",
    ),
    Metric(name="ExecutionTime", unit="Milliseconds", meaning="How long the run took."),
    Metric(
        name="CheckpointFileSize",
        unit="Bytes",
        meaning="Size of the checkpoint after the run, 0 without one.",
        is_state=True,
    ),
    Metric(
        name="IncrementalRun",
        unit="None",
        meaning="1 when the run continued a checkpoint, 0 when there was none.",
    ),
    Metric(
        name="RunSucceeded",
        unit="None",
        meaning="1 when the run committed or there was nothing to commit, 0 when it failed.",
    ),
    Metric(
        name="LastEventAge",
        unit="Seconds",
        meaning="How long before the end of the run the latest event in the checkpoint happened; "
        "negative where that is in the future, absent where there is none.",
        is_state=True,
    ),
    Metric(
        name="RejectsTotal",
        unit="Count",
        meaning="Objects that are not in the checkpoint, or whose newest version is not.",
        is_state=True,
    ),
    Metric(name="ObjectsDenied", unit="Count", meaning="Objects to which access was refused."),
    Metric(name="ObjectsDeferred", unit="Count", meaning="Objects left to the next run."),
    Metric(
        name="RowsUpgraded",
        unit="Count",
        meaning="Rows that this run gave what a newer event format has added.",
    ),
    Metric(
        name="RowsAwaitingUpgrade",
        unit="Count",
        meaning="Rows that may lack what a newer event format has added, and wait for a later run.",
        is_state=True,
    ),
    Metric(
        name="ObjectsUnrecognized",
        unit="Count",
        meaning="Listed objects that are not named like event objects.",
    ),
    Metric(
        name="ObjectsWithheld",
        unit="Count",
        meaning="Objects that this run left out because their participant was taken out.",
    ),
    Metric(
        name="FutureDatedEvents",
        unit="Count",
        meaning="New events dated later than the run's start plus the tolerance.",
    ),
    Metric(
        name="ExportsFailed",
        unit="Count",
        meaning="Exports that could not be made; the checkpoint is as it should be.",
    ),
)


def metrics_lines(
    report: RunReport | None,
    *,
    exports_failed: int,
    succeeded: bool,
    duration_ms: int,
    now: datetime,
    dimensions: Mapping[str, str],
    properties: Mapping[str, str],
) -> Iterator[str]:
    """Yield lines of pure JSON, without their line breaks: the run's, then each study's.

    `report` is what the run did, None where it failed before it could say; `dimensions` gives each
    of DIMENSIONS its value; `properties` can be searched for, and make no metrics of their own.
    """
    base = {**properties, **{name: dimensions[name] for name in DIMENSIONS}}
    values = _values(report, succeeded=succeeded, duration_ms=duration_ms)
    values["ExportsFailed"] = exports_failed
    yield _line(now, base, DIMENSIONS, values)
    for each in report.new_events_by_study if report else ():
        study = {"study": _dimension(each.study), "datatype": _dimension(each.datatype)}
        yield _line(now, base | study, BY_STUDY, {"NewEventsProcessed": each.events})


def _line(
    now: datetime,
    texts: Mapping[str, str],
    dimensions: tuple[str, ...],
    values: Mapping[str, int | float],
) -> str:
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [
            {"Name": metric.name, "Unit": metric.unit}
            for metric in METRICS
            if metric.name in values
        ],
    }
    metadata = {"Timestamp": round(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": metadata, **texts, **values})


def _dimension(text: str) -> str:
    """Return what CloudWatch takes as the value of a dimension, which must not be blank."""
    return text if text.strip() else repr(text)


def _values(
    report: RunReport | None, *, succeeded: bool, duration_ms: int
) -> dict[str, int | float]:
    values: dict[str, int | float] = {metric.name: 0 for metric in METRICS if not metric.is_state}
    values |= {"RunSucceeded": int(succeeded), "ExecutionTime": duration_ms}
    if report is None:
        return values
    counts = report.counts
    values |= {
        "NewEventsProcessed": counts.accepted,
        "TotalEvents": report.total_events,
        "EventsFailed": counts.failed,
        "EventsProcessed": counts.accepted + counts.failed,
        "ExecutionTime": report.execution_time_ms,
        "CheckpointFileSize": report.size_bytes,
        "IncrementalRun": int(report.incremental),
        "RejectsTotal": report.rejects,
        "ObjectsDenied": counts.denied,
        "ObjectsDeferred": counts.deferred,
        "RowsUpgraded": counts.upgraded,
        "RowsAwaitingUpgrade": report.awaiting_upgrade,
        "ObjectsUnrecognized": counts.unrecognized,
        "ObjectsWithheld": counts.withheld,
        "FutureDatedEvents": report.future_dated,
    }
    if report.last_timestamp is not None:
        age = report.finished_at - report.last_timestamp
        values["LastEventAge"] = round(age.total_seconds(), 3)
    return values
