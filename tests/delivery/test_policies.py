"""What the roles may do: all that the stacks need, and nothing that would let them do more."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from checkpoint_delivery.actions import ACTIONS, is_reading
from checkpoint_delivery.deployed import Deployed, read_deployed
from checkpoint_delivery.policies import boundary, deployment, preview, state_access, trust
from tests.infra.conftest import EVERYTHING
from tests.infra.deploying import INFRA, PROJECT, STACKS, Deployment, merged, stack_values
from tests.infra.evaluating import Access, allows

STATE = "arn:aws:s3:::states"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1a2b3c4d"


def deployed(stack: str = "dev") -> Deployed:
    """Read what a stack's file says."""
    return read_deployed(INFRA / f"Pulumi.{stack}.yaml")


ROLE = f"arn:aws:iam::123456789012:role/{deployed().name}-role"


def read(folder: Path, values: dict[str, Any]) -> Deployed:
    """Read what a stack's file with these values says."""
    document = {"config": {f"{PROJECT}:{key}": value for key, value in values.items()}}
    file = folder / "Pulumi.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return read_deployed(file)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Read the stack that has every option."""
    return read(tmp_path_factory.mktemp("stack"), merged(stack_values("dev"), EVERYTHING))


def may(policy: dict[str, Any], action: str, resource: str, **context: str) -> bool:
    """Say whether a policy lets a request through."""
    return allows(policy, Access(action=action, resource=resource, context=context))


def test_every_type_that_the_program_registers_can_be_deployed(
    stacks: dict[str, Deployment], everything: Deployment
) -> None:
    """A new type of resource needs a line in ACTIONS, or the first deployment of it is refused."""
    registered = {
        each.kind
        for deployment in (*stacks.values(), everything)
        for each in deployment.resources
        if each.kind.startswith("aws:")
    }

    assert "aws:lambda/function:Function" in registered
    assert set() == registered - ACTIONS.keys()


def test_every_action_is_granted_for_something(full: Deployed) -> None:
    """None falls through between the services' statements; looking may what only reads."""
    every = {action for actions in ACTIONS.values() for action in actions}

    for policy, expected in (
        (deployment(full), every),
        (preview(full), set(filter(is_reading, every))),
    ):
        assert expected == {each for part in policy["Statement"] for each in part["Action"]}


def test_whoever_previews_changes_nothing(full: Deployed) -> None:
    """Of the resources nothing, and of the state the lock alone, which comparing takes."""
    state = state_access(full, "states", KEY, project=PROJECT, writes=False)

    assert all(
        is_reading(action) for part in preview(full)["Statement"] for action in part["Action"]
    )
    assert may(state, "s3:PutObject", f"{STATE}/.pulumi/locks/organization/{PROJECT}/full/1.json")
    assert not may(state, "s3:PutObject", f"{STATE}/.pulumi/stacks/{PROJECT}/full.json")
    assert not may(state, "kms:Encrypt", KEY)


def test_a_stack_has_no_access_to_another_ones_state() -> None:
    """Although all are in one bucket."""
    state = state_access(deployed("dev"), "states", KEY, project=PROJECT, writes=True)

    for action in ("s3:GetObject", "s3:PutObject"):
        assert may(state, action, f"{STATE}/.pulumi/stacks/{PROJECT}/dev.json")
        assert may(state, action, f"{STATE}/.pulumi/history/{PROJECT}/dev/dev-1.history.json")
        assert not may(state, action, f"{STATE}/.pulumi/stacks/{PROJECT}/prod.json")
        assert not may(state, action, f"{STATE}/.pulumi/stacks/{PROJECT}/dev2.json")


def test_no_role_can_be_given_more_than_the_boundary_allows() -> None:
    """A deployment writes the policies of roles: without it, it could give itself any right."""
    policy = deployment(deployed())
    limited = {"iam:PermissionsBoundary": deployed().boundary_arn}

    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        assert may(policy, action, ROLE, **limited)
        assert not may(policy, action, ROLE)
        assert not may(policy, action, ROLE, **{"iam:PermissionsBoundary": "arn:aws:iam::aws:x"})
    actions = {each for part in policy["Statement"] for each in part["Action"]}
    assert not {"iam:DeleteRolePermissionsBoundary", "iam:AttachRolePolicy", "iam:*"} & actions
    assert not any(each.startswith(("iam:CreatePolicy", "iam:DeletePolicy")) for each in actions)


def test_the_deploying_roles_are_not_among_those_that_they_may_change() -> None:
    """Otherwise they would take their own limits off."""
    limited = {"iam:PermissionsBoundary": deployed().boundary_arn}
    own = f"arn:aws:iam::123456789012:role/deploy-{deployed().name}"

    for action in ACTIONS["aws:iam/role:Role"] + ACTIONS["aws:iam/rolePolicy:RolePolicy"]:
        assert not may(deployment(deployed()), action, own, **limited)


def test_roles_are_passed_to_the_two_services_that_use_them() -> None:
    """And to no other, such as a virtual machine that somebody logs in to."""
    policy = deployment(deployed())

    assert may(policy, "iam:PassRole", ROLE, **{"iam:PassedToService": "lambda.amazonaws.com"})
    assert not may(policy, "iam:PassRole", ROLE, **{"iam:PassedToService": "ec2.amazonaws.com"})
    assert not may(policy, "iam:PassRole", ROLE)


def test_what_is_in_the_buckets_is_out_of_reach() -> None:
    """Events and checkpoint are research data; the archives of layers are not."""
    objects = ACTIONS["aws:s3/bucketObjectv2:BucketObjectv2"]
    buckets = ("nacc-events/dev", "nacc-checkpoints-dev/checkpoints")

    for policy, bucket, action in product(
        (deployment(deployed()), preview(deployed())), buckets, objects
    ):
        assert not may(policy, action, f"arn:aws:s3:::{bucket}/x")
    assert may(deployment(deployed()), "s3:PutObject", "arn:aws:s3:::nacc-checkpoint-artifacts/x")


def test_only_buckets_that_are_the_stacks_own_can_be_changed() -> None:
    """Of the others the settings can be looked at; none can be removed."""
    policy = deployment(deployed())
    own, given = "arn:aws:s3:::nacc-checkpoints-dev", "arn:aws:s3:::nacc-events"

    assert may(policy, "s3:PutBucketPolicy", own)
    assert not may(policy, "s3:PutBucketPolicy", given)
    assert may(policy, "s3:GetBucketPolicy", given)
    assert not may(policy, "s3:DeleteBucket", own)


@pytest.mark.parametrize("stack", STACKS)
def test_one_stack_cannot_touch_another(stack: str) -> None:
    """Names begin with service and environment, also within one account."""
    policy = deployment(deployed(stack))

    for other in STACKS:
        function = f"arn:aws:lambda:us-east-1:123456789012:function:{deployed(other).name}"
        assert (other == stack) == may(policy, "lambda:UpdateFunctionCode", function)


def test_the_boundary_holds_what_the_stacks_roles_are_given(
    full: Deployed, stacks: dict[str, Deployment], everything: Deployment
) -> None:
    """Every statement of every role, so that none is cut off by it."""
    limits = {stack: boundary(deployed(stack)) for stack in stacks} | {"full": boundary(full)}

    for stack, registered in {**stacks, "full": everything}.items():
        policies = registered.all("aws:iam/rolePolicy:RolePolicy")
        assert len(policies) >= 2
        for statement in (
            part for each in policies for part in json.loads(each.inputs["policy"])["Statement"]
        ):
            context = dict(statement.get("Condition", {}).get("StringEquals", {}))
            for action, resource in product(statement["Action"], statement["Resource"]):
                assert may(limits[stack], action, resource, **context), (stack, action, resource)


def test_the_boundary_lets_a_stacks_own_keys_be_used_and_no_others(tmp_path: Path) -> None:
    """The key of a source may be another account's, and whoever writes the events has chosen it."""
    key = "arn:aws:kms:us-east-1:999999999999:key/0a1b2c3d"
    values = merged(stack_values("dev"), {"source": {"kmsKeyArn": key}})
    limits = boundary(read(tmp_path, values))
    through = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}

    assert may(limits, "kms:Decrypt", key, **through)
    assert not may(limits, "kms:Decrypt", key)
    assert not may(limits, "kms:Decrypt", KEY, **through)
    assert not may(boundary(deployed()), "kms:Decrypt", key, **through)


def test_a_role_is_taken_by_one_environment_of_one_repository() -> None:
    """Not by a branch, a fork, or another environment."""
    [statement] = trust(deployed("prod"), "example-org/checkpoint", "prod")["Statement"]
    issuer = "token.actions.githubusercontent.com"

    assert {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": "repo:example-org/checkpoint:environment:prod",
        }
    } == statement["Condition"]
    assert statement["Principal"]["Federated"].endswith(f":oidc-provider/{issuer}")


def test_the_policies_fit_into_what_iam_takes(full: Deployed) -> None:
    """10,240 characters for all of a role's own, 6,144 for a managed one; blanks do not count."""
    state = state_access(full, "s" * 63, KEY, project=PROJECT, writes=True)

    def characters(*policies: dict[str, Any]) -> int:
        return sum(len(json.dumps(each, separators=(",", ":"))) for each in policies)

    assert characters(deployment(full), state) <= 10_240
    assert characters(boundary(full)) <= 6_144


@pytest.mark.parametrize("stack", STACKS)
def test_the_names_are_those_that_the_stack_has(stack: str, stacks: dict[str, Deployment]) -> None:
    """Also where the stack's file leaves the service to the program."""
    assert deployed(stack).name == stacks[stack].outputs["lambda_function_name"]


def test_what_a_stack_owns_is_read_from_its_file(tmp_path: Path) -> None:
    """Buckets at any depth, and whose settings are its own."""
    values = {
        "account": "123456789012",
        "region": "us-gov-west-1",
        "environment": "dev",
        "source": {"bucket": "events", "ownsLifecycle": True},
        "checkpoint": {"bucket": "checkpoints"},
        "notification": {"createTopic": True},
        "athena": {"database": "nacc", "workgroup": {"resultsBucket": "results"}},
    }
    found = read(tmp_path, values)

    assert ("events", "checkpoints", "results") == found.buckets
    assert ("events", "checkpoints") == found.changed_buckets
    assert ("nacc",) == found.databases
    assert found.arn("sqs", "x") == "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:x"
