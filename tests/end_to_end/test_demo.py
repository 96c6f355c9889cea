"""The demonstration that the README begins with."""

import re
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "scripts" / "demo.py"


def test_the_demonstration_runs_and_shows_what_it_promises(tmp_path: Path) -> None:
    """Each command is followed by what it says, and no place or person of this machine is named."""
    ended = subprocess.run(
        [sys.executable, DEMO, tmp_path / "demo"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin", "EVENT_FORMAT": "1.1"},
    )

    assert (0, "") == (ended.returncode, ended.stderr)
    assert str(tmp_path) not in ended.stdout
    assert "\x1b" not in ended.stdout
    outcomes = re.findall(r"^ +([0-9,]+) +(accepted|unchanged) ", ended.stdout, re.MULTILINE)
    assert [
        ("980", "accepted"),
        ("66", "accepted"),
        ("968", "unchanged"),
        ("1,034", "unchanged"),
    ] == outcomes
    assert 7 == len(re.findall("^ok ", ended.stdout, re.MULTILINE))
    assert re.search("^ adrc .* 0[.][0-9]+$", ended.stdout, re.MULTILINE)
