"""The program that makes the roles, run against mocks."""

import json

import pytest
import yaml

from tests.infra.deploying import INFRA, STACKS, Cloud, Deployment, run_program

DELIVERY = INFRA / "delivery"
PROJECT = yaml.safe_load((DELIVERY / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
ROLE = "aws:iam/role:Role"


def program(stack: str) -> Deployment:
    """Run the program as a stack's file configures it."""
    document = yaml.safe_load((DELIVERY / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    config = {
        key: str(value).lower() if value in {True, False} else value
        for key, value in document["config"].items()
    }
    return run_program(DELIVERY, project=PROJECT, stack=stack, config=config, cloud=Cloud())


@pytest.fixture(scope="module")
def programs() -> dict[str, Deployment]:
    """Run the program for each stack."""
    return {stack: program(stack) for stack in STACKS}


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_has_a_role_that_looks_and_one_that_deploys(
    stack: str, programs: dict[str, Deployment]
) -> None:
    """Each for the environment of its jobs."""
    roles = {each.name: each.inputs for each in programs[stack].all(ROLE)}
    subjects = {
        name: json.loads(role["assumeRolePolicy"])["Statement"][0]["Condition"]["StringEquals"][
            "token.actions.githubusercontent.com:sub"
        ].rpartition(":")[2]
        for name, role in roles.items()
    }

    assert {"deploy": stack, "preview": f"{stack}-preview"} == subjects
    assert {"deploy_role_arn", "permissions_boundary_arn", "preview_role_arn"} == programs[
        stack
    ].outputs.keys()


def test_an_account_has_one_identity_provider(programs: dict[str, Deployment]) -> None:
    """A second one of the same address is refused by IAM."""
    kind = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"

    assert {"dev": 1, "staging": 0, "prod": 0} == {
        stack: len(each.all(kind)) for stack, each in programs.items()
    }


def test_every_policy_is_a_document_and_everything_goes_through_one_provider(
    programs: dict[str, Deployment],
) -> None:
    """Two policies for each role, and the boundary, which is protected."""
    for each in programs.values():
        policies = each.all("aws:iam/rolePolicy:RolePolicy")
        assert {"deploy-resources", "deploy-state", "preview-resources", "preview-state"} == {
            policy.name for policy in policies
        }
        assert all(json.loads(policy.inputs["policy"])["Statement"] for policy in policies)
        [limits] = [found for found in each.resources if found.kind == "aws:iam/policy:Policy"]
        assert limits.protect
        assert all("::aws::" in found.provider for found in each.resources if "iam" in found.kind)


def test_the_state_is_that_of_the_program_that_is_deployed(
    programs: dict[str, Deployment],
) -> None:
    """By the project's name, which is part of the state's keys."""
    project = yaml.safe_load((INFRA / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
    policy = programs["dev"].one("aws:iam/rolePolicy:RolePolicy", "deploy-state")["policy"]

    assert f"/{project}/dev." in policy
