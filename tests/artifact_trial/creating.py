"""Mocks that create what the program asks for in moto, through boto3.

boto3 checks parameters as the real API does, and moto what refers to something else. Created are
roles, policies, buckets, archives, layers, queues, the function and its schedule; the rest is only
answered, as by `Cloud`.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import boto3.session
from pulumi.runtime import mocks
from typing_extensions import override

from tests.infra.deploying import Cloud, plain

REGION: Final = "us-east-1"

State = tuple[str, dict[str, Any]]


class Creating(Cloud):
    """Creates the resources that it has a method for."""

    def __init__(self) -> None:
        super().__init__()
        self._session: Any = boto3.session.Session(region_name=REGION)
        self._clients: dict[str, Any] = {}
        self._makers: dict[str, Callable[[dict[str, Any]], State]] = {
            "aws:iam/role:Role": self._role,
            "aws:iam/rolePolicy:RolePolicy": self._role_policy,
            "aws:s3/bucket:Bucket": self._bucket,
            "aws:s3/bucketPolicy:BucketPolicy": self._bucket_policy,
            "aws:s3/bucketObjectv2:BucketObjectv2": self._object,
            "aws:sqs/queue:Queue": self._queue,
            "aws:lambda/layerVersion:LayerVersion": self._layer,
            "aws:lambda/function:Function": self._function,
            "aws:lambda/alias:Alias": self._alias,
            "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": self._invocation,
            "aws:scheduler/scheduleGroup:ScheduleGroup": self._group,
            "aws:scheduler/schedule:Schedule": self._schedule,
        }
        self.created: list[str] = []
        # The digests of what was uploaded, by key.
        self._uploaded: dict[str, str] = {}

    def client(self, service: str) -> Any:
        """Return boto3's client, one for each service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]

    @override
    def new_resource(self, args: mocks.MockResourceArgs) -> State:
        make = self._makers.get(args.typ)
        if make is None:
            return super().new_resource(args)
        identity, computed = make(plain(args.inputs))
        self.created.append(args.typ)
        return identity, {**args.inputs, **computed}

    def _role(self, wanted: dict[str, Any]) -> State:
        role = self.client("iam").create_role(
            RoleName=wanted["name"],
            Description=wanted["description"],
            AssumeRolePolicyDocument=wanted["assumeRolePolicy"],
        )
        return wanted["name"], {"arn": role["Role"]["Arn"]}

    def _role_policy(self, wanted: dict[str, Any]) -> State:
        self.client("iam").put_role_policy(
            RoleName=wanted["role"], PolicyName=wanted["name"], PolicyDocument=wanted["policy"]
        )
        return f"{wanted['role']}:{wanted['name']}", {}

    def _bucket(self, wanted: dict[str, Any]) -> State:
        self.client("s3").create_bucket(Bucket=wanted["bucket"])
        return wanted["bucket"], {"arn": f"arn:aws:s3:::{wanted['bucket']}"}

    def _bucket_policy(self, wanted: dict[str, Any]) -> State:
        self.client("s3").put_bucket_policy(Bucket=wanted["bucket"], Policy=wanted["policy"])
        return wanted["bucket"], {}

    def _object(self, wanted: dict[str, Any]) -> State:
        body = Path(wanted["source"]).read_bytes()
        self.client("s3").put_object(Bucket=wanted["bucket"], Key=wanted["key"], Body=body)
        digest = hashlib.sha256(body).digest()
        self._uploaded[wanted["key"]] = base64.b64encode(digest).decode()
        return wanted["key"], {}

    def _queue(self, wanted: dict[str, Any]) -> State:
        attributes = {
            "MessageRetentionPeriod": str(int(wanted["messageRetentionSeconds"])),
            "SqsManagedSseEnabled": str(wanted["sqsManagedSseEnabled"]).lower(),
        }
        client = self.client("sqs")
        url = client.create_queue(QueueName=wanted["name"], Attributes=attributes)["QueueUrl"]
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, {"url": url, "arn": answer["Attributes"]["QueueArn"]}

    def _layer(self, wanted: dict[str, Any]) -> State:
        version = self.client("lambda").publish_layer_version(
            LayerName=wanted["layerName"],
            Description=wanted["description"],
            Content={"S3Bucket": wanted["s3Bucket"], "S3Key": wanted["s3Key"]},
            CompatibleRuntimes=wanted["compatibleRuntimes"],
            CompatibleArchitectures=wanted["compatibleArchitectures"],
        )
        # What was uploaded is what was published.
        assert version["Content"]["CodeSha256"] == self._uploaded[wanted["s3Key"]]
        return version["LayerVersionArn"], {"arn": version["LayerVersionArn"]}

    def _function(self, wanted: dict[str, Any]) -> State:
        logging = wanted["loggingConfig"]
        function = self.client("lambda").create_function(
            FunctionName=wanted["name"],
            Description=wanted["description"],
            Role=wanted["role"],
            Handler=wanted["handler"],
            Runtime=wanted["runtime"],
            Architectures=wanted["architectures"],
            Code={"ZipFile": Path(wanted["code"]).read_bytes()},
            Layers=wanted["layers"],
            MemorySize=int(wanted["memorySize"]),
            Timeout=int(wanted["timeout"]),
            EphemeralStorage={"Size": int(wanted["ephemeralStorage"]["size"])},
            Environment={"Variables": wanted["environment"]["variables"]},
            TracingConfig={"Mode": wanted["tracingConfig"]["mode"]},
            LoggingConfig={
                "LogFormat": logging["logFormat"],
                "LogGroup": logging["logGroup"],
                "ApplicationLogLevel": logging["applicationLogLevel"],
                "SystemLogLevel": logging["systemLogLevel"],
            },
            Publish=wanted["publish"],
        )
        return wanted["name"], {"arn": function["FunctionArn"], "version": function["Version"]}

    def _alias(self, wanted: dict[str, Any]) -> State:
        alias = self.client("lambda").create_alias(
            FunctionName=wanted["functionName"],
            Name=wanted["name"],
            FunctionVersion=wanted["functionVersion"],
            Description=wanted["description"],
        )
        return alias["AliasArn"], {"arn": alias["AliasArn"]}

    def _invocation(self, wanted: dict[str, Any]) -> State:
        destination = wanted["destinationConfig"]["onFailure"]["destination"]
        self.client("lambda").put_function_event_invoke_config(
            FunctionName=wanted["functionName"],
            Qualifier=wanted["qualifier"],
            MaximumRetryAttempts=int(wanted["maximumRetryAttempts"]),
            MaximumEventAgeInSeconds=int(wanted["maximumEventAgeInSeconds"]),
            DestinationConfig={"OnFailure": {"Destination": destination}},
        )
        return wanted["functionName"], {}

    def _group(self, wanted: dict[str, Any]) -> State:
        group = self.client("scheduler").create_schedule_group(Name=wanted["name"])
        return wanted["name"], {"arn": group["ScheduleGroupArn"]}

    def _schedule(self, wanted: dict[str, Any]) -> State:
        target = wanted["target"]
        json.loads(target["input"])
        schedule = self.client("scheduler").create_schedule(
            Name=wanted["name"],
            GroupName=wanted["groupName"],
            Description=wanted["description"],
            ScheduleExpression=wanted["scheduleExpression"],
            ScheduleExpressionTimezone=wanted["scheduleExpressionTimezone"],
            State=wanted["state"],
            FlexibleTimeWindow={"Mode": wanted["flexibleTimeWindow"]["mode"]},
            Target={
                "Arn": target["arn"],
                "RoleArn": target["roleArn"],
                "Input": target["input"],
                "RetryPolicy": {
                    "MaximumRetryAttempts": int(target["retryPolicy"]["maximumRetryAttempts"]),
                    "MaximumEventAgeInSeconds": int(
                        target["retryPolicy"]["maximumEventAgeInSeconds"]
                    ),
                },
                "DeadLetterConfig": {"Arn": target["deadLetterConfig"]["arn"]},
            },
        )
        return wanted["name"], {"arn": schedule["ScheduleArn"]}
