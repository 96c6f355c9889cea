"""Looks at a deployed stack for what no test without an account can show.

    pulumi stack output --json --stack dev > outputs.json
    python infra/smoke.py outputs.json

It invokes the function once, as the schedule would, and changes nothing else. Each line is `ok`,
`later` (nothing to see yet; ask again) or `failed`, with what to do; the status is 1 if any failed.
"""

# ruff: noqa: INP001, T201 - it is run, and printing is its output

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

__all__ = ["CHECKS", "Finding", "Stack", "main"]

Finding = tuple[Literal["ok", "later", "failed"], str]
_WAIT_S: Final = 2.0
_NAMESPACE: Final = "NACC/EventCheckpoint"


class Stack(Struct, kw_only=True):
    """A stack's outputs, the account that it is in, and what the function answered."""

    outputs: dict[str, Any]
    client: Callable[[str], Any]
    response: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The function's name, with which all others begin."""
        return str(self.outputs["lambda_function_name"])


def invocation(stack: Stack) -> Finding:
    """Run once with the role, the layers and the network that were deployed.

    On an account's first run it also shows that S3 says of a missing key that it is missing, where
    listing is allowed below a prefix only.
    """
    answer = stack.client("lambda").invoke(
        FunctionName=stack.name, Qualifier=stack.outputs["lambda_alias"], Payload=b"{}"
    )
    document = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return "failed", f"the run failed; see its run_failed line: {document.get('errorType')}"
    stack.response = document
    kind = "incremental" if document["incremental"] else "first"
    return "ok", f"{kind} run, {document['new_events_processed']} new events"


def metrics(stack: Stack) -> Finding:
    """Find what the run said of itself, by the dimensions that the alarms look for."""
    values = _metric(stack, "RunSucceeded", timedelta(hours=3))
    if not values:
        return "later", "RunSucceeded is not in CloudWatch yet; it takes some minutes"
    return "ok", "RunSucceeded is in CloudWatch by service and environment"


def trace(stack: Stack) -> Finding:
    """Find the run in X-Ray; with the telemetry layer, its stages too."""
    configuration = stack.client("lambda").get_function_configuration(
        FunctionName=stack.name, Qualifier=stack.outputs["lambda_alias"]
    )
    if configuration["TracingConfig"]["Mode"] != "Active":
        return "ok", "tracing is off"
    now = datetime.now(UTC)
    client = stack.client("xray")
    found = client.get_trace_summaries(
        StartTime=now - timedelta(hours=1),
        EndTime=now,
        FilterExpression=f'service("{stack.name}")',
    )["TraceSummaries"]
    if not found:
        return "later", "no trace is in X-Ray yet; it takes a minute"
    if "AWS_LAMBDA_EXEC_WRAPPER" not in configuration.get("Environment", {}).get("Variables", {}):
        return "ok", "the run is in X-Ray, without stages: no telemetry layer is configured"
    traces = client.batch_get_traces(TraceIds=[found[-1]["Id"]])["Traces"]
    text = json.dumps([each["Document"] for one in traces for each in one["Segments"]])
    if not all(f'\\"{stage}\\"' in text for stage in ("list", "commit")):
        return "failed", "the trace has no stages: the telemetry layer exports nothing"
    return "ok", "the run is in X-Ray with its stages"


def athena(stack: Stack) -> Finding:
    """Read the checkpoint through the table, and compare the latest timestamp to the second."""
    if not stack.outputs.get("athena_workgroup"):
        return "ok", "no workgroup is configured"
    client = stack.client("athena")
    query = client.start_query_execution(
        QueryString="""SELECT date_format(max("timestamp"), '%Y-%m-%dT%H:%i:%s') """
        "FROM checkpoint_events",
        QueryExecutionContext={"Database": stack.outputs["athena_database"]},
        WorkGroup=stack.outputs["athena_workgroup"],
    )["QueryExecutionId"]
    while True:
        status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] not in {"QUEUED", "RUNNING"}:
            break
        time.sleep(_WAIT_S)
    if status["State"] != "SUCCEEDED":
        return "failed", f"the query failed: {status.get('StateChangeReason')}"
    rows = client.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    latest = rows[1]["Data"][0].get("VarCharValue", "") if len(rows) > 1 else ""
    expected = (stack.response.get("last_processed_timestamp") or "")[:19]
    if latest != expected:
        return "failed", f"Athena reads {latest} as the latest timestamp, the run said {expected}"
    return "ok", "Athena reads the timestamps as the run wrote them"


def schedules(stack: Stack) -> Finding:
    """Look whether the function will run by itself, and whether its deadline is told."""
    client = stack.client("scheduler")
    listed = client.list_schedules(GroupName=stack.name)["Schedules"]
    states = {each["Name"]: each["State"] for each in listed}
    if states.get(stack.name) != "ENABLED":
        return "later", "the schedule is off; set schedule.enabled when all else is right"
    if f"{stack.name}-deadline" not in states:
        return "ok", "the schedule is on"
    if not _metric(stack, "RunExpected", timedelta(days=8)):
        return "later", "the schedule is on; its deadline has not come yet, or tells nobody"
    return "ok", "the schedule is on, and its deadline is in CloudWatch"


def subscriptions(stack: Stack) -> Finding:
    """Look whether those who are to be told have confirmed it."""
    topic = stack.outputs.get("alarm_topic_arn")
    if not topic:
        return "later", "nobody is told of alarms: give alarms.emails or alarms.topicArn"
    found = stack.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    pending = [each for each in found if each["SubscriptionArn"] == "PendingConfirmation"]
    if pending or not found:
        return "later", f"{len(pending)} of {len(found)} subscriptions are not confirmed yet"
    return "ok", f"{len(found)} subscriptions are confirmed"


def alarms(stack: Stack) -> Finding:
    """Look what is on, now."""
    pages = stack.client("cloudwatch").get_paginator("describe_alarms")
    found = [
        each
        for page in pages.paginate(
            AlarmNamePrefix=f"{stack.name}-", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        for each in [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
    ]
    on = sorted(each["AlarmName"] for each in found if each["StateValue"] == "ALARM")
    if on:
        return "later", f"on are {', '.join(on)}; see their sections in docs/operating.md"
    return "ok", f"none of {len(found)} alarms is on"


def queues(stack: Stack) -> Finding:
    """Look whether anything failed or was not delivered before."""
    client = stack.client("sqs")
    waiting = {}
    for output in ("failed_runs_queue", "undelivered_queue"):
        url = client.get_queue_url(QueueName=stack.outputs[output])["QueueUrl"]
        name = "ApproximateNumberOfMessages"
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
        waiting[stack.outputs[output]] = int(attributes[name])
    filled = [f"{name} ({count})" for name, count in waiting.items() if count]
    if filled:
        return "failed", f"messages wait in {', '.join(filled)}; read them, then purge the queue"
    return "ok", "no message waits in either queue"


CHECKS: Final[tuple[Callable[[Stack], Finding], ...]] = (
    invocation,
    metrics,
    trace,
    athena,
    schedules,
    subscriptions,
    alarms,
    queues,
)


def examine(stack: Stack) -> Iterator[tuple[str, Finding]]:
    """Yield what each check finds; one that is refused says so, and the next goes on."""
    for check in CHECKS:
        try:
            yield check.__name__, check(stack)
        except (BotoCoreError, ClientError) as error:
            yield check.__name__, ("failed", str(error))


def main(arguments: Sequence[str] | None = None) -> int:
    """Look at everything; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("outputs", help="what `pulumi stack output --json` says")
    options = parser.parse_args(arguments)
    outputs = json.loads(Path(options.outputs).read_text(encoding="utf-8"))
    region = outputs["lambda_function_arn"].split(":")[3]
    # A run may take as long as Lambda lets it.
    config = Config(read_timeout=930, retries={"total_max_attempts": 1})

    def client(service: str) -> Any:
        wanted = config if service == "lambda" else None
        return boto3.client(service, region_name=region, config=wanted)  # type: ignore[call-overload] # any service

    states = set()
    for name, (state, detail) in examine(Stack(outputs=outputs, client=client)):
        states.add(state)
        print(f"{state:6} {name}: {detail}")
    return 1 if "failed" in states else 0


def _metric(stack: Stack, name: str, within: timedelta) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    environment = stack.outputs["lambda_alias"]
    service = stack.name.removesuffix(f"-{environment}")
    answer = stack.client("cloudwatch").get_metric_statistics(
        Namespace=_NAMESPACE,
        MetricName=name,
        Dimensions=[
            {"Name": "service", "Value": service},
            {"Name": "environment", "Value": environment},
        ],
        StartTime=now - within,
        EndTime=now,
        Period=3_600,
        Statistics=["Maximum"],
    )
    return list(answer["Datapoints"])


if __name__ == "__main__":
    sys.exit(main())
