"""The stack created in moto through boto3, and its role used there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count
from msgspec import Struct

from tests.infra.creating import REGION, Creating
from tests.infra.deploying import ACCOUNT, Deployment, deploy, merged, stack_values

FUNCTION = "visit-event-checkpoint-dev"
CHECKPOINT = "checkpoints/events.parquet"
LEDGER = "checkpoints/_ledger/events/00000001-a.parquet"
REJECTS = "checkpoints/_rejects/events.parquet"


class Created(Struct, frozen=True, kw_only=True):
    """What the program asked for, and what came of it."""

    cloud: Creating
    deployment: Deployment


@pytest.fixture(scope="module")
def created(artifacts: Path) -> Iterator[Created]:
    """Give dev, with all layers built, in an otherwise empty account."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        cloud = Creating()
        values = merged(stack_values("dev"), {"schedule": {"enabled": True}})
        yield Created(cloud=cloud, deployment=deploy(values, artifacts, cloud))


def test_boto3_and_moto_accept_what_the_program_asks_for(created: Created) -> None:
    """Roles, policies, buckets, layers, queues, function and schedule."""
    assert len(set(created.cloud.created)) == len(created.cloud._makers)


def test_the_function_that_is_there_is_the_one_that_was_meant(created: Created) -> None:
    """Read back through the API."""
    client = created.cloud.client("lambda")
    found = client.get_function_configuration(FunctionName=FUNCTION, Qualifier="dev")
    layers = [layer["Arn"] for layer in found["Layers"]]

    assert found["Version"] == "1"
    assert (found["MemorySize"], found["Timeout"]) == (3008, 900)
    assert found["Role"] == f"arn:aws:iam::{ACCOUNT}:role/{FUNCTION}-role"
    assert layers == created.deployment.outputs["all_layer_arns"]
    assert all(arn.endswith(":1") for arn in layers)


def test_a_failed_invocation_goes_to_the_queue_that_the_role_may_write_to(
    created: Created,
) -> None:
    """Lambda refuses the destination otherwise."""
    config = created.cloud.client("lambda").get_function_event_invoke_config(
        FunctionName=FUNCTION, Qualifier="dev"
    )
    policy = created.cloud.client("iam").get_role_policy(
        RoleName=f"{FUNCTION}-role", PolicyName=f"{FUNCTION}-role"
    )["PolicyDocument"]
    queues = [
        each["Resource"] for each in policy["Statement"] if "sqs:SendMessage" in each["Action"]
    ]

    assert config["MaximumRetryAttempts"] == 0
    assert queues == [[config["DestinationConfig"]["OnFailure"]["Destination"]]]


def test_the_schedule_leads_to_the_alias_by_a_role_that_may_invoke_it(created: Created) -> None:
    """And the dead letters to a queue that the same role may write to."""
    schedule = created.cloud.client("scheduler").get_schedule(Name=FUNCTION, GroupName=FUNCTION)
    target = schedule["Target"]
    alias = created.cloud.client("lambda").get_alias(FunctionName=FUNCTION, Name="dev")
    role = target["RoleArn"].rpartition("/")[2]
    policy = created.cloud.client("iam").get_role_policy(RoleName=role, PolicyName=role)
    allowed = {
        statement["Action"][0]: statement["Resource"]
        for statement in policy["PolicyDocument"]["Statement"]
    }

    assert schedule["State"] == "ENABLED"
    assert target["Arn"] == alias["AliasArn"]
    assert allowed == {
        "lambda:InvokeFunction": [alias["AliasArn"]],
        "sqs:SendMessage": [target["DeadLetterConfig"]["Arn"]],
    }


class Storage(Struct, frozen=True, kw_only=True):
    """A client with the role's rights and no others, and a bucket that is nobody's business."""

    client: Any

    def ask(self, operation: str, bucket: str, key: str) -> None:
        """Ask for one thing."""
        wanted: dict[str, Any] = {"Bucket": bucket}
        wanted["Prefix" if operation == "list_objects_v2" else "Key"] = key
        if operation == "put_object":
            wanted["Body"] = b"new"
        getattr(self.client, operation)(**wanted)


@pytest.fixture(scope="module")
def storage(created: Created) -> Storage:
    """Give the role's own client to the buckets, with objects in them."""
    s3 = created.cloud.client("s3")
    objects = {
        "nacc-events": ["dev/log-1.json", "prod/log-1.json"],
        "nacc-checkpoints-dev": [CHECKPOINT, LEDGER, REJECTS, "checkpoints/other.parquet", "x"],
        "somebody-elses": ["dev/log-1.json"],
    }
    # It refuses everybody without TLS, and moto, which reads no conditions, everybody.
    s3.delete_bucket_policy(Bucket="nacc-checkpoints-dev")
    for bucket, keys in objects.items():
        if bucket != "nacc-checkpoints-dev":
            s3.create_bucket(Bucket=bucket)
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=b"old")
    role = f"arn:aws:iam::{ACCOUNT}:role/{FUNCTION}-role"
    keys_of_role = created.cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="run")
    credentials = keys_of_role["Credentials"]
    return Storage(
        client=boto3.client(
            "s3",
            region_name=REGION,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
    )


@pytest.mark.parametrize(
    "operation,bucket,key",
    [
        ("list_objects_v2", "nacc-events", "dev/"),
        ("get_object", "nacc-events", "dev/log-1.json"),
        ("head_object", "nacc-events", "dev/log-1.json"),
        ("list_objects_v2", "nacc-checkpoints-dev", "checkpoints/_ledger/events/"),
        ("get_object", "nacc-checkpoints-dev", CHECKPOINT),
        ("put_object", "nacc-checkpoints-dev", CHECKPOINT),
        ("put_object", "nacc-checkpoints-dev", LEDGER),
        ("get_object", "nacc-checkpoints-dev", LEDGER),
        ("delete_object", "nacc-checkpoints-dev", LEDGER),
        ("put_object", "nacc-checkpoints-dev", REJECTS),
        ("get_object", "nacc-checkpoints-dev", REJECTS),
    ],
)
def test_the_role_may_do_what_a_run_does(
    storage: Storage, operation: str, bucket: str, key: str
) -> None:
    """List and read event objects; read and write the checkpoint's files; delete ledgers."""
    set_initial_no_auth_action_count(0)(storage.ask)(operation, bucket, key)


@pytest.mark.parametrize(
    "operation,bucket,key",
    [
        ("get_object", "nacc-events", "prod/log-1.json"),
        ("put_object", "nacc-events", "dev/log-1.json"),
        ("delete_object", "nacc-events", "dev/log-1.json"),
        ("get_object", "somebody-elses", "dev/log-1.json"),
        ("list_objects_v2", "somebody-elses", "dev/"),
        ("put_object", "somebody-elses", "dev/log-1.json"),
        ("delete_object", "nacc-checkpoints-dev", CHECKPOINT),
        ("delete_object", "nacc-checkpoints-dev", REJECTS),
        ("put_object", "nacc-checkpoints-dev", "checkpoints/other.parquet"),
        ("get_object", "nacc-checkpoints-dev", "x"),
        ("put_object", "nacc-checkpoints-dev", "x"),
    ],
)
def test_the_role_may_do_nothing_else(
    storage: Storage, operation: str, bucket: str, key: str
) -> None:
    """Neither elsewhere, nor destroy what it reads."""
    with pytest.raises(ClientError, match=r"AccessDenied|Forbidden"):
        set_initial_no_auth_action_count(0)(storage.ask)(operation, bucket, key)
