"""Alarms and the dashboard: what an operator is told, and that it is about what is emitted."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from checkpoint_lambda._metrics import BY_STUDY, DIMENSIONS, METRICS, NAMESPACE
from tests.infra.deploying import INFRA, STACKS, Deployment, deploy, merged, stack_values

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
ALARMS = {
    "errors",
    "duration",
    "execution-time",
    "no-successful-run",
    "failed-events",
    "denied-objects",
    "no-new-events",
    "failed-runs",
    "more-failed-runs",
    "undelivered",
    "more-undelivered",
}
# What AWS itself emits, and by which dimension.
AWS_METRICS = {
    ("AWS/Lambda", "Errors"): "FunctionName",
    ("AWS/Lambda", "Duration"): "FunctionName",
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "QueueName",
    ("AWS/SQS", "NumberOfMessagesSent"): "QueueName",
}
SECTION = re.compile(r'What to do: (\S+), section "([^"]+)"\.')


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
def test_every_stack_has_every_alarm(stacks: dict[str, Deployment], stack: str) -> None:
    """Also those in which nobody is told; a schedule that is off promises no run."""
    expected = ALARMS - ({"no-successful-run"} if stack == "dev" else set())

    assert alarms(stacks[stack]).keys() == expected


def test_the_thresholds_are_the_designs(stacks: dict[str, Deployment]) -> None:
    """Any error, ten minutes, a tenth, a day and two hours, a week, any message."""
    found = {
        name: (alarm["comparisonOperator"], alarm["threshold"], alarm["treatMissingData"])
        for name, alarm in alarms(stacks["prod"]).items()
    }

    assert found == {
        "errors": ("GreaterThanThreshold", 0, "notBreaching"),
        "duration": ("GreaterThanThreshold", 600_000, "notBreaching"),
        "execution-time": ("GreaterThanThreshold", 600_000, "notBreaching"),
        "no-successful-run": ("LessThanThreshold", 1, "breaching"),
        "failed-events": ("GreaterThanThreshold", 10, "notBreaching"),
        "denied-objects": ("GreaterThanThreshold", 0, "notBreaching"),
        "no-new-events": ("GreaterThanThreshold", 604_800, "ignore"),
        "failed-runs": ("GreaterThanThreshold", 0, "ignore"),
        "more-failed-runs": ("GreaterThanThreshold", 0, "notBreaching"),
        "undelivered": ("GreaterThanThreshold", 0, "ignore"),
        "more-undelivered": ("GreaterThanThreshold", 0, "notBreaching"),
    }


def test_a_run_that_never_starts_raises_an_alarm(artifacts: Path) -> None:
    """Every hour of the expected time must lack a success; no value counts as none."""
    values = merged(stack_values("prod"), {"alarms": {"expectedRunHours": 168}})
    alarm = alarms(deploy(values, artifacts))["no-successful-run"]

    assert (alarm["period"], alarm["evaluationPeriods"], alarm["datapointsToAlarm"]) == (
        3600,
        168,
        168,
    )
    # CloudWatch looks back a week at most.
    assert alarm["period"] * alarm["evaluationPeriods"] <= 7 * 86_400


def test_failed_events_count_as_a_share_of_what_was_tried(stacks: dict[str, Deployment]) -> None:
    """The share alone is looked at."""
    alarm = alarms(stacks["prod"])["failed-events"]
    queries = {query["id"]: query for query in alarm["metricQueries"]}

    assert queries["part"]["metric"]["metricName"] == "EventsFailed"
    assert queries["whole"]["metric"]["metricName"] == "EventsProcessed"
    assert [query["id"] for query in queries.values() if query["returnData"]] == ["share"]


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
    stacks: dict[str, Deployment],
) -> None:
    """None is emitted, and paid for, that nobody sees."""
    seen = {
        metric["metricName"] for metric in shown(stacks["prod"]) if metric["namespace"] == NAMESPACE
    }

    assert seen == {metric.name for metric in METRICS}


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


def test_alarms_go_to_the_given_topic(stacks: dict[str, Deployment]) -> None:
    """And the return to normal, where it means more than that time has passed."""
    found = alarms(stacks["prod"])
    topic = "arn:aws:sns:us-east-1:123456789012:operations"

    assert all(alarm["alarmActions"] == [topic] for alarm in found.values())
    assert {name for name, alarm in found.items() if alarm.get("okActions")} == {
        "no-successful-run",
        "no-new-events",
        "failed-runs",
        "undelivered",
    }


def test_a_topic_is_made_for_addresses(everything: Deployment) -> None:
    """Each address is subscribed, and has to be confirmed by who reads there."""
    subscriptions = [
        each.inputs for each in everything.all("aws:sns/topicSubscription:TopicSubscription")
    ]
    topic = everything.outputs["alarm_topic_arn"]
    told = {name for name, alarm in alarms(everything).items() if alarm["alarmActions"] == [topic]}

    assert {each["endpoint"] for each in subscriptions} == {
        "checkpoint-alarms@example.org",
        "on-call@example.org",
    }
    assert {(each["protocol"], each["topic"]) for each in subscriptions} == {("email", topic)}
    # The two that another alarm is made of tell nobody by themselves.
    assert alarms(everything).keys() - told == {"run-expected", "no-recent-success"}
    assert everything.one(COMPOSITE)["alarmActions"] == [topic]
    assert "kmsMasterKeyId" in everything.one("aws:sns/topic:Topic", "topic")


def test_the_deadline_puts_the_metric_there_that_its_alarm_looks_at(
    everything: Deployment,
) -> None:
    """Namespace, name and dimensions; by a role that may do that and nothing else."""
    schedule = everything.one("aws:scheduler/schedule:Schedule", "deadline")
    alarm = alarms(everything)["run-expected"]
    asked = json.loads(schedule["target"]["input"])
    [datum] = asked["MetricData"]
    role = json.loads(everything.one("aws:iam/rolePolicy:RolePolicy", "deadline")["policy"])

    assert schedule["target"]["arn"] == "arn:aws:scheduler:::aws-sdk:cloudwatch:putMetricData"
    assert schedule["scheduleExpressionTimezone"] == "America/New_York"
    assert (asked["Namespace"], datum["MetricName"]) == (alarm["namespace"], alarm["metricName"])
    assert {each["Name"]: each["Value"] for each in datum["Dimensions"]} == alarm["dimensions"]
    assert datum["Value"] > alarm["threshold"]
    assert [statement["Action"] for statement in role["Statement"]] == [
        ["cloudwatch:PutMetricData"],
        ["sqs:SendMessage"],
    ]


def test_an_alarm_links_to_the_manual_where_it_can_be_read(everything: Deployment) -> None:
    """With the anchor that the heading has there."""
    described = alarms(everything)["no-new-events"]["alarmDescription"]

    assert described == (
        "What to do: https://docs.example.org/checkpoint/operating.md#alarm-no-new-events"
    )


def test_without_a_topic_alarms_change_their_state_only(stacks: dict[str, Deployment]) -> None:
    """As in dev, where somebody is looking anyway."""
    assert stacks["dev"].outputs["alarm_topic_arn"] is None
    assert all(alarm["alarmActions"] == [] for alarm in alarms(stacks["dev"]).values())


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_every_alarm_says_where_it_is_explained(stacks: dict[str, Deployment], alarm: str) -> None:
    """The description names a heading of the manual that exists."""
    described = SECTION.fullmatch(alarms(stacks["prod"])[alarm]["alarmDescription"])
    assert described
    manual = INFRA.parent / described[1]
    headings = re.findall(r"^#+ +(.+?) *$", manual.read_text(encoding="utf-8"), re.MULTILINE)

    assert described[2] in headings


def test_the_dashboard_shows_the_alarms_and_the_last_failures(
    stacks: dict[str, Deployment],
) -> None:
    """The log query asks for the line that a failed run leaves behind."""
    body = json.loads(stacks["prod"].one("aws:cloudwatch/dashboard:Dashboard")["dashboardBody"])
    status, *_, failures = body["widgets"]

    assert len(status["properties"]["alarms"]) == len(ALARMS)
    assert "SOURCE '/aws/lambda/visit-event-checkpoint-prod'" in failures["properties"]["query"]
    assert "event = 'run_failed'" in failures["properties"]["query"]
