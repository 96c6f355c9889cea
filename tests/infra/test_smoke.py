"""The look at a deployed stack: every line of it, and that it says what is wrong."""

import io
import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import smoke
from smoke import CHECKS, Stack, examine, main
from tests.infra.deploying import INFRA

NAME = "visit-event-checkpoint-dev"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
OUTPUTS = {
    "lambda_function_name": NAME,
    "lambda_function_arn": f"arn:aws:lambda:us-east-1:123456789012:function:{NAME}",
    "lambda_alias": "dev",
    "failed_runs_queue": f"{NAME}-failed-runs",
    "undelivered_queue": f"{NAME}-undelivered",
    "alarm_topic_arn": TOPIC,
    "athena_workgroup": NAME,
    "athena_database": "nacc",
}
RESPONSE = {
    "incremental": False,
    "new_events_processed": 3,
    "last_processed_timestamp": "2026-11-02T10:00:00.250000Z",
}


class Account:
    """Answers as AWS does after a first run that went well; `change` makes something wrong."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "invoke": {"Payload": json.dumps(RESPONSE).encode()},
            "get_function_configuration": {
                "TracingConfig": {"Mode": "Active"},
                "Environment": {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}},
            },
            "get_metric_statistics": {"Datapoints": [{"Maximum": 1}]},
            "get_trace_summaries": {"TraceSummaries": [{"Id": "1-a"}]},
            "batch_get_traces": {
                "Traces": [{"Segments": [{"Document": '{"name": "run", "x": ["list", "commit"]}'}]}]
            },
            "start_query_execution": {"QueryExecutionId": "q"},
            "get_query_execution": {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}},
            "get_query_results": {
                "ResultSet": {
                    "Rows": [{"Data": [{}]}, {"Data": [{"VarCharValue": "2026-11-02T10:00:00"}]}]
                }
            },
            "list_schedules": {
                "Schedules": [
                    {"Name": NAME, "State": "ENABLED"},
                    {"Name": f"{NAME}-deadline", "State": "ENABLED"},
                ]
            },
            "list_subscriptions_by_topic": {"Subscriptions": [{"SubscriptionArn": f"{TOPIC}:1"}]},
            "paginate": [{"MetricAlarms": [{"AlarmName": f"{NAME}-errors", "StateValue": "OK"}]}],
            "get_queue_url": {"QueueUrl": "https://queue"},
            "get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
        }
        self.asked: list[str] = []

    def __call__(self, service: str) -> "Account":
        return self

    def get_paginator(self, operation: str) -> "Account":
        return self

    def __getattr__(self, operation: str) -> Any:
        def answer(**parameters: Any) -> Any:
            self.asked.append(operation)
            found = self.answers[operation]
            if isinstance(found, Exception):
                raise found
            if operation == "invoke":
                return {**found, "Payload": io.BytesIO(found["Payload"])}
            return found

        return answer


def look(account: Account, **outputs: Any) -> dict[str, tuple[str, str]]:
    """Return what every check finds."""
    return dict(examine(Stack(outputs={**OUTPUTS, **outputs}, client=account)))


def test_a_stack_that_is_right_is_ok_in_every_line() -> None:
    """Each check has looked."""
    found = look(Account())

    assert {state for state, _ in found.values()} == {"ok"}
    assert list(found) == [check.__name__ for check in CHECKS]
    assert found["invocation"] == ("ok", "first run, 3 new events")


@pytest.mark.parametrize(
    "operation,answer,check,state",
    [
        (
            "invoke",
            {"FunctionError": "Unhandled", "Payload": b'{"errorType": "RunFailedError"}'},
            "invocation",
            "failed",
        ),
        ("get_metric_statistics", {"Datapoints": []}, "metrics", "later"),
        ("get_metric_statistics", {"Datapoints": []}, "schedules", "later"),
        ("get_trace_summaries", {"TraceSummaries": []}, "trace", "later"),
        ("batch_get_traces", {"Traces": []}, "trace", "failed"),
        (
            "get_query_execution",
            {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": "no table"}}},
            "athena",
            "failed",
        ),
        (
            "get_query_results",
            {"ResultSet": {"Rows": [{}, {"Data": [{"VarCharValue": "2026-11-02T15:00:00"}]}]}},
            "athena",
            "failed",
        ),
        ("list_schedules", {"Schedules": []}, "schedules", "later"),
        (
            "list_subscriptions_by_topic",
            {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation"}]},
            "subscriptions",
            "later",
        ),
        (
            "paginate",
            [{"CompositeAlarms": [{"AlarmName": "x", "StateValue": "ALARM"}]}],
            "alarms",
            "later",
        ),
        (
            "get_queue_attributes",
            {"Attributes": {"ApproximateNumberOfMessages": "2"}},
            "queues",
            "failed",
        ),
        (
            "get_trace_summaries",
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetTraceSummaries"),
            "trace",
            "failed",
        ),
    ],
)
def test_what_is_wrong_is_said_in_its_line(
    operation: str, answer: Any, check: str, state: str
) -> None:
    """Failed where something must be done, later where nothing can be seen yet."""
    account = Account()
    account.answers[operation] = answer

    assert look(account)[check][0] == state


def test_what_is_not_configured_is_not_looked_for() -> None:
    """Neither Athena nor traces nor subscriptions."""
    account = Account()
    account.answers["get_function_configuration"] = {"TracingConfig": {"Mode": "PassThrough"}}
    found = look(account, athena_workgroup=None, alarm_topic_arn=None)

    assert found["athena"] == ("ok", "no workgroup is configured")
    assert found["trace"] == ("ok", "tracing is off")
    assert found["subscriptions"][0] == "later"
    assert "start_query_execution" not in account.asked


@pytest.mark.usefixtures("empty_account")
def test_boto3_accepts_what_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Operations and parameters exist; in an empty account most lines fail, and all are told."""
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({**OUTPUTS, "athena_workgroup": None}), encoding="utf-8")

    assert main([str(outputs)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == [f"{check.__name__}:" for check in CHECKS]


def test_every_operation_exists() -> None:
    """By the names that boto3 has for them."""
    source = (INFRA / "smoke.py").read_text(encoding="utf-8")
    services = sorted(set(re.findall(r'client\("(\w+)"\)', source)))
    known = {
        operation
        for service in services
        for operation in dir(boto3.client(service, region_name="us-east-1"))
    }

    assert len(services) == 7
    assert set(Account().answers) - {"paginate"} <= known


def test_the_manual_lists_every_check() -> None:
    """What only an account can show is what is looked at, line by line."""
    manual = (INFRA.parent / "docs/operating.md").read_text(encoding="utf-8")
    section = manual[manual.index("### What only an account can show") :]
    listed = re.findall(r"^\| `(\w+)` \|", section[: section.index("\n## ")], re.MULTILINE)

    assert listed == [check.__name__ for check in CHECKS]


def test_waiting_for_athena_ends() -> None:
    """A query that runs is asked about again."""
    states = iter(["RUNNING", "SUCCEEDED"])

    class Slow(Account):
        def get_query_execution(self, **parameters: Any) -> Any:
            return {"QueryExecution": {"Status": {"State": next(states)}}}

    slow = Slow()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smoke, "_WAIT_S", 0)
        assert look(slow)["athena"][0] == "ok"
    assert next(states, None) is None
