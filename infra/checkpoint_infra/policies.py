"""What the roles may do, and what queues and buckets refuse, as policy documents.

Plain data: nothing here needs a resource to exist.
"""

from typing import Any, Final

from checkpoint_infra.monitoring.metrics import NAMESPACE
from checkpoint_infra.naming import Names
from checkpoint_infra.settings.paths import folder_of, key_of
from checkpoint_infra.settings.stack import Configuration

__all__ = [
    "Policy",
    "Statement",
    "allow_service",
    "deadline_policy",
    "endpoint_policy",
    "function_policy",
    "function_trust",
    "refuse_insecure_transport",
    "scheduler_policy",
    "scheduler_trust",
]

Statement = dict[str, Any]
Policy = dict[str, Any]

_VERSION: Final = "2012-10-17"

_NETWORK: Final = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


def function_trust() -> Policy:
    """Let Lambda take the role."""
    return _policy(_assumed_by("lambda.amazonaws.com"))


def scheduler_trust(names: Names) -> Policy:
    """Let the scheduler take the role, for schedules of this stack's group only."""
    group = names.arn("scheduler", f"schedule-group/{names.function}")
    condition = {
        "StringEquals": {"aws:SourceAccount": names.config.account, "aws:SourceArn": group}
    }
    return _policy(_assumed_by("scheduler.amazonaws.com") | {"Condition": condition})


def scheduler_policy(names: Names) -> Policy:
    """Invoke the alias, and keep what cannot be delivered."""
    alias = names.arn("lambda", f"function:{names.function}:{names.alias}")
    return _policy(
        _allow("InvokeTheAlias", ["lambda:InvokeFunction"], [alias]),
        _allow("KeepUndelivered", ["sqs:SendMessage"], [names.arn("sqs", names.undelivered)]),
    )


def deadline_policy(names: Names) -> Policy:
    """Put metrics into our own namespace, and keep what cannot be delivered."""
    # CloudWatch knows no resources for this.
    metric = _allow("SayThatARunIsExpected", ["cloudwatch:PutMetricData"], ["*"])
    return _policy(
        metric | {"Condition": {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}},
        _allow("KeepUndelivered", ["sqs:SendMessage"], [names.arn("sqs", names.undelivered)]),
    )


def function_policy(config: Configuration) -> Policy:
    """Read the event objects; read and write the checkpoint, its like and exports; report."""
    names = Names(config)
    return _policy(
        *_source_statements(names),
        *_checkpoint_statements(names),
        *_export_statements(names),
        *_key_statements(names),
        _allow(
            "WriteOwnLog",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [names.arn("logs", f"log-group:{names.log_group}:*")],
        ),
        _allow("KeepFailedRuns", ["sqs:SendMessage"], [names.arn("sqs", names.failed_runs)]),
        *_tracing_statements(config),
        *_network_statements(names),
    )


def endpoint_policy(config: Configuration) -> Policy:
    """Let through an endpoint what the function's role may do with this stack's buckets.

    The role's own policy says what that is.
    """
    names = Names(config)
    buckets = sorted({config.source.bucket, config.checkpoint.bucket})
    arns = [names.bucket_arn(bucket) for bucket in buckets]
    statement = _allow("ThisStacksBuckets", ["s3:*"], [*arns, *(f"{arn}/*" for arn in arns)])
    role = f"arn:{names.partition}:iam::{config.account}:role/{names.role}"
    condition = {"ArnEquals": {"aws:PrincipalArn": role}}
    return _policy(statement | {"Principal": "*", "Condition": condition})


def allow_service(
    sid: str, service: str, action: str, resource: str, condition: dict[str, Any]
) -> Statement:
    """Let a service of AWS do one thing, on behalf of what the condition names."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    }


def refuse_insecure_transport(
    action: str, *resources: str, besides: tuple[Statement, ...] = ()
) -> Policy:
    """Refuse everyone who does not use TLS; allow what `besides` allows."""
    statement = {
        "Sid": "RefuseInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return _policy(statement, *besides)


def _source_statements(names: Names) -> list[Statement]:
    source = names.config.source
    bucket = names.bucket_arn(source.bucket)
    return [
        _list("ListEventObjects", bucket, source.prefix),
        _allow("ReadEventObjects", ["s3:GetObject"], [f"{bucket}/{source.prefix}*"]),
    ]


def _checkpoint_statements(names: Names) -> list[Statement]:
    """Keep to the files that this one checkpoint consists of; others may be beside it."""
    checkpoint = names.config.checkpoint
    bucket = names.bucket_arn(checkpoint.bucket)
    folder = f"{bucket}/{checkpoint.folder}"
    ledgers = f"{folder}_ledger/{checkpoint.stem}/*"
    rejects = f"{folder}_rejects/{checkpoint.stem}.parquet"
    # Runs read it, and remember what they withheld; only a person takes somebody out.
    withheld = f"{folder}_withheld/{checkpoint.stem}.json"
    return [
        _list("ListCheckpointFolder", bucket, checkpoint.folder),
        # A conditional write needs both.
        _allow(
            "ReadAndWriteCheckpoint",
            ["s3:GetObject", "s3:PutObject"],
            [f"{bucket}/{checkpoint.key}", ledgers, rejects, withheld],
        ),
        _allow("DeleteOldLedgers", ["s3:DeleteObject"], [ledgers]),
    ]


def _export_statements(names: Names) -> list[Statement]:
    """Keep to the folders of the exports, and to single files where one has no others."""
    checkpoint, exports = names.config.checkpoint, names.config.exports
    if exports is None:
        return []
    bucket = names.bucket_arn(checkpoint.bucket)
    made = f"{bucket}/{checkpoint.folder}_exports/{checkpoint.stem}.json"
    statements = [_allow("RememberExports", ["s3:GetObject", "s3:PutObject"], [made])]
    keys = [key_of(each.path, checkpoint.folder) for each in exports]
    # The bucket as a whole is listed already where the checkpoint is in no folder.
    if folders := sorted({folder_of(key) for key in keys} - {""}):
        statements.append(_list("ListExports", bucket, *folders))
    if files := sorted({f"{folder_of(key)}*" if "{" in key else key for key in keys}):
        actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        statements.append(_allow("KeepExports", actions, [f"{bucket}/{each}" for each in files]))
    return statements


def _key_statements(names: Names) -> list[Statement]:
    """Use KMS keys where they are configured, and through S3 alone."""
    config = names.config
    through = f"s3.{config.region}.{names.aws_host()}"
    condition = {"Condition": {"StringEquals": {"kms:ViaService": through}}}
    statements = []
    if key := config.checkpoint.kms_key_arn:
        actions = ["kms:Decrypt", "kms:GenerateDataKey"]
        statements.append(_allow("UseCheckpointKey", actions, [key]) | condition)
    if key := config.source.kms_key_arn:
        statements.append(_allow("UseSourceKey", ["kms:Decrypt"], [key]) | condition)
    return statements


def _tracing_statements(config: Configuration) -> list[Statement]:
    if not config.function.tracing:
        return []
    # X-Ray knows no resources for these.
    actions = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    return [_allow("SendTraces", actions, ["*"])]


def _network_statements(names: Names) -> list[Statement]:
    """Let Lambda make the function's network interfaces, and the function's code not.

    EC2 knows no resources for some of these, and Lambda asks with the function's role.
    """
    if names.config.vpc is None:
        return []
    allowed = _allow("AttachToNetwork", _NETWORK, ["*"])
    denied = _allow("ForLambdaAlone", _NETWORK, ["*"]) | {
        "Effect": "Deny",
        "Condition": {
            "ArnEquals": {
                "lambda:SourceFunctionArn": names.arn("lambda", f"function:{names.function}")
            }
        },
    }
    return [allowed, denied]


def _list(sid: str, bucket: str, *prefixes: str) -> Statement:
    """Allow listing below prefixes.

    S3 asks for this permission too before it says that an object is missing, and then holds the
    object's key against s3:prefix; so the prefix must cover every key that is asked for.
    """
    statement = _allow(sid, ["s3:ListBucket"], [bucket])
    if all(prefixes):
        wanted = [f"{prefix}*" for prefix in prefixes]
        statement["Condition"] = {"StringLike": {"s3:prefix": wanted if wanted[1:] else wanted[0]}}
    return statement


def _allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _assumed_by(service: str) -> Statement:
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}


def _policy(*statements: Statement) -> Policy:
    return {"Version": _VERSION, "Statement": list(statements)}
