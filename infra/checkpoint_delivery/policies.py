"""The policies: who may take a role, what a role may do, and what no role of a stack may ever do."""

import itertools
from collections.abc import Iterable
from typing import Any, Final

from checkpoint_delivery.actions import ACTIONS, is_reading
from checkpoint_delivery.deployed import Deployed

__all__ = ["ISSUER", "boundary", "deployment", "preview", "state_access", "trust"]

Statement = dict[str, Any]
Policy = dict[str, Any]

ISSUER: Final = "token.actions.githubusercontent.com"

# AWS knows no resources for these, or none that has a name of ours.
_UNSCOPED: Final = frozenset(
    {
        "cloudwatch:DescribeAlarms",
        "ec2:DescribePrefixLists",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
        "lambda:ListLayerVersions",
        "logs:DeleteQueryDefinition",
        "logs:DescribeLogGroups",
        "logs:DescribeQueryDefinitions",
        "logs:PutQueryDefinition",
        "sns:GetSubscriptionAttributes",
        "sns:SetSubscriptionAttributes",
        "sns:Unsubscribe",
    }
)
# A role that is made or given rights without the boundary could be given any.
_BOUNDED: Final = frozenset(
    {"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}
)
_OBJECTS: Final = frozenset(ACTIONS["aws:s3/bucketObjectv2:BucketObjectv2"])


def trust(deployed: Deployed, repository: str, environment: str) -> Policy:
    """Let jobs of one environment of one repository take the role, and nobody else."""
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"Federated": deployed.iam(f"oidc-provider/{ISSUER}")},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    f"{ISSUER}:aud": "sts.amazonaws.com",
                    f"{ISSUER}:sub": f"repo:{repository}:environment:{environment}",
                }
            },
        }
    )


def deployment(deployed: Deployed) -> Policy:
    """Create, change and remove the stack's resources, by their names."""
    return _rights(deployed, {action for actions in ACTIONS.values() for action in actions})


def preview(deployed: Deployed) -> Policy:
    """Look at the stack's resources."""
    every = {action for actions in ACTIONS.values() for action in actions}
    return _rights(deployed, set(filter(is_reading, every)))


def state_access(
    deployed: Deployed, bucket: str, key_arn: str, *, project: str, writes: bool
) -> Policy:
    """Read the stack's state, write it or only lock it, and use the key of its secrets."""
    stack = deployed.environment
    files = [
        deployed.s3(f"{bucket}/.pulumi/*/{project}/{stack}.*"),
        deployed.s3(f"{bucket}/.pulumi/*/{project}/{stack}/*"),
    ]
    changed = files if writes else [deployed.s3(f"{bucket}/.pulumi/locks/*/{project}/{stack}/*")]
    key = ["kms:Decrypt", "kms:Encrypt"] if writes else ["kms:Decrypt"]
    return _policy(
        _allow("ListState", ["s3:ListBucket"], [deployed.s3(bucket)]),
        _allow("ReadState", ["s3:GetObject"], [*files, deployed.s3(f"{bucket}/.pulumi/meta.yaml")]),
        _allow("ChangeState", ["s3:DeleteObject", "s3:PutObject"], changed),
        _allow("UseSecretsKey", key, [key_arn]),
    )


def boundary(deployed: Deployed) -> Policy:
    """Say what the stack's own roles may do at most, whatever policies a deployment gives them."""
    everywhere = [
        "cloudwatch:PutMetricData",
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ]
    through = "amazonaws.com.cn" if deployed.partition == "aws-cn" else "amazonaws.com"
    keys = _allow("Keys", ["kms:Decrypt", "kms:GenerateDataKey"], list(deployed.data_keys))
    keys["Condition"] = {"StringEquals": {"kms:ViaService": f"s3.{deployed.region}.{through}"}}
    return _policy(
        *([keys] if deployed.data_keys else []),
        _allow("Buckets", ["s3:ListBucket"], [deployed.s3(name) for name in deployed.buckets]),
        _allow(
            "Objects",
            ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            [deployed.s3(f"{name}/*") for name in deployed.buckets],
        ),
        _allow(
            "Log",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [deployed.arn("logs", f"log-group:/aws/lambda/{deployed.name}:*")],
        ),
        _allow("Queues", ["sqs:SendMessage"], [deployed.arn("sqs", f"{deployed.name}-*")]),
        _allow(
            "Function",
            ["lambda:InvokeFunction"],
            [deployed.arn("lambda", f"function:{deployed.name}:*")],
        ),
        _allow("Everywhere", everywhere, ["*"]),
    )


def _rights(deployed: Deployed, actions: set[str]) -> Policy:
    scoped = actions - _UNSCOPED - _OBJECTS
    statements = [
        _allow(service.title(), _of(service, scoped), resources)
        for service, resources in _resources(deployed).items()
    ]
    buckets = _of("s3", scoped)
    looking, changing = filter(is_reading, buckets), itertools.filterfalse(is_reading, buckets)
    statements += [
        _allow("Buckets", list(looking), list(map(deployed.s3, deployed.buckets))),
        _allow("ChangeBuckets", list(changing), list(map(deployed.s3, deployed.changed_buckets))),
        _allow("Everywhere", sorted(actions & _UNSCOPED), ["*"]),
    ]
    # A function may have layers of other accounts, which grant this or do not.
    layers = f"arn:{deployed.partition}:lambda:{deployed.region}:*:layer:*"
    statements.append(_allow("AnyLayer", ["lambda:GetLayerVersion"], [layers]))
    if deployed.artifact_bucket:
        objects = [deployed.s3(f"{deployed.artifact_bucket}/*")]
        statements.append(_allow("LayerArchives", sorted(actions & _OBJECTS), objects))
    stated = [each for each in statements if each["Action"] and each["Resource"]]
    return _policy(*_restricted(deployed, stated))


def _resources(deployed: Deployed) -> dict[str, list[str]]:
    """Return the ARNs of what a stack can have, by service."""
    name = deployed.name
    glue = [deployed.arn("glue", "catalog")] if deployed.databases else []
    for database in deployed.databases:
        glue += [deployed.arn("glue", f"database/{database}")]
        glue += [deployed.arn("glue", f"table/{database}/*")]
    return {
        "athena": [deployed.arn("athena", f"workgroup/{name}")],
        "cloudwatch": [
            deployed.arn("cloudwatch", f"alarm:{name}-*"),
            deployed.iam(f"dashboard/{name}").replace(":iam:", ":cloudwatch:"),
        ],
        "ec2": [
            deployed.arn("ec2", f"{kind}/*") for kind in ("route-table", "vpc", "vpc-endpoint")
        ],
        "events": [deployed.arn("events", f"rule/{name}-*")],
        "glue": glue,
        "iam": [deployed.iam(f"role/{name}-*")],
        "lambda": [
            deployed.arn("lambda", f"function:{name}"),
            deployed.arn("lambda", f"function:{name}:*"),
            deployed.arn("lambda", f"layer:{deployed.service}-*"),
        ],
        "logs": [
            deployed.arn("logs", f"log-group:/aws/lambda/{name}"),
            deployed.arn("logs", f"log-group:/aws/lambda/{name}:*"),
        ],
        "scheduler": [
            deployed.arn("scheduler", f"schedule-group/{name}"),
            deployed.arn("scheduler", f"schedule/{name}/*"),
        ],
        "sns": [deployed.arn("sns", f"{name}-*")],
        "sqs": [deployed.arn("sqs", f"{name}-*")],
    }


def _restricted(deployed: Deployed, statements: Iterable[Statement]) -> Iterable[Statement]:
    """Take out of a statement what holds under a condition only, and state that apart."""
    bounded = {"StringEquals": {"iam:PermissionsBoundary": deployed.boundary_arn}}
    services = ["lambda.amazonaws.com", "scheduler.amazonaws.com"]
    passed = {"StringEquals": {"iam:PassedToService": services}}
    special = [("BoundedRoles", _BOUNDED, bounded), ("PassRoles", {"iam:PassRole"}, passed)]
    for statement in statements:
        left, resources = set(statement["Action"]), statement["Resource"]
        for sid, actions, condition in special:
            if found := sorted(left & actions):
                yield _allow(sid, found, resources) | {"Condition": condition}
            left -= actions
        yield _allow(statement["Sid"], sorted(left), resources)


def _of(service: str, actions: Iterable[str]) -> list[str]:
    return sorted(action for action in actions if action.startswith(f"{service}:"))


def _allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _policy(*statements: Statement) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}
