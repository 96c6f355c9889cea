"""The program that makes the roles, run against mocks."""

import asyncio
import contextlib
import json
import runpy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from pulumi.runtime import set_all_config, set_mocks
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.stack import run_pulumi_func

from tests.infra.deploying import INFRA, STACKS, Cloud, Deployment, _Monitor

pytestmark = pytest.mark.on_one_python

DELIVERY = INFRA / "delivery"
PROJECT = yaml.safe_load((DELIVERY / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
ROLE = "aws:iam/role:Role"


def run_program(stack: str) -> Deployment:
    """Run infra/delivery/__main__.py as a stack's file configures it."""
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        asker = ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(loop,))
        return asyncio.run(_run(stack, asker))


async def _run(stack: str, asker: ThreadPoolExecutor) -> Deployment:
    asyncio.get_running_loop().set_default_executor(asker)
    monitor = _Monitor(Cloud())
    set_mocks(Cloud(), project=PROJECT, stack=stack, monitor=monitor)
    document = yaml.safe_load((DELIVERY / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    set_all_config(
        {
            key: str(value).lower() if value in {True, False} else value
            for key, value in document["config"].items()
        }
    )
    outputs: dict[str, Any] = {}

    async def program() -> None:
        runpy.run_path(str(DELIVERY / "__main__.py"), run_name="__main__")
        root: Any = get_root_resource()
        for name, value in root.outputs.items():
            outputs[name] = await value.future()

    await run_pulumi_func(program)
    return Deployment(resources=monitor.registered, outputs=outputs)


@pytest.fixture(scope="module")
def programs() -> dict[str, Deployment]:
    """Run the program for each stack."""
    return {stack: run_program(stack) for stack in STACKS}


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
