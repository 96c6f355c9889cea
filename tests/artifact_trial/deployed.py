"""What the Pulumi program gives the function that was built: variables, a role and buckets in moto."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from msgspec import Struct

from artifacts.targets import Target
from tests.artifact_trial.sandbox import CREDENTIALS
from tests.checkpoint_storage.s3.serving import set_aws
from tests.fake_s3 import SyntheticEvents
from tests.infra.deploying import Cloud, deploy, merged, stack_values
from tests.moto_serving import serving_moto

EVENTS, CHECKPOINTS = "nacc-events", "nacc-checkpoints-dev"
CHECKPOINT = "checkpoints/events.parquet"
REJECTS = "checkpoints/_rejects/events.parquet"
LEDGERS = "checkpoints/_ledger/events/"
OLD_LEDGER = f"{LEDGERS}00000001-old.parquet"
OLD_DIGESTS = f"{LEDGERS}00000001-old.json"
SAMPLE = SyntheticEvents(40, prefix="dev/")
BROKEN = "dev/log-submit-20240115-100000-42-ingest-form-110001-01.json"


class Deployed(Struct, frozen=True, kw_only=True):
    """What the function is told and what it may do, and two who look at its buckets.

    Args:
        endpoint_url: of the server.
        variables: the function's environment.
        policy: the role's.
        credentials: the role's, as environment variables.
        owner: a client of S3 with all rights while policies are not enforced.
        role: a client of S3 with the role's rights.

    """

    endpoint_url: str
    variables: dict[str, str]
    policy: dict[str, Any]
    credentials: dict[str, str]
    owner: Any
    role: Any


@contextmanager
def deploying(built: Path, target: Target) -> Iterator[Deployed]:
    """Make what dev's function has beside itself, and the source's bucket."""
    with serving_moto() as endpoint_url:
        with pytest.MonkeyPatch.context() as patch:
            set_aws(
                patch,
                **CREDENTIALS,
                AWS_DEFAULT_REGION="us-east-1",
                AWS_ENDPOINT_URL=endpoint_url,
            )
            deployed = _deploy(built, target, endpoint_url)
        yield deployed


def _deploy(built: Path, target: Target, endpoint_url: str) -> Deployed:
    runtime = {"runtime": f"python{target.runtime}", "architecture": target.architecture}
    program = deploy(merged(stack_values("dev"), {"function": runtime}), built, Cloud())
    function = program.one("aws:lambda/function:Function")
    name = function["role"].rpartition("/")[2]
    [role] = [
        each.inputs for each in program.all("aws:iam/role:Role") if each.inputs["name"] == name
    ]
    [rights] = [
        each.inputs
        for each in program.all("aws:iam/rolePolicy:RolePolicy")
        if each.inputs["role"] == name
    ]
    s3, iam = boto3.client("s3"), boto3.client("iam")
    for bucket in (CHECKPOINTS, EVENTS):
        s3.create_bucket(Bucket=bucket)
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=role["assumeRolePolicy"])
    iam.put_role_policy(RoleName=name, PolicyName="given", PolicyDocument=rights["policy"])
    arn = created["Role"]["Arn"]
    found = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="run")
    keys = found["Credentials"]
    return Deployed(
        endpoint_url=endpoint_url,
        variables=function["environment"]["variables"],
        policy=json.loads(rights["policy"]),
        credentials={
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        },
        owner=s3,
        role=boto3.client(
            "s3",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        ),
    )
