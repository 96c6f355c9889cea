"""A stack is given exactly the layers that another one was tried with."""

import json
import os
from pathlib import Path

import pytest
import yaml

from checkpoint_infra.settings.reading import read_configuration
from promote_layers import PROJECT, layers_of, main, settings
from prune_layers import LAYERS
from tests.infra.conftest import write_artifacts
from tests.infra.deploying import INFRA, as_texts, deploy, merged, stack_values

ARNS = {name: f"arn:aws:lambda:us-east-1:123456789012:layer:x-{name}:7" for name in LAYERS}


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program on PATH that writes its arguments down and tells a stack's outputs."""
    outputs = {f"{name.replace('-', '_')}_layer_arn": arn for name, arn in ARNS.items()}
    (tmp_path / "outputs.json").write_text(json.dumps(outputs), encoding="utf-8")
    program = tmp_path / "pulumi"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/called\n'
        f'[ "$1" != stack ] || cat {tmp_path}/outputs.json\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_what_one_stack_tells_another_can_be_set_to(
    pulumi: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three layers, in one file."""
    assert main(["tell", "dev"]) == 0
    (pulumi / "layers.json").write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["set", "staging", str(pulumi / "layers.json")]) == 0

    calls = (pulumi / "called").read_text(encoding="utf-8").splitlines()
    assert calls[0] == "stack output --json --stack dev --non-interactive"
    assert len(calls) == 7
    setting = "config set --path event-log-checkpoint:layers.dataProcessing.arn"
    assert f"{setting} {ARNS['data-processing']} --stack staging --non-interactive" in calls


def test_a_stack_that_was_never_deployed_has_none_to_tell(pulumi: Path) -> None:
    """The other one's file is then left as it is."""
    assert layers_of({}) == {}
    assert settings({}) == {}


def test_some_of_the_layers_are_refused(pulumi: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The layers of one function come from one build."""
    (pulumi / "outputs.json").write_text('{"aws_sdk_layer_arn": "x"}', encoding="utf-8")
    (pulumi / "layers.json").write_text('{"aws-sdk": "x"}', encoding="utf-8")

    assert main(["tell", "dev"]) == 1
    assert main(["set", "staging", str(pulumi / "layers.json")]) == 1

    said = capsys.readouterr().err
    assert "some of its layers only: aws-sdk" in said
    assert "must be observability, data-processing, aws-sdk" in said


def test_a_failing_pulumi_fails_it(pulumi: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pulumi has said why."""
    (pulumi / "pulumi").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")

    assert main(["tell", "dev"]) == 1
    assert "exit status 3" in capsys.readouterr().err


def test_the_program_reads_what_was_set() -> None:
    """In every stack, whatever modes its file has."""
    changes: dict[str, dict[str, dict[str, str]]] = {"layers": {}}
    for setting, text in settings(ARNS).items():
        section, layer, key = setting.removeprefix(f"{PROJECT}:").split(".")
        changes[section].setdefault(layer, {})[key] = text

    for stack in ("dev", "staging", "prod"):
        config = read_configuration(as_texts(merged(stack_values(stack), changes)))
        assert ARNS == {name: layer.arn for name, layer in config.layers.by_name().items()}


def test_what_is_told_are_outputs_of_the_program(tmp_path: Path) -> None:
    """And settings are of its project."""
    deployed = deploy(stack_values("prod"), write_artifacts(tmp_path))

    assert layers_of(deployed.outputs).keys() == set(LAYERS)
    assert PROJECT == yaml.safe_load((INFRA / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
