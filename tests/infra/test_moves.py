"""From one configuration to another: what Pulumi would remove or replace.

A resource is removed when nothing of its type and name is registered any more, and replaced when an
input changes that AWS cannot change.
"""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.infra.conftest import EVERYTHING
from tests.infra.deploying import INFRA, Deployment, Registered, deploy, merged, stack_values

# Inputs that AWS cannot change, by kind; ALL but those that are told. Of a bucket and its settings
# it is the bucket.
ALL: Final = "*"
FORCING: Final[dict[str, set[str]]] = {
    "aws:athena/namedQuery:NamedQuery": {ALL},
    "aws:athena/workgroup:Workgroup": {"name"},
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": {"alarmName"},
    "aws:cloudwatch/dashboard:Dashboard": {"dashboardName"},
    "aws:cloudwatch/eventRule:EventRule": {"name"},
    "aws:cloudwatch/eventTarget:EventTarget": {"rule", "targetId"},
    "aws:cloudwatch/logGroup:LogGroup": {"name"},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"name"},
    "aws:cloudwatch/queryDefinition:QueryDefinition": set(),
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"serviceName", "vpcEndpointType", "vpcId"},
    "aws:glue/catalogDatabase:CatalogDatabase": {"name"},
    "aws:glue/catalogTable:CatalogTable": {"databaseName", "name"},
    "aws:iam/role:Role": {"name"},
    "aws:iam/rolePolicy:RolePolicy": {"name", "role"},
    "aws:lambda/alias:Alias": {"functionName", "name"},
    "aws:lambda/function:Function": {"name"},
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {"functionName", "qualifier"},
    "aws:lambda/layerVersion:LayerVersion": {ALL, "skipDestroy"},
    "aws:lambda/layerVersionPermission:LayerVersionPermission": {ALL, "skipDestroy"},
    "aws:s3/bucketObjectv2:BucketObjectv2": {"bucket", "key"},
    "aws:scheduler/schedule:Schedule": {"groupName", "name"},
    "aws:scheduler/scheduleGroup:ScheduleGroup": {"name"},
    "aws:sns/topic:Topic": {"name"},
    "aws:sns/topicPolicy:TopicPolicy": {"arn"},
    "aws:sns/topicSubscription:TopicSubscription": {"endpoint", "protocol", "topic"},
    "aws:sqs/queue:Queue": {"name"},
    "aws:sqs/queuePolicy:QueuePolicy": {"queueUrl"},
}
# What holds something that nobody can make again, and the settings that guard it.
STATEFUL: Final = (
    "aws:athena/workgroup:",
    "aws:cloudwatch/logGroup:",
    "aws:glue/catalogDatabase:",
    "aws:lambda/layerVersion",
    "aws:s3/bucket:",
    "aws:s3/bucketLifecycle",
    "aws:s3/bucketOwnership",
    "aws:s3/bucketPolicy:",
    "aws:s3/bucketPublic",
    "aws:s3/bucketServer",
    "aws:s3/bucketVersioning:",
    "aws:sqs/queue",
)


def by_identity(deployment: Deployment) -> dict[tuple[str, str, str], Registered]:
    """Return the resources by what Pulumi knows them by: the types above them, type and name."""
    found = {}
    for each in deployment.resources:
        above = each.parent.rpartition("::")[0].rpartition("::")[2]
        found[above, each.kind, each.name] = each
    assert len(found) == len(deployment.resources)
    return found


def lost(before: Deployment, after: Deployment) -> list[Registered]:
    """Return what would be removed or replaced, as it was."""
    old, new = by_identity(before), by_identity(after)
    return [
        each
        for key, each in old.items()
        if each.kind.startswith("aws:") and (key not in new or is_replaced(each, new[key]))
    ]


def is_replaced(before: Registered, after: Registered) -> bool:
    """Say whether an input changed that AWS cannot change."""
    changed = {
        name
        for name in before.inputs.keys() | after.inputs.keys()
        if before.inputs.get(name) != after.inputs.get(name)
    }
    forcing = FORCING.get(before.kind, {"bucket"})
    return bool(changed - forcing if ALL in forcing else changed & forcing)


def told(found: list[Registered]) -> set[str]:
    """Return the types and names, without what is before them."""
    return {f"{each.kind.rpartition(':')[2]} {each.name}" for each in found}


def is_kept(each: Registered) -> bool:
    """Say whether AWS keeps it although Pulumi forgets it."""
    return each.retain_on_delete or each.inputs.get("skipDestroy") is True


TOPIC: Final = "arn:aws:sns:us-east-1:123456789012:operations"
# From the stack with every option.
MOVES: Final[dict[str, dict[str, Any]]] = {
    "emails-changed": {"alarms": {"emails": ["new@example.org", "checkpoint-alarms@example.org"]}},
    "service-renamed": {"service": "another-name"},
    "environment-renamed": {"environment": "other"},
    "layers-reused": {"layers": {name: {"mode": "reuse"} for name in ("observability", "awsSdk")}},
    "all-buckets-given": {
        "source": {"create": False, "archive": None},
        "checkpoint": {"create": False},
        "artifacts": {"create": False},
        "accessLogs": None,
    },
    "athena-off": {"athena": None},
    "topic-given": {"alarms": {"emails": None, "topicKmsKeyArn": None, "topicArn": TOPIC}},
    "sizes-and-tags": {
        "tags": {"cost-center": "research"},
        "function": {"memoryMb": 2048, "timeoutS": 800, "logRetentionDays": 60},
        "schedule": {"timeZone": "UTC"},
    },
}


@pytest.fixture(scope="module")
def moved(everything: Deployment, artifacts: Path) -> dict[str, list[Registered]]:
    """Give what each move would remove or replace; of a bucket's rules, when they are given away."""
    full = merged(stack_values("dev"), EVERYTHING)
    found = {
        name: lost(everything, deploy(merged(full, after), artifacts))
        for name, after in MOVES.items()
    }
    owned = merged(full, {"source": {"create": False, "ownsLifecycle": True}})
    given = merged(owned, {"source": {"ownsLifecycle": False, "archive": None}})
    return found | {"lifecycle-given": lost(deploy(owned, artifacts), deploy(given, artifacts))}


def test_nothing_that_holds_something_is_lost_by_any_move(
    moved: dict[str, list[Registered]],
) -> None:
    """Logs, messages, buckets with their guards, databases, published layers: AWS keeps them."""
    gone = {
        name: told([each for each in found if each.kind.startswith(STATEFUL) and not is_kept(each)])
        for name, found in moved.items()
    }

    assert gone == {name: set() for name in (*MOVES, "lifecycle-given")}


def test_only_giving_a_bucket_away_meets_its_protection(
    moved: dict[str, list[Registered]],
) -> None:
    """Pulumi then refuses until somebody has said so; the bucket stays in either case."""
    protected = {
        name: {each.name for each in found if each.protect}
        for name, found in moved.items()
        if any(each.protect for each in found)
    }

    assert protected == {
        "all-buckets-given": {"source", "checkpoint", "artifacts", "access-logs"},
    }


def test_another_list_of_addresses_ends_one_subscription(
    moved: dict[str, list[Registered]],
) -> None:
    """That of the address that is gone; the order does not matter."""
    [subscription] = moved["emails-changed"]

    assert subscription.kind == "aws:sns/topicSubscription:TopicSubscription"
    assert subscription.inputs["endpoint"] == "on-call@example.org"


def test_other_sizes_and_tags_replace_nothing(moved: dict[str, list[Registered]]) -> None:
    """They are changed in place."""
    assert told(moved["sizes-and-tags"]) == set()


def test_a_layer_that_is_reused_instead_of_built_leaves_its_archive_only(
    moved: dict[str, list[Registered]],
) -> None:
    """Lambda keeps a copy of its own, and the published version stays."""
    assert told([each for each in moved["layers-reused"] if not is_kept(each)]) == {
        "BucketObjectv2 observability",
        "BucketObjectv2 aws-sdk",
    }


def test_what_aws_cannot_change_is_known_for_every_kind(everything: Deployment) -> None:
    """A new kind must be added above."""
    kinds = {each.kind for each in everything.resources if each.kind.startswith("aws:")}

    assert {kind for kind in kinds if not kind.startswith("aws:s3/bucket")} <= FORCING.keys()
    assert FORCING.keys() <= kinds


def test_a_change_by_hand_is_put_right_by_the_next_deployment(everything: Deployment) -> None:
    """Nothing is left aside when Pulumi compares, and Pulumi.yaml lets it look before each time."""
    aside = [each.name for each in everything.resources if each.ignore_changes]
    project = yaml.safe_load((INFRA / "Pulumi.yaml").read_text(encoding="utf-8"))

    assert [] == aside
    assert project["options"] == {"refresh": "always"}
    assert everything.one("aws:lambda/alias:Alias")["functionVersion"] == "7"
