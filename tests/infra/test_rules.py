"""Rules of AWS that neither mocks nor a test server know, each refused before anything is asked."""

from typing import Any

import pytest

from checkpoint_infra.naming import Names
from checkpoint_infra.settings.rules.buckets import name_problems
from checkpoint_infra.settings.rules.tags import tag_problems
from tests.infra.refusing import only, problems, read

OWN = {"service": "s", "environment": "e", "managed-by": "pulumi"}
LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:visit-event-checkpoint-aws-sdk:4"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:x"
EXTERNAL = {"layers.awsSdk.mode": "external"}
ATHENA = {"athena.database": "d"}
ARCHIVE = {"source.ownsLifecycle": True}
SHORT = {"alarms.durationMinutes": 0.5}
OBSERVING = {"layers.observability.mode": "external", "layers.observability.arn": LAYER}
WORKGROUP = {**ATHENA, "athena.workgroup.resultsBucket": "nacc-checkpoints-dev"}


@pytest.mark.parametrize(
    "tags,said",
    [
        ({"Environment": "dev"}, "tags.Environment: is the same as environment"),
        ({"Owner": "a", "owner": "b"}, "tags.owner: is the same as Owner"),
        ({"aws:owner": "a"}, "must not begin with aws:"),
        ({"AWS:owner": "a"}, "must not begin with aws:"),
        ({"cost;center": "a"}, "its name may have"),
        ({"owner": "a, b"}, "its value may have"),
        ({"": "a"}, "1 to 128"),
        ({"a" * 129: "a"}, "1 to 128"),
        ({"owner": "a" * 257}, "at most 256"),
        ({str(number): "a" for number in range(8)}, "8 are too many; with our own 3"),
    ],
)
def test_a_tag_that_a_service_would_refuse_is_refused(tags: dict[str, str], said: str) -> None:
    """In any service that gets it; IAM compares names without case."""
    assert said in only(tag_problems(tags, OWN))


def test_tags_that_all_services_take_are_taken() -> None:
    """Seven of them, with empty values, umlauts and the signs that are allowed."""
    tags = {
        "a": "",
        "Größe": "a b",
        "x_.:/=+-@": "x_.:/=+-@",
        "1": "1",
        "2": "2",
        "3": "3",
        "4": "",
    }

    assert [] == list(tag_problems(tags, OWN))


@pytest.mark.parametrize(
    "name", ["a..b", "192.168.0.1", "xn--a", "sthree-a", "amzn-s3-demo-a", "a-s3alias", "a--x-s3"]
)
def test_a_bucket_name_that_s3_keeps_for_itself_is_refused(name: str) -> None:
    """Whatever it is for."""
    assert only(name_problems("bucket", name)).startswith("bucket: ")
    for setting in ("source.bucket", "accessLogs.bucket"):
        assert any(".bucket: " in problem for problem in problems({setting: name}))


@pytest.mark.parametrize(
    "changes,problem",
    [
        ({"source.prefix": "dev/*/"}, "source.prefix"),
        ({"source.prefix": "/dev/"}, "source.prefix"),
        ({"source.prefix": "dev/../"}, "source.prefix"),
        ({"source.prefix": "dev/\n"}, "source.prefix"),
        ({"source.archive.glacierDays": 90}, "source: archive needs create"),
        ({"checkpoint.key": "events"}, "checkpoint.key"),
        ({"checkpoint.key": "a/${x}.parquet"}, "checkpoint.key"),
        ({"checkpoint.kmsKeyArn": "alias/mine"}, "checkpoint.kmsKeyArn"),
        ({"checkpoint": "here"}, "checkpoint: must be an object"),
        ({"source.bucket": "nacc-checkpoints-dev"}, "checkpoint: a bucket that is created"),
        (
            {"artifacts.bucket": None, "artifacts.create": False},
            "artifacts.bucket: is missing",
        ),
        ({"artifacts.bucket": None}, "artifacts: create needs"),
        ({"function.runtime": "python3.8"}, "function.runtime"),
        ({"function.architecture": "arm"}, "function.architecture"),
        ({"function.logRetentionDays": 10}, "function.logRetentionDays"),
        ({"function.reservedConcurrency": 0}, "function.reservedConcurrency"),
        ({"function.tracing": "perhaps"}, "function.tracing"),
        (
            {"function.tracing": False, "function.telemetryLayerArn": LAYER},
            "function: telemetryLayerArn needs tracing",
        ),
        ({"run.eventFormat": "2.0"}, "run.eventFormat"),
        ({"run.excludeProjects": ["a b"]}, "run.excludeProjects"),
        ({"run.ledgerRetentionDays": 20}, "run.ledgerRetentionDays: must not be shorter"),
        ({"schedule.expression": "daily"}, "schedule.expression"),
        ({"schedule.timeZone": "Springfield"}, "schedule.timeZone"),
        ({"schedule.timeZone": "../etc"}, "schedule.timeZone"),
        ({"alarms.emails": ["nobody"]}, "alarms.emails"),
        ({"alarms.durationMinutes": 15}, "alarms.durationMinutes: must be less"),
        ({"alarms.expectedRunHours": 200}, "alarms.expectedRunHours"),
        (
            {"alarms.topicArn": "arn:aws:sns:us-east-1:123456789012:x", "alarms.emails": ["a@b.c"]},
            "alarms: give topicArn or emails",
        ),
        ({"environment": "a-name-that-is-far-too-long"}, "environment: must be a lower-case"),
        ({"athena.database": "My-Database"}, "athena.database"),
        (
            {**ATHENA, "checkpoint.key": "e.parquet"},
            "athena: needs checkpoint.key to be in a folder",
        ),
        # S3 would say so in the middle of a deployment.
        ({**ARCHIVE, "source.archive": {}}, "source.archive: give at least one"),
        (
            {**ARCHIVE, "source.archive": {"glacierDays": 90, "expiryDays": 30}},
            "source.archive: glacierDays, deepArchiveDays and expiryDays must follow",
        ),
        (
            {**ARCHIVE, "source.archive": {"glacierDays": 90, "deepArchiveDays": 100}},
            "source.archive: deepArchiveDays must be at least 90",
        ),
        # Every run would fail, having read nothing.
        ({**SHORT, "function.timeoutS": 60}, "run.reserveSeconds: must be less than function."),
        ({**SHORT, "run.reserveSeconds": 900}, "run.reserveSeconds: must be less than function."),
        (
            {**SHORT, "run.reserveSeconds": 120, "function.timeoutS": 120},
            "run.reserveSeconds: must be less than function.",
        ),
        # Lambda takes one version of a layer for a function.
        (
            {"layers.observability.name": "ours", "layers.awsSdk.name": "ours"},
            "layers.awsSdk: is the same layer as layers.observability",
        ),
        (
            {**OBSERVING, **EXTERNAL, "layers.awsSdk.arn": LAYER.replace(":4", ":1")},
            "layers.awsSdk: is the same layer as layers.observability",
        ),
        (OBSERVING, "layers.awsSdk: is the same layer as layers.observability"),
        # What it would ignore, and what would be there twice.
        ({"layers.awsSdk.arn": LAYER}, "layers.awsSdk: arn, with its version"),
        ({**EXTERNAL, "layers.awsSdk.arn": LAYER[:-2]}, "layers.awsSdk.arn"),
        (
            {**EXTERNAL, "layers.awsSdk.arn": LAYER.replace("us-east-1", "us-west-2")},
            "layers.awsSdk.arn: a layer must be in the stack's region",
        ),
        (
            {**EXTERNAL, "layers.awsSdk.arn": LAYER, "layers.awsSdk.name": "x"},
            "layers.awsSdk: name belongs",
        ),
        (
            {"layers.awsSdk.mode": "reuse", "layers.awsSdk.renewal": "1"},
            "layers.awsSdk: renewal belongs",
        ),
        (
            {"layers.awsSdk.mode": "reuse", "layers.awsSdk.sharedWith": ["111122223333"]},
            "layers.awsSdk: sharedWith belongs to mode build",
        ),
        (
            {"layers.awsSdk.sharedWith": ["111122223333"] * 2},
            "layers.awsSdk.sharedWith: names an account twice",
        ),
        ({"tags": {str(number): "x" for number in range(8)}}, "tags: 8 are too many"),
        ({"alarms.emails": ["a@b.org", "A@b.org"]}, "alarms.emails: names an address twice"),
        ({"notification": {}}, "notification: give targetArns, or createTopic"),
        ({"notification.targetArns": [QUEUE] * 2}, "notification.targetArns: names a target twice"),
        ({**WORKGROUP, "athena.workgroup.scanLimitMb": 9}, "athena.workgroup.scanLimitMb"),
        (
            {**WORKGROUP, "athena.workgroup.resultsPrefix": "checkpoints/results/"},
            "athena.workgroup.resultsPrefix: must not be below the checkpoint's folder",
        ),
        (
            {"accessLogs.bucket": "logs", "checkpoint.create": False, "artifacts.create": False},
            "accessLogs: no bucket is created here",
        ),
        (
            {"accessLogs.bucket": "nacc-events", "accessLogs.create": True},
            "accessLogs: a bucket that is",
        ),
        ({"vpc.subnetIds": [], "vpc.securityGroupIds": ["sg-0a1b2c3d"]}, "vpc.subnetIds"),
        (
            {"vpc.subnetIds": ["x"], "vpc.securityGroupIds": ["sg-0a1b2c3d"]},
            "vpc.subnetIds[0]: must be a subnet's id",
        ),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(changes: dict[str, Any], problem: str) -> None:
    """One mistake, one problem, which begins with where it is."""
    [found] = problems(changes)

    assert found.startswith(problem)


@pytest.mark.parametrize(
    "setting,arn",
    [
        ("source.kmsKeyArn", KEY),
        ("function.logKmsKeyArn", KEY),
        ("alarms.topicArn", "arn:aws:sns:us-west-2:123456789012:x"),
        ("notification.targetArns", ["arn:aws:sqs:us-west-2:123456789012:x"]),
        ("permissionsBoundaryArn", "arn:aws:iam::111122223333:policy/b"),
        ("permissionsBoundaryArn", "arn:aws-cn:iam::123456789012:policy/b"),
        ("credentials.assumeRole.roleArn", "arn:aws-cn:iam::123456789012:role/r"),
    ],
)
def test_an_arn_of_elsewhere_is_refused_where_the_service_demands_it(
    setting: str, arn: object
) -> None:
    """Region, partition or account."""
    [problem] = problems({setting: arn})

    assert problem.startswith(setting)
    assert "stack's" in problem


@pytest.mark.parametrize(
    "target",
    [
        "events:us-east-1:123456789012:event-bus/central",
        "states:us-east-1:123456789012:stateMachine:report",
        "sqs:us-east-1:123456789012:reports.fifo",
        "sns:us-east-1:123456789012:reports.fifo",
    ],
)
def test_a_target_that_eventbridge_would_refuse_is_refused(target: str) -> None:
    """Buses and state machines need a role to send with, queues in order a message group."""
    [problem] = problems({"notification.targetArns": [f"arn:aws:{target}"]})

    assert problem == (
        "notification.targetArns[0]: must be the ARN of a topic, queue, function or log group, "
        "which is not FIFO"
    )


def test_an_environment_that_lambda_would_refuse_is_refused() -> None:
    """4 KB for all of it; the message names the longest."""
    patterns = [f"project-{number:04}-*" for number in range(300)]
    [problem] = problems({"run.excludeProjects": patterns})

    assert problem.startswith("run: the function's environment would have ")
    assert "shorten what becomes EXCLUDE_PROJECTS" in problem


def test_names_and_keys_fit_into_what_aws_takes() -> None:
    """With the longest service, environment and key that the configuration lets through."""
    config = read(
        {
            "service": "s" * 32,
            "environment": "e" * 20,
            "checkpoint.key": f"{'k' * 252}/{'k' * 251}.parquet",
        }
    )
    names = Names(config)
    limits = {
        names.function: 64,
        names.role: 64,
        names.scheduler_role: 64,
        names.deadline: 64,
        names.failed_runs: 80,
        names.undelivered: 80,
        names.alarm_topic: 256,
        names.updates: 64,
        names.alarm("no-successful-run"): 255,
        names.layer("data-processing"): 140,
    }
    longest = (
        f"{config.checkpoint.folder}_previous/{config.checkpoint.stem}.parquet/{'c' * 64}.parquet"
    )

    assert [] == [name for name, limit in limits.items() if len(name) > limit]
    assert len(longest.encode()) <= 1_024
