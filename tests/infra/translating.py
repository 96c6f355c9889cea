"""What the program registers as a CloudFormation template, for a linter that knows AWS's schemas.

Inputs have the names that CloudFormation has but for the case, and for what is listed here. Kinds
that are not listed are parts of others there (a bucket's settings), or do not exist (an object).
"""

import re
from typing import Any, Final

from tests.infra.deploying import Deployment
from tests.infra.translations import KINDS, Inputs, short

__all__ = ["template"]

# The ARNs that mocks answer with, as AWS would have them.
_MOCKED: Final = re.compile(r"arn:aws:test:us-east-1:(\d+):aws:(\w+)/\w+:(\w+)/(.+)")
_ARNS: Final = {
    "LogGroup": "arn:aws:logs:us-east-1:{0}:log-group:{1}",
    "Queue": "arn:aws:sqs:us-east-1:{0}:{1}",
    "Role": "arn:aws:iam::{0}:role/{1}",
    "Topic": "arn:aws:sns:us-east-1:{0}:{1}",
    "Alias": "arn:aws:lambda:us-east-1:{0}:function:visit-event-checkpoint-{1}:{1}",
    "MetricAlarm": "arn:aws:cloudwatch:us-east-1:{0}:alarm:{1}",
    "CompositeAlarm": "arn:aws:cloudwatch:us-east-1:{0}:alarm:{1}",
    "LayerVersion": "arn:aws:lambda:us-east-1:{0}:layer:{1}:7",
}


def template(deployment: Deployment) -> Inputs:
    """Return everything that has a counterpart in CloudFormation."""
    resources = {}
    for each in deployment.resources:
        if short(each.kind) in KINDS:
            kind, translate = KINDS[short(each.kind)]
            properties = _arns(translate(dict(each.inputs), deployment))
            name = re.sub(r"\W", "", f"{kind}{each.name}".title())
            resources[name] = {"Type": kind, "Properties": properties}
            if each.retain_on_delete:
                resources[name] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def _arns(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _arns(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_arns(each) for each in value]
    found = _MOCKED.fullmatch(value) if isinstance(value, str) else None
    return _ARNS[found[3]].format(found[1], found[4]) if found else value
