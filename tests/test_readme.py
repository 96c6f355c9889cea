"""What README.md shows is what happens."""

import re
import shlex
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import polars as pl
import pytest

from tests.end_to_end.commands import call

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def readme() -> str:
    """The text of README.md."""
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demonstration takes place."""
    return tmp_path_factory.mktemp("demonstration") / "demo"


@pytest.fixture(scope="module")
def demonstration(folder: Path) -> str:
    """What the demonstration prints, where little is set, and that not as it wants it."""
    ended = subprocess.run(
        [sys.executable, "scripts/demo.py", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin", "EVENT_FORMAT": "1.1"},
    )

    assert "" == ended.stderr
    return ended.stdout


def without_moments(text: str) -> str:
    """Leave out what differs from run to run: commits, and sizes that depend on them."""
    return re.sub(r"\d{8}T\d{6}Z-[0-9a-f]{8}|[\d,]+ bytes", "*", text)


def test_the_transcript_is_real_output(readme: str, demonstration: str) -> None:
    """Every part of the transcript, between the dots, is printed by the demonstration."""
    [transcript] = re.findall(r"```console\n(.*?)```", readme, re.DOTALL)
    parts = [part.strip() for part in transcript.split("\n...\n")]
    missing = [
        part for part in parts if without_moments(part) not in without_moments(demonstration)
    ]

    assert len(parts) > 1
    assert missing == []


def test_the_demonstration_shows_what_it_promises(demonstration: str, folder: Path) -> None:
    """Each command is followed by what it says, and no place of this machine is named."""
    assert str(folder.parent) not in demonstration
    assert "\x1b" not in demonstration
    outcomes = re.findall(r"^ +([0-9,]+) +(accepted|unchanged) ", demonstration, re.MULTILINE)
    assert [
        ("980", "accepted"),
        ("66", "accepted"),
        ("968", "unchanged"),
        ("1,034", "unchanged"),
    ] == outcomes
    assert 7 == len(re.findall("^ok ", demonstration, re.MULTILINE))
    assert re.search("^ adrc .* 0[.][0-9]+$", demonstration, re.MULTILINE)


def test_the_question_for_analysts_can_be_asked(
    readme: str,
    folder: Path,
    demonstration: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The snippet runs on the checkpoint that the demonstration leaves, and prints a result."""
    assert "verify checkpoint/events.parquet" in demonstration
    monkeypatch.chdir(folder)
    [snippet] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names: dict[str, pl.LazyFrame] = {}
    exec(snippet, names)
    errors = names["errors"].collect()

    assert errors["errors"].sum() > 0
    assert capsys.readouterr().out == f"{errors}\n"


def test_a_newcomer_gets_to_a_report(readme: str, tmp_path: Path) -> None:
    """By the commands that are shown, on sample events."""
    commands = re.findall(r"^\.venv/bin/hatch run cli (.*)$", readme, re.MULTILINE)
    with chdir(tmp_path):
        assert all(call(*shlex.split(command)).status == 0 for command in commands)

    assert len(commands) == 4
    assert (tmp_path / "out" / "exports" / "adrc" / "form" / "events.parquet").exists()
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").startswith("<!doctype")
