"""How each kind of resource is written in CloudFormation."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.infra.deploying import Deployment, Registered

__all__ = ["KINDS", "NOT_TRANSLATED", "Inputs"]

Inputs = dict[str, Any]


def _renamed(**names: str | None) -> Callable[[Inputs, Deployment], Inputs]:
    """Translate by case, with these names for others; None: there is no counterpart."""

    def translate(inputs: Inputs, _deployment: Deployment) -> Inputs:
        renamed = {names.get(name, name): value for name, value in inputs.items()}
        return {_pascal(name): _cased(value) for name, value in renamed.items() if name is not None}

    return translate


def _pascal(name: str) -> str:
    return name[0].upper() + name[1:]


def _cased(value: Any) -> Any:
    if isinstance(value, dict):
        return {_pascal(name): _cased(each) for name, each in value.items()}
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
    translated = role(inputs, deployment)
    translated["AssumeRolePolicyDocument"] = json.loads(translated["AssumeRolePolicyDocument"])
    return translated | {"Policies": policies}


def _resource_policy(target: str, listed: str | None) -> Callable[[Inputs, Deployment], Inputs]:
    """Translate a policy of a resource, which `target` names."""

    def translate(inputs: Inputs, _deployment: Deployment) -> Inputs:
        document = {"PolicyDocument": json.loads(inputs["policy"])}
        return document | (
            {listed: [inputs[target]]} if listed else {_pascal(target): inputs[target]}
        )

    return translate


def _function(inputs: Inputs, deployment: Deployment) -> Inputs:
    translate = _renamed(
        name="functionName",
        code=None,
        sourceCodeHash=None,
        publish=None,
        loggingConfig=None,
        environment=None,
    )
    logging = inputs["loggingConfig"]
    return translate(inputs, deployment) | {
        "Code": {"S3Bucket": "archives", "S3Key": "function.zip"},
        "Environment": {"Variables": inputs["environment"]["variables"]},
        "LoggingConfig": _cased(logging),
    }


def _layer(inputs: Inputs, deployment: Deployment) -> Inputs:
    translate = _renamed(s3Bucket=None, s3Key=None, skipDestroy=None)
    content = {"S3Bucket": inputs["s3Bucket"], "S3Key": inputs["s3Key"]}
    return translate(inputs, deployment) | {"Content": content}


def _alarm(inputs: Inputs, deployment: Deployment) -> Inputs:
    dimensions = _dimensions(inputs)
    translate = _renamed(
        name="alarmName",
        alarmActions="alarmActions",
        okActions="OKActions",
        dimensions=None,
        metricQueries=None,
    )
    translated = translate(inputs, deployment) | ({"Dimensions": dimensions} if dimensions else {})
    if "metricQueries" in inputs:
        translated["Metrics"] = [_query(each) for each in inputs["metricQueries"]]
    return translated


def _dimensions(metric: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in metric.get("dimensions", {}).items()]


def _query(query: Mapping[str, Any]) -> Inputs:
    translated = {_pascal(name): value for name, value in query.items() if name != "metric"}
    if "metric" in query:
        metric = query["metric"]
        translated["MetricStat"] = {
            "Metric": {
                "Namespace": metric["namespace"],
                "MetricName": metric["metricName"],
                "Dimensions": _dimensions(metric),
            },
            "Period": int(metric["period"]),
            "Stat": metric["stat"],
        }
    return translated


def _rule(inputs: Inputs, deployment: Deployment) -> Inputs:
    targets = [
        {"Id": each.inputs["targetId"], "Arn": each.inputs["arn"]}
        for each in deployment.all("aws:cloudwatch/eventTarget:EventTarget")
    ]
    translated = _renamed(eventPattern=None)(inputs, deployment)
    return translated | {"EventPattern": json.loads(inputs["eventPattern"]), "Targets": targets}


def _endpoint(inputs: Inputs, deployment: Deployment) -> Inputs:
    translated = _renamed(policy=None)(inputs, deployment)
    return translated | {"PolicyDocument": json.loads(inputs["policy"])}


def _workgroup(inputs: Inputs, deployment: Deployment) -> Inputs:
    translated = _renamed(configuration="workGroupConfiguration")(inputs, deployment)
    configuration = translated["WorkGroupConfiguration"]
    configuration["EnforceWorkGroupConfiguration"] = configuration.pop(
        "EnforceWorkgroupConfiguration"
    )
    configuration["PublishCloudWatchMetricsEnabled"] = configuration.pop(
        "PublishCloudwatchMetricsEnabled"
    )
    encryption = configuration["ResultConfiguration"]["EncryptionConfiguration"]
    if "KmsKeyArn" in encryption:
        encryption["KmsKey"] = encryption.pop("KmsKeyArn")
    return translated


def _of_bucket(deployment: Deployment, kind: str, bucket: str) -> Registered | None:
    found = [each for each in deployment.all(kind) if each.inputs["bucket"] == bucket]
    return found[0] if found else None


def _bucket(inputs: Inputs, deployment: Deployment) -> Inputs:
    """Put a bucket and its settings together, as CloudFormation has them; lifecycle apart."""
    name = inputs["bucket"]

    def setting(kind: str) -> Inputs:
        found = _of_bucket(deployment, f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}", name)
        return dict(found.inputs) if found else {}

    encryption = setting("BucketServerSideEncryptionConfiguration")["rules"][0]
    default = encryption["applyServerSideEncryptionByDefault"]
    by_default = {"SSEAlgorithm": default["sseAlgorithm"]}
    if "kmsMasterKeyId" in default:
        by_default["KMSMasterKeyID"] = default["kmsMasterKeyId"]
    block = setting("BucketPublicAccessBlock")
    logging = setting("BucketLogging")
    translated: Inputs = {
        "BucketName": name,
        "VersioningConfiguration": _cased(setting("BucketVersioning")["versioningConfiguration"]),
        "OwnershipControls": {"Rules": [_cased(setting("BucketOwnershipControls")["rule"])]},
        "PublicAccessBlockConfiguration": {
            _pascal(key): value for key, value in block.items() if key != "bucket"
        },
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": by_default}]
        },
    }
    if logging:
        translated["LoggingConfiguration"] = {
            "DestinationBucketName": logging["targetBucket"],
            "LogFilePrefix": logging["targetPrefix"],
        }
    return translated


def _table(inputs: Inputs, _deployment: Deployment) -> Inputs:
    storage = _cased(inputs["storageDescriptor"])
    serializer = storage.pop("SerDeInfo")
    serializer["Parameters"] = inputs["storageDescriptor"]["serDeInfo"]["parameters"]
    return {
        "CatalogId": "123456789012",
        "DatabaseName": inputs["databaseName"],
        "TableInput": {
            "Name": inputs["name"],
            "Description": inputs["description"],
            "TableType": inputs["tableType"],
            "Parameters": inputs["parameters"],
            "PartitionKeys": [_cased(each) for each in inputs.get("partitionKeys", [])],
            "StorageDescriptor": {**storage, "SerdeInfo": serializer},
        },
    }


def _database(inputs: Inputs, _deployment: Deployment) -> Inputs:
    return {"CatalogId": "123456789012", "DatabaseInput": {"Name": inputs["name"]}}


def _permission(inputs: Inputs, _deployment: Deployment) -> Inputs:
    version = f"arn:aws:lambda:us-east-1:123456789012:layer:{inputs['layerName']}:7"
    shared = {
        name: inputs[name] for name in ("action", "principal", "organizationId") if name in inputs
    }
    return {"LayerVersionArn": version, **_cased(shared)}


KINDS: Final[dict[str, tuple[str, Callable[[Inputs, Deployment], Inputs]]]] = {
    "aws:athena/namedQuery:NamedQuery": (
        "AWS::Athena::NamedQuery",
        _renamed(query="queryString", workgroup="workGroup"),
    ),
    "aws:athena/workgroup:Workgroup": ("AWS::Athena::WorkGroup", _workgroup),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("AWS::CloudWatch::CompositeAlarm", _renamed()),
    "aws:cloudwatch/dashboard:Dashboard": ("AWS::CloudWatch::Dashboard", _renamed()),
    "aws:cloudwatch/eventRule:EventRule": ("AWS::Events::Rule", _rule),
    "aws:cloudwatch/logGroup:LogGroup": ("AWS::Logs::LogGroup", _renamed(name="logGroupName")),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("AWS::CloudWatch::Alarm", _alarm),
    "aws:cloudwatch/queryDefinition:QueryDefinition": ("AWS::Logs::QueryDefinition", _renamed()),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("AWS::EC2::VPCEndpoint", _endpoint),
    "aws:glue/catalogDatabase:CatalogDatabase": ("AWS::Glue::Database", _database),
    "aws:glue/catalogTable:CatalogTable": ("AWS::Glue::Table", _table),
    "aws:iam/role:Role": ("AWS::IAM::Role", _role),
    "aws:lambda/alias:Alias": ("AWS::Lambda::Alias", _renamed()),
    "aws:lambda/function:Function": ("AWS::Lambda::Function", _function),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (
        "AWS::Lambda::EventInvokeConfig",
        _renamed(),
    ),
    "aws:lambda/layerVersion:LayerVersion": ("AWS::Lambda::LayerVersion", _layer),
    "aws:lambda/layerVersionPermission:LayerVersionPermission": (
        "AWS::Lambda::LayerVersionPermission",
        _permission,
    ),
    "aws:s3/bucket:Bucket": ("AWS::S3::Bucket", _bucket),
    "aws:s3/bucketPolicy:BucketPolicy": ("AWS::S3::BucketPolicy", _resource_policy("bucket", None)),
    "aws:scheduler/schedule:Schedule": ("AWS::Scheduler::Schedule", _renamed()),
    "aws:scheduler/scheduleGroup:ScheduleGroup": ("AWS::Scheduler::ScheduleGroup", _renamed()),
    "aws:sns/topic:Topic": (
        "AWS::SNS::Topic",
        _renamed(name="topicName", kmsMasterKeyId="kmsMasterKeyId"),
    ),
    "aws:sns/topicPolicy:TopicPolicy": ("AWS::SNS::TopicPolicy", _resource_policy("arn", "Topics")),
    "aws:sns/topicSubscription:TopicSubscription": (
        "AWS::SNS::Subscription",
        _renamed(topic="topicArn"),
    ),
    "aws:sqs/queue:Queue": (
        "AWS::SQS::Queue",
        _renamed(name="queueName", messageRetentionSeconds="messageRetentionPeriod"),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": (
        "AWS::SQS::QueuePolicy",
        _resource_policy("queueUrl", "Queues"),
    ),
}

NOT_TRANSLATED: Final = {
    # Parts of what they belong to.
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:s3/bucketLogging:BucketLogging",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
    # Named too differently for a faithful translation; tested by itself in test_storage.py.
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketNotification:BucketNotification",
    # CloudFormation has no objects.
    "aws:s3/bucketObjectv2:BucketObjectv2",
}
