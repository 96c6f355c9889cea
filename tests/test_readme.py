"""What README.md shows is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INSTALLS = re.compile(r"^(?:python3 -m venv|[.]venv/bin/hatch) ", re.MULTILINE)
"""What is in the snippets that set something up."""


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


@pytest.mark.on_one_python
def test_every_snippet_works_as_it_is_pasted(readme: str, tmp_path: Path) -> None:
    """In the order of the page; what installs something is tried by hand, and needs a network.

    The programs are those of this environment, under the names that the page's own gives them.
    """
    programs, home = tmp_path / "programs", tmp_path / "home"
    programs.mkdir()
    home.mkdir()
    for name, module in {"nacc-checkpoint": "-m checkpoint_cli", "python": ""}.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    environ = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(home), "SHELL": "/bin/bash"}
    said = []
    for language, code in re.findall(
        r"^```(sh|python)\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE
    ):
        if INSTALLS.search(code):
            continue
        # What is last would be run in place of the shell, for which the completion is.
        line = code.replace("--install-completion", "--show-completion") + ":\n"
        command = ["python", "-c", code] if language == "python" else ["bash", "-euc", line]
        ended = subprocess.run(
            command,
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert (0, "") == (ended.returncode, ended.stderr), code
        said.append(ended.stdout)

    assert 4 == len(said)
    assert "Usage: nacc-checkpoint" in said[0]
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").startswith("<!doctype")
    assert (tmp_path / "out" / "exports" / "adrc" / "form" / "events.parquet").exists()
    assert "errors" in said[-1]
    assert "shape: (" in said[-1]
