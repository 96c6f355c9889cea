"""The program and the function know the same names, although neither imports the other."""

import re
from typing import Annotated, Any, get_args, get_origin

import pytest
from msgspec import Meta, structs

from checkpoint_core import Settings
from checkpoint_format.names import Names as CheckpointNames
from checkpoint_infra.policies import function_policy
from checkpoint_infra.settings.reading import read_configuration
from checkpoint_infra.settings.rules.function import USUAL_RESERVE_S
from checkpoint_infra.settings.sections.function import Run
from checkpoint_lambda._environment import read_settings, settings, variable
from tests.infra.conftest import EVERYTHING
from tests.infra.deploying import INFRA, STACKS, Deployment, as_texts, merged, stack_values

BY_VARIABLE = {name: each for each in settings() if (name := variable(each.name))}
TELEMETRY = re.compile(r"OTEL_|AWS_LAMBDA_EXEC_WRAPPER$")


def variables(deployment: Deployment) -> dict[str, str]:
    """Return the function's environment without what the telemetry layer reads."""
    everything = deployment.one("aws:lambda/function:Function")["environment"]["variables"]
    return {name: text for name, text in everything.items() if not TELEMETRY.match(name)}


def test_the_function_reads_what_the_program_can_set_and_nothing_else(
    everything: Deployment,
) -> None:
    """Every variable, in both directions."""
    assert variables(everything).keys() == BY_VARIABLE.keys()


@pytest.mark.parametrize("stack", STACKS)
def test_the_function_accepts_what_a_stack_tells_it(
    stacks: dict[str, Deployment], stack: str
) -> None:
    """With nothing but a schedule's empty event."""
    settings = read_settings({}, variables(stacks[stack]))

    expected = "nacc-checkpoints" if stack == "prod" else f"nacc-checkpoints-{stack}"
    assert (settings.source_bucket, settings.prefix) == ("nacc-events", f"{stack}/")
    assert settings.checkpoint_bucket == expected
    assert settings.checkpoint_key == "checkpoints/events.parquet"


def test_the_reserve_that_a_timeout_is_held_against_is_the_functions() -> None:
    """Where a stack does not say it."""
    assert Settings().reserve_s == USUAL_RESERVE_S


def test_every_setting_reaches_the_function_as_it_was_meant(everything: Deployment) -> None:
    """Numbers, lists and names come out of the environment as they were configured."""
    settings = read_settings(None, variables(everything))
    run = read_configuration(as_texts(merged(stack_values("dev"), EVERYTHING))).run
    meant = {
        name.replace("_seconds", "_s"): tuple(value) if isinstance(value, list) else value
        for name, value in structs.asdict(run).items()
        if name not in {"log_level", "read_concurrency"}
    }

    assert {name: getattr(settings.core, name) for name in meant} == meant
    assert settings.s3.read_concurrency == run.read_concurrency
    assert settings.s3.kms_key_id == EVERYTHING["checkpoint"]["kmsKeyArn"]


@pytest.mark.parametrize("end", ["ge", "le"])
def test_both_sides_accept_the_same_numbers(end: str) -> None:
    """What the configuration lets through does not stop the function, up to its bounds."""
    bounds = {
        field.name.upper(): getattr(meta, end)
        for field in structs.fields(Run)
        if (meta := constraints(field.type))
    }

    assert len(bounds) == 10
    for name, bound in bounds.items():
        read = BY_VARIABLE[name].read
        assert read(str(bound)) == bound
        with pytest.raises(ValueError, match="must be a"):
            read(str(bound + (1 if end == "le" else -1)))


def constraints(kind: Any) -> Meta | None:
    """Return the bounds in a number's type, None for what is no number."""
    if get_origin(kind) is Annotated:
        found = next(each for each in get_args(kind) if isinstance(each, Meta))
        return found if found.ge is not None else None
    return next(filter(None, map(constraints, get_args(kind))), None)


@pytest.mark.parametrize("key", ["checkpoints/events.parquet", "a/b/c.d.parquet", "events.parquet"])
def test_the_role_knows_the_files_that_a_checkpoint_consists_of(key: str) -> None:
    """By the names that the core gives them."""
    values = merged(stack_values("dev"), {"checkpoint": {"bucket": "checkpoints", "key": key}})
    statements = {
        statement["Sid"]: statement
        for statement in function_policy(read_configuration(as_texts(values)))["Statement"]
    }
    folder = f"arn:aws:s3:::checkpoints/{key[: key.rfind('/') + 1]}"
    names = CheckpointNames(key.rpartition("/")[2])

    ledgers = f"{folder}{names.ledgers}/*"
    beside = [f"{folder}{name}" for name in (names.rejects, names.withheld)]
    files = [f"{folder}{names.checkpoint}", ledgers, *beside]
    assert statements["ReadAndWriteCheckpoint"]["Resource"] == files
    assert statements["DeleteOldLedgers"]["Resource"] == [ledgers]


def test_the_entry_point_exists(stacks: dict[str, Deployment]) -> None:
    """Where the function is told to begin."""
    handler = stacks["prod"].one("aws:lambda/function:Function")["handler"]
    module, _, name = handler.rpartition(".")
    path = INFRA.parent / "packages/checkpoint-lambda/src" / f"{module.replace('.', '/')}.py"

    assert f"def {name}(event: " in path.read_text(encoding="utf-8")
