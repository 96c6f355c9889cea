"""A public linter that knows AWS's schemas and its actions looks at all resources and policies."""

import json
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.infra.deploying import Deployment
from tests.infra.translating import template
from tests.infra.translations import KINDS, NOT_TRANSLATED, short

# What the linter says and we accept, by rule: each with its reason.
ACCEPTED: dict[str, str] = {}


def findings(document: dict[str, Any]) -> list[str]:
    """Return what the linter says about a template, down to its remarks."""
    config = ManualArgs(regions=["us-east-1"], include_checks=["W", "E", "I"])
    found = lint(json.dumps(document), config=config)
    return [
        f"{each.rule.id} {'/'.join(map(str, each.path or []))}: {each.message}"
        for each in found
        if each.rule.id not in ACCEPTED
    ]


@pytest.mark.parametrize("stack", ["prod", "everything"])
def test_the_linter_finds_nothing_wrong(
    stacks: dict[str, Deployment], everything: Deployment, stack: str
) -> None:
    """Neither in a resource's inputs nor in a policy: unknown actions, wrong resources, lengths.

    In the stack with no option and the one with all; the others have nothing that these lack.
    """
    assert [] == findings(template({**stacks, "everything": everything}[stack]))


def test_every_kind_is_looked_at_or_left_out_on_purpose(everything: Deployment) -> None:
    """A new kind must be added to one or the other."""
    kinds = {short(each.kind) for each in everything.resources if each.kind.startswith("aws:")}

    assert kinds == KINDS.keys() | NOT_TRANSLATED
    assert not KINDS.keys() & NOT_TRANSLATED


def test_the_linter_sees_what_would_be_wrong(stacks: dict[str, Deployment]) -> None:
    """An action that does not exist, one that knows no such resource, a limit, a value."""
    document = template(stacks["prod"])
    resources = document["Resources"]
    by_kind = {each["Type"]: each["Properties"] for each in resources.values()}
    [policy] = by_kind["AWS::IAM::Role"]["Policies"]
    policy["PolicyDocument"]["Statement"] += [
        {"Effect": "Allow", "Action": ["s3:GetObjects"], "Resource": ["*"]},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:sqs:us-east-1:1:q"]},
    ]
    by_kind["AWS::SQS::Queue"]["MessageRetentionPeriod"] = 9_999_999
    by_kind["AWS::Lambda::Function"]["MemorySize"] = 64
    by_kind["AWS::CloudWatch::Alarm"]["ComparisonOperator"] = "Greater"
    said = "\n".join(findings(document))

    for expected in ("getobjects", "MessageRetentionPeriod", "MemorySize", "ComparisonOperator"):
        assert expected.lower() in said.lower()
