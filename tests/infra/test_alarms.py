"""Alarms and the dashboard: what an operator is told, and that it is about what is emitted."""

import json
import re
from typing import Any

import pytest

from checkpoint_infra.monitoring.thresholds import MANUAL
from checkpoint_lambda._metrics import BY_STUDY, DIMENSIONS, METRICS, NAMESPACE
from tests.infra.deploying import INFRA, STACKS, Deployment

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
# What AWS itself emits, and by which dimension.
AWS_METRICS = {
    ("AWS/Lambda", "Errors"): "FunctionName",
    ("AWS/Lambda", "Duration"): "FunctionName",
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "QueueName",
    ("AWS/SQS", "NumberOfMessagesSent"): "QueueName",
}


def alarms(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Return the alarms by name."""
    return {each.name: each.inputs for each in deployment.all(ALARM)}


def watched(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics that an alarm looks at."""
    queries = [query["metric"] for query in alarm.get("metricQueries", []) if "metric" in query]
    return queries or [alarm]


def graphs(widget: dict[str, Any]) -> list[list[Any]]:
    """Return the metrics that a widget names; what it searches for has no names."""
    return [each for each in widget["properties"].get("metrics", []) if len(each) > 1]


def shown(deployment: Deployment) -> list[dict[str, Any]]:
    """Return the metrics that the dashboard shows, as an alarm would name them."""
    body = json.loads(deployment.one("aws:cloudwatch/dashboard:Dashboard")["dashboardBody"])
    found = []
    for widget in body["widgets"]:
        for namespace, name, *dimensions, _ in graphs(widget):
            pairs = dict(zip(dimensions[::2], dimensions[1::2], strict=True))
            found.append({"namespace": namespace, "metricName": name, "dimensions": pairs})
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_every_metric_that_is_looked_at_is_emitted(
    stacks: dict[str, Deployment], stack: str
) -> None:
    """By the function, in the same namespace and with the same dimensions, or by AWS."""
    emitted = {metric.name for metric in METRICS}
    looked_at = [each for alarm in alarms(stacks[stack]).values() for each in watched(alarm)]
    looked_at += shown(stacks[stack])

    assert len(looked_at) > 20
    for metric in looked_at:
        name = (metric["namespace"], metric["metricName"])
        if metric["namespace"] == NAMESPACE:
            assert metric["metricName"] in emitted
            assert set(metric["dimensions"]) == set(DIMENSIONS)
        else:
            assert list(metric["dimensions"]) == [AWS_METRICS[name]]


def test_every_metric_that_the_function_emits_is_on_the_dashboard(
    stacks: dict[str, Deployment], everything: Deployment
) -> None:
    """None is emitted, and paid for, that nobody sees; of exports where there are some."""
    seen, with_exports = (
        {metric["metricName"] for metric in shown(each) if metric["namespace"] == NAMESPACE}
        for each in (stacks["prod"], everything)
    )

    assert with_exports == {metric.name for metric in METRICS}
    assert with_exports - seen == {"ExportsFailed"}


def test_failed_exports_are_an_alarm_of_what_the_function_emits(everything: Deployment) -> None:
    """Its own metric, by its dimensions, from the first one on."""
    alarm = alarms(everything)["failed-exports"]

    assert (alarm["namespace"], alarm["metricName"]) == (NAMESPACE, "ExportsFailed")
    assert set(alarm["dimensions"]) == set(DIMENSIONS)
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("GreaterThanThreshold", 0)


def test_the_dashboard_searches_for_studies_and_datatypes(stacks: dict[str, Deployment]) -> None:
    """By the dimensions that the function emits, of this stack alone: the names are the data's."""
    body = json.loads(stacks["prod"].one("aws:cloudwatch/dashboard:Dashboard")["dashboardBody"])
    metrics = [
        each for widget in body["widgets"] for each in widget["properties"].get("metrics", [])
    ]
    [[search]] = [each for each in metrics if len(each) == 1]

    assert search == {
        "expression": f"SEARCH('{{{NAMESPACE},{','.join(BY_STUDY)}}} "
        'MetricName="NewEventsProcessed" service="visit-event-checkpoint" environment="prod"\', '
        "'Sum', 3600)"
    }


@pytest.mark.parametrize("stack", STACKS)
def test_alarms_look_at_what_this_stacks_function_says_of_itself(
    stacks: dict[str, Deployment], stack: str
) -> None:
    """The dimensions have the values that the function is given in its environment."""
    deployment = stacks[stack]
    variables = deployment.one("aws:lambda/function:Function")["environment"]["variables"]
    queues = {each.inputs["name"] for each in deployment.all("aws:sqs/queue:Queue")}
    values = {
        "service": {variables["POWERTOOLS_SERVICE_NAME"]},
        "environment": {variables["ENVIRONMENT"]},
        "FunctionName": {deployment.outputs["lambda_function_name"]},
        "QueueName": queues,
    }

    for alarm in alarms(deployment).values():
        for metric in watched(alarm):
            for name, value in metric["dimensions"].items():
                assert value in values[name]


def test_the_deadline_puts_the_metric_there_that_its_alarm_looks_at(
    everything: Deployment,
) -> None:
    """Namespace, name and dimensions, and a value that raises it."""
    schedule = everything.one("aws:scheduler/schedule:Schedule", "deadline")
    alarm = alarms(everything)["run-expected"]
    asked = json.loads(schedule["target"]["input"])
    [datum] = asked["MetricData"]

    assert (asked["Namespace"], datum["MetricName"]) == (alarm["namespace"], alarm["metricName"])
    assert {each["Name"]: each["Value"] for each in datum["Dimensions"]} == alarm["dimensions"]
    assert datum["Value"] > alarm["threshold"]


def test_every_alarm_is_told_to_the_topic_or_is_part_of_one_that_is(
    stacks: dict[str, Deployment], everything: Deployment
) -> None:
    """Given or made; without one, as in dev, alarms change their state only."""
    for deployment in (*stacks.values(), everything):
        topic = deployment.outputs["alarm_topic_arn"]
        every = [*deployment.all(ALARM), *deployment.all(COMPOSITE)]
        parts = re.findall(
            r"-full-([a-z-]+)", str([each.inputs.get("alarmRule") for each in every])
        )
        untold = {each.name for each in every if each.inputs["alarmActions"] != [topic]}

        assert untold == ({each.name for each in every} if topic is None else set(parts))


def test_every_alarm_says_where_it_is_explained(
    stacks: dict[str, Deployment], everything: Deployment
) -> None:
    """By a heading of the manual that exists, or the anchor that it has where it can be read."""
    manual = (INFRA.parent / MANUAL).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ +(.+?) *$", manual, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in headings}
    linked = {alarm["alarmDescription"].partition("#")[2] for alarm in alarms(everything).values()}

    assert linked <= anchors
    for alarm in alarms(stacks["prod"]).values():
        described = re.fullmatch(
            rf'What to do: {MANUAL}, section "(.+)"\.', alarm["alarmDescription"]
        )
        assert described
        assert described[1] in headings
