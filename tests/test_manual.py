"""What docs/operating.md tells an operator to type, set and follow exists."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import fields

from checkpoint_cli._app import load
from checkpoint_cli._choices import COMMANDS
from checkpoint_infra.settings.stack import Configuration

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def manual() -> str:
    """The text of docs/operating.md."""
    return (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def test_every_command_line_uses_what_the_command_has(manual: str) -> None:
    """Each command by its name, each option of it."""
    options = {
        name: {flag for parameter in command.params for flag in parameter.opts}
        for name, command in ((name, load(name)) for name in COMMANDS)
    }
    lines = re.findall(r"nacc-checkpoint ([a-z]+)([^`|\n]*)", manual)
    unknown = [
        (name, flag)
        for name, rest in lines
        for flag in ("", *re.findall(r"--[a-z-]+", rest))
        if name not in options or (flag and flag not in options[name])
    ]

    assert {"doctor", "rejects", "run", "show", "verify"} <= {name for name, _ in lines}
    assert unknown == []


def test_every_task_and_output_exists(manual: str) -> None:
    """Hatch's verbs, and the outputs of the Pulumi program."""
    hatch = tomllib.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))
    verbs = set(re.findall(r"hatch run ([a-z-]+)", manual))
    outputs = set(re.findall(r"pulumi stack output ([a-z_]+)", manual))
    program = (ROOT / "infra" / "__main__.py").read_text(encoding="utf-8")

    assert verbs
    assert verbs - hatch["envs"]["default"]["scripts"].keys() == set()
    assert outputs
    assert outputs - set(re.findall(r'pulumi\.export\("([a-z_]+)"', program)) == set()


def test_every_setting_of_a_stack_exists(manual: str) -> None:
    """Section and name, as they are written in a stack's file."""
    sections = {field.name: field.type for field in fields(Configuration)}
    named = re.findall(rf"`({'|'.join(sections)})\.([a-zA-Z]+)(?:[:`])", manual)
    known = {
        (section, name)
        for section, kind in sections.items()
        # A section that may be left out is one of two types.
        for each in (kind, *get_args(kind))
        for name in getattr(each, "__struct_encode_fields__", ())
    }

    assert ("function", "pinnedVersion") in named
    assert set(named) - known == set()
