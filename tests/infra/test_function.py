"""The function, its versions, and what invokes it."""

from pathlib import Path

import pytest

from tests.infra.deploying import STACKS, Deployment, deploy, merged, stack_values

FUNCTION = "aws:lambda/function:Function"
ALIAS = "aws:lambda/alias:Alias"
INVOCATION = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
SCHEDULE = "aws:scheduler/schedule:Schedule"
TELEMETRY = "arn:aws:lambda:us-east-1:111122223333:layer:telemetry:9"


@pytest.mark.parametrize("stack", STACKS)
def test_the_function_is_as_the_design_sizes_it(stacks: dict[str, Deployment], stack: str) -> None:
    """Memory, time, /tmp, runtime, architecture and entry point."""
    function = stacks[stack].one(FUNCTION)

    assert function["memorySize"] == 3008
    assert function["timeout"] == 900
    assert function["ephemeralStorage"] == {"size": 2048}
    assert function["runtime"] == "python3.12"
    assert function["architectures"] == ["arm64"]
    assert function["handler"] == "checkpoint_lambda.handler.lambda_handler"


@pytest.mark.parametrize("stack", STACKS)
def test_logs_are_json_in_the_functions_own_group(
    stacks: dict[str, Deployment], stack: str
) -> None:
    """The group is made beforehand, with its retention; the platform filters no line out."""
    function = stacks[stack].one(FUNCTION)
    group = stacks[stack].one("aws:cloudwatch/logGroup:LogGroup")

    assert function["loggingConfig"]["logFormat"] == "JSON"
    assert function["loggingConfig"]["logGroup"] == group["name"]
    assert function["loggingConfig"]["applicationLogLevel"] == "DEBUG"
    assert group["retentionInDays"] == {"dev": 14, "staging": 30, "prod": 365}[stack]


@pytest.mark.parametrize("stack", STACKS)
def test_every_change_is_a_version_and_the_alias_follows(
    stacks: dict[str, Deployment], stack: str
) -> None:
    """The alias has the environment's name."""
    alias = stacks[stack].one(ALIAS)

    assert stacks[stack].one(FUNCTION)["publish"] is True
    assert (alias["name"], alias["functionVersion"]) == (stack, "7")


def test_production_can_be_kept_on_a_version(artifacts: Path) -> None:
    """A rollback is one setting: the alias goes back, and stays there."""
    values = merged(stack_values("prod"), {"function": {"pinnedVersion": 5}})

    assert deploy(values, artifacts).one(ALIAS)["functionVersion"] == "5"


@pytest.mark.parametrize("stack", STACKS)
def test_a_failed_run_is_kept_and_not_repeated(stacks: dict[str, Deployment], stack: str) -> None:
    """The next schedule is the retry."""
    invocation = stacks[stack].one(INVOCATION)
    queue = stacks[stack].one("aws:sqs/queue:Queue", "failed-runs")

    assert invocation["qualifier"] == stack
    assert invocation["maximumRetryAttempts"] == 0
    assert invocation["destinationConfig"]["onFailure"]["destination"].endswith(queue["name"])


@pytest.mark.parametrize("stack", STACKS)
def test_the_schedule_invokes_the_alias_in_its_time_zone(
    stacks: dict[str, Deployment], stack: str
) -> None:
    """What cannot be delivered is tried again for an hour, then kept."""
    schedule = stacks[stack].one(SCHEDULE)
    queue = stacks[stack].one("aws:sqs/queue:Queue", "undelivered")

    assert schedule["scheduleExpression"] == "cron(0 6 * * ? *)"
    assert schedule["scheduleExpressionTimezone"] == "America/New_York"
    assert schedule["state"] == ("DISABLED" if stack == "dev" else "ENABLED")
    assert schedule["flexibleTimeWindow"] == {"mode": "OFF"}
    assert schedule["target"]["arn"] == stacks[stack].outputs["lambda_alias_arn"]
    assert schedule["target"]["input"] == "{}"
    assert schedule["target"]["retryPolicy"] == {
        "maximumRetryAttempts": 5,
        "maximumEventAgeInSeconds": 3600,
    }
    assert schedule["target"]["deadLetterConfig"]["arn"].endswith(queue["name"])


def test_concurrency_is_reserved_only_on_request(
    stacks: dict[str, Deployment], everything: Deployment
) -> None:
    """Small accounts cannot; the conditional write is the real lock."""
    assert "reservedConcurrentExecutions" not in stacks["prod"].one(FUNCTION)
    assert everything.one(FUNCTION)["reservedConcurrentExecutions"] == 1


def test_without_a_telemetry_layer_the_function_is_traced_and_nothing_is_added(
    stacks: dict[str, Deployment],
) -> None:
    """No wrapper that would not be there."""
    function = stacks["prod"].one(FUNCTION)

    assert function["tracingConfig"] == {"mode": "Active"}
    assert len(function["layers"]) == 3
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in function["environment"]["variables"]


def test_the_telemetry_layer_instruments_nothing_by_itself(everything: Deployment) -> None:
    """Only our stages become spans: no request to S3, no log line, no metric."""
    function = everything.one(FUNCTION)
    variables = function["environment"]["variables"]

    assert function["layers"][3:] == [TELEMETRY]
    assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/otel-instrument"
    assert variables["OTEL_AWS_APPLICATION_SIGNALS_ENABLED"] == "false"
    assert variables["OTEL_METRICS_EXPORTER"] == variables["OTEL_LOGS_EXPORTER"] == "none"
    # All of them, also those that the layer will have one day.
    assert variables["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] == "*"


def test_tracing_can_be_off(artifacts: Path) -> None:
    """Then the role may not send traces either."""
    values = merged(stack_values("prod"), {"function": {"tracing": False}})
    deployment = deploy(values, artifacts)

    assert deployment.one(FUNCTION)["tracingConfig"] == {"mode": "PassThrough"}
    assert "xray" not in deployment.one("aws:iam/rolePolicy:RolePolicy", "role")["policy"]
