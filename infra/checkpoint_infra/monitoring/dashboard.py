"""The dashboard: the alarms, what runs did, how they went, and the last failures."""

import json
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from checkpoint_infra.monitoring.log_queries import OPERATORS
from checkpoint_infra.monitoring.metrics import Metric, Metrics
from checkpoint_infra.naming import Names
from checkpoint_infra.settings.stack import Configuration

__all__ = ["Dashboard", "dashboard_body"]

_WIDTH: Final = 8
_HEIGHT: Final = 6

Widget = dict[str, Any]


class Dashboard(pulumi.ComponentResource):
    """One page with everything about a stack's runs."""

    def __init__(
        self,
        config: Configuration,
        *,
        alarms: list[pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:Dashboard", "dashboard", None, opts)
        aws.cloudwatch.Dashboard(
            "dashboard",
            dashboard_name=Names(config).function,
            dashboard_body=pulumi.Output.all(*alarms).apply(
                lambda arns: json.dumps(dashboard_body(config, arns))
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def dashboard_body(config: Configuration, alarms: list[str]) -> dict[str, Any]:
    """Return the dashboard as CloudWatch reads it, three graphs to a row."""
    status = {
        "type": "alarm",
        "width": 3 * _WIDTH,
        "height": 3,
        "properties": {"title": "Alarms", "alarms": alarms},
    }
    failures = {
        "type": "log",
        "width": 3 * _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": "Failed runs",
            "region": config.region,
            "query": f"SOURCE '{Names(config).log_group}' | {OPERATORS['failed-runs']}",
            "view": "table",
        },
    }
    graphs = [_graph(title, _named(shown), config) for title, shown in _graphs(config).items()]
    found = [[{"expression": Metrics(config).by_study}]]
    graphs.append(_graph("New events by study and datatype", found, config))
    return {"start": "-P14D", "widgets": [status, *graphs, failures]}


def _graphs(config: Configuration) -> dict[str, list[Metric]]:
    metrics, names = Metrics(config), Names(config)

    def sums(*wanted: str) -> list[Metric]:
        return [metrics.of_runs(name, "Sum") for name in wanted]

    def last(*wanted: str) -> list[Metric]:
        return [metrics.of_runs(name, "Maximum") for name in wanted]

    exports = {} if config.exports is None else {"Failed exports": last("ExportsFailed")}
    return {
        "Events": sums("NewEventsProcessed", "EventsFailed", "EventsProcessed"),
        "Runs": [*last("RunSucceeded", "IncrementalRun"), metrics.of_lambda("Errors", "Sum")],
        "Duration (ms)": [*last("ExecutionTime"), metrics.of_lambda("Duration", "Maximum")],
        "Events in the checkpoint": last("TotalEvents"),
        "Size of the checkpoint (bytes)": last("CheckpointFileSize"),
        "Age of the latest event (s)": last("LastEventAge"),
        "Not in the checkpoint": last("RejectsTotal"),
        "Left aside by a run": last(
            "ObjectsDenied", "ObjectsDeferred", "ObjectsWithheld", "ObjectsUnrecognized"
        ),
        "Dated in the future": sums("FutureDatedEvents"),
        "Rows to get a newer format's columns": [
            *sums("RowsUpgraded"),
            *last("RowsAwaitingUpgrade"),
        ],
        **exports,
        "Waiting in queues": [
            metrics.of_queue(queue, "ApproximateNumberOfMessagesVisible", "Maximum")
            for queue in (names.failed_runs, names.undelivered)
        ],
    }


def _named(shown: list[Metric]) -> list[list[Any]]:
    return [
        [
            metric.namespace,
            metric.name,
            *(part for pair in metric.dimensions.items() for part in pair),
            {"stat": metric.stat},
        ]
        for metric in shown
    ]


def _graph(title: str, metrics: list[list[Any]], config: Configuration) -> Widget:
    return {
        "type": "metric",
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": title,
            "region": config.region,
            "view": "timeSeries",
            "period": 3_600,
            "metrics": metrics,
        },
    }
