"""What exists is documented: every setting, metric, log event, span, error, command and outcome."""

import pkgutil
import re
from pathlib import Path

import pytest

import checkpoint_core.errors
import checkpoint_format.errors
import checkpoint_spark.errors
import checkpoint_storage.errors
from checkpoint_cli._app import load
from checkpoint_cli._choices import COMMANDS
from checkpoint_core import Counts, RunReport
from checkpoint_core.responses import Response
from checkpoint_lambda._log_events import LOG_EVENTS
from checkpoint_lambda._metrics import DIMENSIONS, METRICS, NAMESPACE
from checkpoint_lambda._tracing import SPANS
from scripts.settings_table import renewed

ROOT = Path(__file__).resolve().parent.parent
INTERACTIVE = {
    "AdoptionIncompleteError",
    "CheckpointError",
    "ChangedWhileReadingError",
    "NoCheckpointError",
    "NotAppliedError",
    "NothingToAdoptError",
    "ProblemError",
    "StalledError",
    "UnsupportedLocationError",
    "WouldLoseRowsError",
}
"""Errors that only a person at the command line meets, who reads the message, and bases of others."""


@pytest.fixture(scope="module")
def operating() -> str:
    """The text of docs/operating.md."""
    return (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    section = text.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def code(text: str | None) -> str:
    """Return text as the documents set it."""
    return "-" if text is None else f"`{text}`"


def test_the_table_of_settings_is_current(operating: str) -> None:
    """As `hatch run settings-table` writes it."""
    assert renewed(operating) == operating


def test_the_table_of_settings_has_every_option_of_a_run(operating: str) -> None:
    """And none that is not there; those for the output alone are no settings."""
    run = load("run")
    options = {name for option in run.params for name in option.opts if name.startswith("--")}

    shown = re.findall(r"--[a-z-]+", " ".join(row[3] for row in rows(operating, "Settings")))
    assert sorted(shown) == sorted(options - {"--json", "--debug", "--help"})


def test_every_metric_log_event_and_span_has_its_row(operating: str) -> None:
    """With unit or level and meaning; and no row too many."""
    assert rows(operating, "Metrics") == [[code(m.name), m.unit, m.meaning] for m in METRICS]
    assert rows(operating, "Log events") == [[code(e.name), e.level, e.meaning] for e in LOG_EVENTS]
    assert rows(operating, "Traces") == [[code(name), SPANS[name]] for name in SPANS]
    assert f"`{NAMESPACE}`" in operating
    assert all(f"`{dimension}`" in operating for dimension in DIMENSIONS)


def test_the_response_has_the_documented_keys(operating: str) -> None:
    """In their order."""
    keys = ["statusCode", *Response.__struct_fields__[1:]]

    assert [row[0] for row in rows(operating, "The response")] == [code(key) for key in keys]


def test_every_error_is_documented(operating: str) -> None:
    """Except those that only somebody at the command line meets."""
    modules = (
        checkpoint_format.errors,
        checkpoint_core.errors,
        checkpoint_storage.errors,
        checkpoint_spark.errors,
    )
    errors = {name for module in modules for name in module.__all__} - INTERACTIVE

    assert sorted(name for name in errors if f"`{name}`" not in operating) == []


def test_every_command_is_documented() -> None:
    """In the README of the package that has it."""
    readme = (ROOT / "packages" / "checkpoint-cli" / "README.md").read_text(encoding="utf-8")
    commands = list(COMMANDS)

    assert len(commands) >= 5
    assert [name for name in commands if f"| `{name} " not in readme] == []


def test_every_number_of_the_equation_is_explained() -> None:
    """In the picture of the architecture, each once."""
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    equation = architecture.split("listed = ")[1].split("```")[0].replace("\n", " ")

    assert [name.strip() for name in equation.split("+")] == list(Counts.__struct_fields__)
    assert "listed" in RunReport.__struct_fields__


def test_everything_that_the_architecture_names_exists() -> None:
    """Each module, each thing in one, and each path."""
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`((?:nacc_event_model|checkpoint_[a-z]+)[\w.]*)`", architecture))
    paths = set(
        re.findall(
            r"`((?:\.github|artifacts|docs|infra|packages|tests|hatch\.toml)(?:/[^`]*)?)`",
            architecture,
        )
    )

    assert len(names) > 50
    assert len(paths) > 15
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    for name in names:
        pkgutil.resolve_name(name)
