"""What holds for every resource of every stack: encryption, retention, tags, least privilege."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from checkpoint_infra.monitoring.metrics import NAMESPACE
from tests.infra.deploying import STACKS, Deployment, Registered
from tests.infra.evaluating import Access, allows
from tests.infra.translating import template

# What AWS cannot restrict to a resource.
WITHOUT_RESOURCES = {
    "cloudwatch:PutMetricData",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    # Some of these know resources, of which none exists before Lambda makes it.
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"


@pytest.fixture(params=[*STACKS, "everything"])
def deployment(
    request: pytest.FixtureRequest, stacks: dict[str, Deployment], everything: Deployment
) -> Deployment:
    """Give each stack, and one with every option on."""
    return {**stacks, "everything": everything}[request.param]


def resources(deployment: Deployment) -> list[Registered]:
    """Return what AWS would be asked for."""
    found = [each for each in deployment.resources if each.kind.startswith("aws:")]
    assert len(found) > 20
    return found


def policies(deployment: Deployment) -> Iterator[tuple[Registered, list[dict[str, Any]]]]:
    """Yield the statements of every policy in any resource, with the resource."""
    for each in resources(deployment):
        for name in ("policy", "assumeRolePolicy"):
            if name in each.inputs:
                yield each, json.loads(each.inputs[name])["Statement"]


def test_everything_goes_through_the_one_provider_that_tags(deployment: Deployment) -> None:
    """It knows its account and region, and puts service, environment and our tags on everything.

    Nothing has tags of its own, which would take the place of these.
    """
    [provider] = deployment.all("pulumi:providers:aws")
    tags = json.loads(provider.inputs["defaultTags"])["tags"]
    strangers = [each for each in resources(deployment) if "::aws::" not in each.provider]

    assert [] == strangers
    assert [] == [each.name for each in resources(deployment) if "tags" in each.inputs]
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["123456789012"]
    assert provider.inputs["region"] == "us-east-1"
    assert tags["service"] == "visit-event-checkpoint"
    assert tags["environment"] in {*STACKS, "full"}
    assert tags["managed-by"] == "pulumi"


def test_nothing_that_is_kept_is_kept_in_the_clear_or_for_ever(deployment: Deployment) -> None:
    """Buckets and queues encrypt; logs and messages have an end."""
    encrypted = {
        each.inputs["bucket"]: each.inputs["rules"][0]["applyServerSideEncryptionByDefault"]
        for each in deployment.all(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
        )
    }

    buckets = {each.inputs["bucket"] for each in deployment.all("aws:s3/bucket:Bucket")}
    assert buckets == encrypted.keys()
    assert {rule["sseAlgorithm"] for rule in encrypted.values()} <= {"AES256", "aws:kms"}
    for queue in deployment.all("aws:sqs/queue:Queue"):
        assert queue.inputs["sqsManagedSseEnabled"] is True
        assert queue.inputs["messageRetentionSeconds"] == 1_209_600
    groups = deployment.all("aws:cloudwatch/logGroup:LogGroup")
    assert all(group.inputs["retentionInDays"] > 0 for group in groups)
    assert len(groups) == 1


def test_nothing_is_public(deployment: Deployment) -> None:
    """No bucket, no queue, no address of the function, no permission for strangers."""
    blocks = deployment.all("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
    buckets = {each.inputs["bucket"] for each in deployment.all("aws:s3/bucket:Bucket")}
    kinds = {each.kind for each in resources(deployment)}

    assert {block.inputs["bucket"] for block in blocks} == buckets
    for block in blocks:
        assert [name for name, on in block.inputs.items() if on is not True] == ["bucket"]
    # Layers hold published software alone, and are shared with accounts that are named.
    shared = deployment.all("aws:lambda/layerVersionPermission:LayerVersionPermission")
    assert not {kind for kind in kinds if "Url" in kind or "Acl" in kind or "ermission" in kind} - {
        each.kind for each in shared
    }
    for each in shared:
        assert each.inputs["principal"] != "*" or each.inputs["organizationId"]
    for each, statements in policies(deployment):
        for statement in statements:
            # Through an endpoint come those alone whom the condition names.
            is_narrow = each.kind == ENDPOINT and "Condition" in statement
            is_open = statement.get("Principal") == "*" and not is_narrow
            assert statement["Effect"] == "Deny" or not is_open


def test_everything_that_is_kept_is_reached_by_tls_alone(deployment: Deployment) -> None:
    """Buckets, queues and the topic of checkpoints refuse everybody else."""
    kinds = {"aws:s3/bucket:Bucket", "aws:sqs/queue:Queue", "aws:sns/topicPolicy:TopicPolicy"}
    kept = [each for each in resources(deployment) if each.kind in kinds]
    refusing = [
        statement
        for each, statements in policies(deployment)
        for statement in statements
        if statement["Effect"] == "Deny" and each.kind != "aws:iam/rolePolicy:RolePolicy"
    ]

    assert len(kept) == len(refusing)
    for statement in refusing:
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert statement["Principal"] == "*"


def test_nobody_may_do_anything_to_everything(deployment: Deployment) -> None:
    """No wildcard among actions; among resources only where AWS knows none, or at an end."""
    allowed = [
        statement
        for each, statements in policies(deployment)
        for statement in statements
        if statement["Effect"] == "Allow" and each.kind == "aws:iam/rolePolicy:RolePolicy"
    ]

    assert len(allowed) > 5
    for statement in allowed:
        assert not [action for action in statement["Action"] if "*" in action]
        for resource in statement["Resource"]:
            if resource == "*":
                assert set(statement["Action"]) <= WITHOUT_RESOURCES
            else:
                assert "*" not in resource.removesuffix("*")
                assert resource.count(":") >= 5


def test_roles_are_for_one_service_each(deployment: Deployment) -> None:
    """The scheduler's only for this stack's own group."""
    trusted = {
        each.name: statements[0]
        for each, statements in policies(deployment)
        if each.kind == "aws:iam/role:Role"
    }
    [group] = deployment.all("aws:scheduler/scheduleGroup:ScheduleGroup")

    assert trusted["role"]["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert trusted["scheduler"]["Principal"] == {"Service": "scheduler.amazonaws.com"}
    conditions = trusted["scheduler"]["Condition"]["StringEquals"]
    assert conditions["aws:SourceAccount"] == "123456789012"
    assert conditions["aws:SourceArn"].endswith(f":schedule-group/{group.inputs['name']}")


def test_buckets_made_here_outlive_a_mistake(deployment: Deployment) -> None:
    """Protected against removal with the stack, versioned, and never emptied for it."""
    made = deployment.all("aws:s3/bucket:Bucket")
    versioned = {
        each.inputs["bucket"]: each.inputs["versioningConfiguration"]["status"]
        for each in deployment.all("aws:s3/bucketVersioning:BucketVersioning")
    }

    assert all(each.protect and each.inputs["forceDestroy"] is False for each in made)
    assert {each.inputs["bucket"]: "Enabled" for each in made} == versioned


def test_what_is_sent_somewhere_may_be_sent_there(deployment: Deployment) -> None:
    """Failed runs to their queue, schedules to what they start, what is undelivered to a queue."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in template(deployment)["Resources"].values():
        found.setdefault(each["Type"], []).append(each["Properties"])
    policies = {
        role["RoleName"]: role["Policies"][0]["PolicyDocument"] for role in found["AWS::IAM::Role"]
    }

    def may(role_arn: str, action: str, resource: str) -> bool:
        role = role_arn.rpartition("/")[2]
        context = {"cloudwatch:namespace": NAMESPACE}
        return allows(policies[role], Access(action=action, resource=resource, context=context))

    [function], [failing] = found["AWS::Lambda::Function"], found["AWS::Lambda::EventInvokeConfig"]
    assert may(
        function["Role"],
        "sqs:SendMessage",
        failing["DestinationConfig"]["OnFailure"]["Destination"],
    )
    for schedule in found["AWS::Scheduler::Schedule"]:
        target = schedule["Target"]
        starts = ("cloudwatch:PutMetricData", "*")
        if not target["Arn"].endswith(":putMetricData"):
            starts = ("lambda:InvokeFunction", target["Arn"])
        assert may(target["RoleArn"], *starts)
        assert may(target["RoleArn"], "sqs:SendMessage", target["DeadLetterConfig"]["Arn"])
