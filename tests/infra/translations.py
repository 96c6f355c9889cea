"""How each kind of resource is written in CloudFormation."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.infra.deploying import Deployment

__all__ = ["KINDS", "NOT_TRANSLATED", "Inputs", "short"]

Inputs = dict[str, Any]
Translate = Callable[[Inputs, Deployment], Inputs]

# Names that differ by more than the case of their first letter.
_NAMES: Final = {
    "enforceWorkgroupConfiguration": "EnforceWorkGroupConfiguration",
    "kmsMasterKeyId": "KMSMasterKeyID",
    "okActions": "OKActions",
    "publishCloudwatchMetricsEnabled": "PublishCloudWatchMetricsEnabled",
    "serDeInfo": "SerdeInfo",
    "sseAlgorithm": "SSEAlgorithm",
}
# Inputs that are documents as text, and those whose names are somebody's own.
_DOCUMENTS: Final = {"assumeRolePolicy", "eventPattern", "policy"}
_THEIR_OWN: Final = {"parameters", "variables"}
_ACCOUNT: Final = "123456789012"


def short(kind: str) -> str:
    """Return a type's service and name, such as `s3:Bucket`."""
    return re.sub(r"^aws:(\w+)/\w+:", r"\1:", kind)


def _renamed(**names: str | None) -> Translate:
    """Translate by case, with these names for others; None: there is no counterpart."""

    def translate(inputs: Inputs, _deployment: Deployment) -> Inputs:
        return {
            _pascal(renamed): _input(name, value)
            for name, value in inputs.items()
            if (renamed := names.get(name, name)) is not None
        }

    return translate


def _pascal(name: str) -> str:
    return _NAMES.get(name, name[0].upper() + name[1:])


def _input(name: str, value: Any) -> Any:
    if name == "dimensions":
        return [{"Name": each, "Value": text} for each, text in value.items()]
    if name in _THEIR_OWN:
        return value
    return json.loads(value) if name in _DOCUMENTS else _cased(value)


def _cased(value: Any) -> Any:
    if isinstance(value, dict):
        return {_pascal(name): _input(name, each) for name, each in value.items()}
    if isinstance(value, list):
        return [_cased(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _role(inputs: Inputs, deployment: Deployment) -> Inputs:
    policies = [
        {"PolicyName": each.inputs["name"], "PolicyDocument": json.loads(each.inputs["policy"])}
        for each in deployment.all("aws:iam/rolePolicy:RolePolicy")
        if each.inputs["role"] == inputs["name"]
    ]
    role = _renamed(name="roleName", assumeRolePolicy="assumeRolePolicyDocument")
    return role(inputs, deployment) | {"Policies": policies}


def _resource_policy(target: str, listed: str) -> Translate:
    """Translate a policy of a resource, which `target` names."""

    def translate(inputs: Inputs, _deployment: Deployment) -> Inputs:
        return {"PolicyDocument": json.loads(inputs["policy"]), listed: [inputs[target]]}

    return translate


def _function(inputs: Inputs, deployment: Deployment) -> Inputs:
    translate = _renamed(name="functionName", code=None, sourceCodeHash=None, publish=None)
    code = {"S3Bucket": "archives", "S3Key": "function.zip"}
    return translate(inputs, deployment) | {"Code": code}


def _layer(inputs: Inputs, deployment: Deployment) -> Inputs:
    translate = _renamed(s3Bucket=None, s3Key=None, skipDestroy=None)
    content = {"S3Bucket": inputs["s3Bucket"], "S3Key": inputs["s3Key"]}
    return translate(inputs, deployment) | {"Content": content}


def _alarm(inputs: Inputs, deployment: Deployment) -> Inputs:
    translated = _renamed(name="alarmName", metricQueries=None)(inputs, deployment)
    if "metricQueries" in inputs:
        translated["Metrics"] = [_query(each) for each in inputs["metricQueries"]]
    return translated


def _query(query: Mapping[str, Any]) -> Inputs:
    translated = {_pascal(name): value for name, value in query.items() if name != "metric"}
    if "metric" in query:
        metric = _cased(query["metric"])
        about = {name: metric.pop(name) for name in ("Period", "Stat")}
        translated["MetricStat"] = {"Metric": metric, **about}
    return translated


def _rule(inputs: Inputs, deployment: Deployment) -> Inputs:
    targets = [
        {"Id": each.inputs["targetId"], "Arn": each.inputs["arn"]}
        for each in deployment.all("aws:cloudwatch/eventTarget:EventTarget")
    ]
    return _renamed()(inputs, deployment) | {"Targets": targets}


def _workgroup(inputs: Inputs, deployment: Deployment) -> Inputs:
    translated = _renamed(configuration="workGroupConfiguration")(inputs, deployment)
    results = translated["WorkGroupConfiguration"]["ResultConfiguration"]
    encryption = results["EncryptionConfiguration"]
    if "KmsKeyArn" in encryption:
        encryption["KmsKey"] = encryption.pop("KmsKeyArn")
    return translated


def _bucket(inputs: Inputs, deployment: Deployment) -> Inputs:
    """Put a bucket and its settings together, as CloudFormation has them; lifecycle apart."""
    name = inputs["bucket"]

    def setting(kind: str) -> Inputs:
        found = deployment.all(f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}")
        return next((dict(each.inputs) for each in found if each.inputs["bucket"] == name), {})

    [encryption] = setting("BucketServerSideEncryptionConfiguration")["rules"]
    default = _cased(encryption["applyServerSideEncryptionByDefault"])
    translated: Inputs = {
        "BucketName": name,
        "VersioningConfiguration": _cased(setting("BucketVersioning")["versioningConfiguration"]),
        "OwnershipControls": {"Rules": [_cased(setting("BucketOwnershipControls")["rule"])]},
        "PublicAccessBlockConfiguration": _renamed(bucket=None)(
            setting("BucketPublicAccessBlock"), deployment
        ),
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": default}]
        },
    }
    if logging := setting("BucketLogging"):
        translated["LoggingConfiguration"] = {
            "DestinationBucketName": logging["targetBucket"],
            "LogFilePrefix": logging["targetPrefix"],
        }
    return translated


def _table(inputs: Inputs, deployment: Deployment) -> Inputs:
    told = _renamed(catalogId=None, databaseName=None)(inputs, deployment)
    return {"CatalogId": _ACCOUNT, "DatabaseName": inputs["databaseName"], "TableInput": told}


def _database(inputs: Inputs, _deployment: Deployment) -> Inputs:
    return {"CatalogId": _ACCOUNT, "DatabaseInput": {"Name": inputs["name"]}}


def _permission(inputs: Inputs, deployment: Deployment) -> Inputs:
    version = f"arn:aws:lambda:us-east-1:{_ACCOUNT}:layer:{inputs['layerName']}:7"
    told = {name for name in inputs if name not in {"action", "principal", "organizationId"}}
    shared = _renamed(**dict.fromkeys(told))(inputs, deployment)
    return {"LayerVersionArn": version, **shared}


KINDS: Final[dict[str, tuple[str, Translate]]] = {
    "athena:NamedQuery": (
        "AWS::Athena::NamedQuery",
        _renamed(query="queryString", workgroup="workGroup"),
    ),
    "athena:Workgroup": ("AWS::Athena::WorkGroup", _workgroup),
    "cloudwatch:CompositeAlarm": ("AWS::CloudWatch::CompositeAlarm", _renamed()),
    "cloudwatch:Dashboard": ("AWS::CloudWatch::Dashboard", _renamed()),
    "cloudwatch:EventRule": ("AWS::Events::Rule", _rule),
    "cloudwatch:LogGroup": ("AWS::Logs::LogGroup", _renamed(name="logGroupName")),
    "cloudwatch:MetricAlarm": ("AWS::CloudWatch::Alarm", _alarm),
    "cloudwatch:QueryDefinition": ("AWS::Logs::QueryDefinition", _renamed()),
    "ec2:VpcEndpoint": ("AWS::EC2::VPCEndpoint", _renamed(policy="policyDocument")),
    "glue:CatalogDatabase": ("AWS::Glue::Database", _database),
    "glue:CatalogTable": ("AWS::Glue::Table", _table),
    "iam:Role": ("AWS::IAM::Role", _role),
    "lambda:Alias": ("AWS::Lambda::Alias", _renamed()),
    "lambda:Function": ("AWS::Lambda::Function", _function),
    "lambda:FunctionEventInvokeConfig": ("AWS::Lambda::EventInvokeConfig", _renamed()),
    "lambda:LayerVersion": ("AWS::Lambda::LayerVersion", _layer),
    "lambda:LayerVersionPermission": ("AWS::Lambda::LayerVersionPermission", _permission),
    "s3:Bucket": ("AWS::S3::Bucket", _bucket),
    "s3:BucketPolicy": ("AWS::S3::BucketPolicy", _renamed(policy="policyDocument")),
    "scheduler:Schedule": ("AWS::Scheduler::Schedule", _renamed()),
    "scheduler:ScheduleGroup": ("AWS::Scheduler::ScheduleGroup", _renamed()),
    "sns:Topic": ("AWS::SNS::Topic", _renamed(name="topicName", kmsMasterKeyId="KmsMasterKeyId")),
    "sns:TopicPolicy": ("AWS::SNS::TopicPolicy", _resource_policy("arn", "Topics")),
    "sns:TopicSubscription": ("AWS::SNS::Subscription", _renamed(topic="topicArn")),
    "sqs:Queue": (
        "AWS::SQS::Queue",
        _renamed(name="queueName", messageRetentionSeconds="messageRetentionPeriod"),
    ),
    "sqs:QueuePolicy": ("AWS::SQS::QueuePolicy", _resource_policy("queueUrl", "Queues")),
}

NOT_TRANSLATED: Final = {
    # Parts of what they belong to.
    "cloudwatch:EventTarget",
    "iam:RolePolicy",
    "s3:BucketLogging",
    "s3:BucketOwnershipControls",
    "s3:BucketPublicAccessBlock",
    "s3:BucketServerSideEncryptionConfiguration",
    "s3:BucketVersioning",
    # Named too differently for a faithful translation; tested by itself in test_storage.py.
    "s3:BucketLifecycleConfiguration",
    "s3:BucketNotification",
    # CloudFormation has no objects.
    "s3:BucketObjectv2",
}
