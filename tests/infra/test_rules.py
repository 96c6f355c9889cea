"""Rules of AWS that neither mocks nor a test server know, each refused before anything is asked."""

from collections.abc import Iterator
from typing import Any

import pytest

from checkpoint_infra.naming import Names
from checkpoint_infra.settings.reading import WrongConfigurationError, read_configuration
from checkpoint_infra.settings.rules.buckets import name_problems
from checkpoint_infra.settings.rules.tags import tag_problems
from checkpoint_infra.settings.stack import Configuration
from tests.infra.conftest import EVERYTHING
from tests.infra.deploying import as_texts, merged, stack_values

OWN = {"service": "s", "environment": "e", "managed-by": "pulumi"}


def read(changes: dict[str, Any]) -> Configuration:
    """Read dev's configuration with changes and a schedule that is on."""
    on = merged(stack_values("dev"), {"schedule": {"enabled": True}})
    return read_configuration(as_texts(merged(on, changes)))


def problems(changes: dict[str, Any]) -> list[str]:
    """Return what is said about it."""
    with pytest.raises(WrongConfigurationError) as caught:
        read(changes)
    return list(caught.value.problems)


def only(found: Iterator[str]) -> str:
    """Return the one problem that there must be."""
    [problem] = found
    return problem


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
    for section in ({"source": {"bucket": name}}, {"accessLogs": {"bucket": name}}):
        assert any(".bucket: " in problem for problem in problems(section))


KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d"
WRONG_ARNS: list[tuple[dict[str, Any], str]] = [
    ({"source": {"kmsKeyArn": KEY.replace("us-east-1", "eu-west-1")}}, "source.kmsKeyArn"),
    ({"function": {"logKmsKeyArn": KEY.replace("us-east-1", "eu-west-1")}}, "function.logKmsKey"),
    ({"alarms": {"topicArn": "arn:aws:sns:us-west-2:123456789012:x"}}, "alarms.topicArn"),
    (
        {"notification": {"targetArns": ["arn:aws:sqs:us-west-2:123456789012:x"]}},
        "notification.targetArns[0]",
    ),
    ({"permissionsBoundaryArn": "arn:aws:iam::111122223333:policy/b"}, "permissionsBoundaryArn"),
    ({"permissionsBoundaryArn": "arn:aws-cn:iam::123456789012:policy/b"}, "permissionsBoundaryArn"),
    (
        {"credentials": {"assumeRole": {"roleArn": "arn:aws-cn:iam::123456789012:role/r"}}},
        "credentials.assumeRole.roleArn",
    ),
]


@pytest.mark.parametrize("changes,where", WRONG_ARNS)
def test_an_arn_of_elsewhere_is_refused_where_the_service_demands_it(
    changes: dict[str, Any], where: str
) -> None:
    """Region, partition or account."""
    [problem] = problems(changes)

    assert problem.startswith(where)
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
    [problem] = problems({"notification": {"targetArns": [f"arn:aws:{target}"]}})

    assert problem == (
        "notification.targetArns[0]: must be the ARN of a topic, queue, function or log group, "
        "which is not FIFO"
    )


@pytest.mark.parametrize("reserve,timeout", [(None, 60), (900, 900), (120, 120)])
def test_a_reserve_that_leaves_no_time_to_read_is_refused(
    reserve: int | None, timeout: int
) -> None:
    """Every run would fail, having read nothing."""
    run = {} if reserve is None else {"reserveSeconds": reserve}
    found = problems(
        {"function": {"timeoutS": timeout}, "run": run, "alarms": {"durationMinutes": 0.5}}
    )

    assert ["run.reserveSeconds: must be less than function.timeoutS"] == [
        each.partition(" (")[0] for each in found
    ]


LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:"


@pytest.mark.parametrize(
    "layers",
    [
        {"observability": {"name": "ours"}, "awsSdk": {"name": "ours"}},
        {
            "observability": {"mode": "external", "arn": f"{LAYER}ours:1"},
            "awsSdk": {"mode": "external", "arn": f"{LAYER}ours:2"},
        },
        {
            "observability": {
                "mode": "external",
                "arn": f"{LAYER}visit-event-checkpoint-aws-sdk:1",
            }
        },
    ],
)
def test_one_layer_in_two_places_is_refused(layers: dict[str, Any]) -> None:
    """Lambda takes one version of a layer for a function."""
    [problem] = problems({"layers": layers})

    assert problem.startswith("layers.awsSdk: is the same layer as layers.observability")


def test_an_environment_that_lambda_would_refuse_is_refused() -> None:
    """4 KB for all of it; the message names the longest."""
    patterns = [f"project-{number:04}-*" for number in range(300)]
    [problem] = problems({"run": {"excludeProjects": patterns}})

    assert problem.startswith("run: the function's environment would have ")
    assert "shorten what becomes EXCLUDE_PROJECTS" in problem


def test_names_and_keys_fit_into_what_aws_takes() -> None:
    """With the longest service, environment and key that the configuration lets through."""
    config = read(
        {
            "service": "s" * 32,
            "environment": "e" * 20,
            "checkpoint": {"key": f"{'k' * 252}/{'k' * 251}.parquet"},
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


@pytest.mark.parametrize(
    "changes,said",
    [
        ({"layers": {"awsSdk": {"mode": "reuse", "sharedWith": ["111122223333"]}}}, "mode build"),
        ({"layers": {"awsSdk": {"sharedWith": ["111122223333"] * 2}}}, "an account twice"),
        ({"alarms": {"emails": ["a@b.org", "A@b.org"]}}, "alarms.emails: names an address twice"),
        ({"notification": {}}, "notification: give targetArns, or createTopic"),
        (
            {"notification": {"targetArns": ["arn:aws:sqs:us-east-1:123456789012:x"] * 2}},
            "notification.targetArns: names a target twice",
        ),
        (
            {"athena": {"database": "d", "workgroup": {"resultsBucket": "x", "scanLimitMb": 9}}},
            "athena.workgroup",
        ),
        (
            {
                "athena": {
                    "database": "d",
                    "workgroup": {
                        "resultsBucket": "nacc-checkpoints-dev",
                        "resultsPrefix": "checkpoints/results/",
                    },
                }
            },
            "athena.workgroup.resultsPrefix: must not be below the checkpoint's folder",
        ),
        (
            {
                "accessLogs": {"bucket": "logs"},
                "checkpoint": {"create": False},
                "artifacts": {"create": False},
            },
            "accessLogs: no bucket is created here",
        ),
        ({"accessLogs": {"bucket": "nacc-events", "create": True}}, "accessLogs: a bucket that is"),
        ({"vpc": {"subnetIds": [], "securityGroupIds": ["sg-0a1b2c3d"]}}, "vpc.subnetIds"),
        (
            {"vpc": {"subnetIds": ["x"], "securityGroupIds": ["sg-0a1b2c3d"]}},
            "vpc.subnetIds[0]: must be a subnet's id",
        ),
    ],
)
def test_an_option_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    """What it would ignore, and what would be there twice."""
    assert said in problems(changes)[0]


def test_the_stack_with_every_option_is_right() -> None:
    """So that each refusal above is about what it changes."""
    assert read(EVERYTHING).environment == "full"
