"""The three stacks as their files have them: the same program, told apart by configuration."""

import re
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.infra.deploying import INFRA, STACKS, Deployment

LAYERS = ["observability", "data_processing", "aws_sdk"]


def test_a_stack_tells_what_an_operator_needs_to_know(stacks: dict[str, Deployment]) -> None:
    """Function, alias, layers, checkpoint, log group and topic."""
    outputs = stacks["prod"].outputs

    expected_arn = "arn:aws:lambda:us-east-1:123456789012:layer:visit-event-checkpoint-aws-sdk:1"
    assert outputs["lambda_function_name"] == "visit-event-checkpoint-prod"
    assert outputs["lambda_function_arn"].endswith("visit-event-checkpoint-prod")
    assert outputs["lambda_alias"] == "prod"
    assert outputs["lambda_alias_arn"].endswith("/prod")
    assert outputs["aws_sdk_layer_arn"] == expected_arn
    assert outputs["checkpoint_location"] == "s3://nacc-checkpoints/checkpoints/events.parquet"
    assert outputs["log_group"] == "/aws/lambda/visit-event-checkpoint-prod"
    assert outputs["alarm_topic_arn"] == "arn:aws:sns:us-east-1:123456789012:operations"


@pytest.mark.parametrize("stack", STACKS)
def test_all_layers_are_told_in_the_functions_order(
    stacks: dict[str, Deployment], stack: str
) -> None:
    """The list can be given to another stack as it is."""
    deployment = stacks[stack]
    each = [deployment.outputs[f"{layer}_layer_arn"] for layer in LAYERS]

    assert each == deployment.outputs["all_layer_arns"]
    assert each == deployment.one("aws:lambda/function:Function")["layers"]


def test_all_layers_means_also_the_one_for_telemetry(everything: Deployment) -> None:
    """What the function has, whoever made it."""
    assert len(everything.outputs["all_layer_arns"]) == 4


def test_no_code_asks_which_stack_it_is() -> None:
    """Stacks differ in configuration alone."""
    asking = re.compile(r"get_stack|get_organization|[\"'](dev|staging|prod)[\"']")
    sources = [INFRA / "__main__.py", *sorted((INFRA / "checkpoint_infra").rglob("*.py"))]

    found = [path.name for path in sources if asking.search(path.read_text(encoding="utf-8"))]

    assert len(sources) > 30
    assert [] == found


def test_what_the_program_imports_is_installed_for_it() -> None:
    """`pulumi install` takes requirements.txt, which is locked from these lines."""
    project = tomllib.loads((INFRA / "pyproject.toml").read_text("utf-8"))["project"]
    installed = {Requirement(line).name.replace("-", "_") for line in project["dependencies"]}
    imported = {
        name.partition(".")[0]
        for path in [*INFRA.glob("*.py"), *INFRA.glob("checkpoint_infra/**/*.py")]
        for name in re.findall(
            r"^\s*(?:import|from) ([\w.]+)", path.read_text("utf-8"), re.MULTILINE
        )
    }
    # botocore comes with boto3, and types are for the type checker alone.
    elsewhere = {"botocore", "mypy_boto3_lambda", "prune_layers", *sys.stdlib_module_names}
    elsewhere |= {"checkpoint_infra"}

    # What zoneinfo reads where the system has no time zones is imported by nobody.
    # The program of the deploying roles reads YAML.
    assert installed == (imported - elsewhere) | {"pyyaml", "tzdata"}
