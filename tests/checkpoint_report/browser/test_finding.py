"""Everybody looks for the same browsers."""

from pathlib import Path

import pytest

from tests.checkpoint_report.browser.conftest import NAMES

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("file", [".ci/run", "scripts/check.py"])
def test_all_look_for_the_same_browsers(file: str) -> None:
    """What CI installs and what a check reports is what these tests use."""
    text = (ROOT / file).read_text(encoding="utf-8").replace('"', "").replace(",", "")

    assert " ".join(NAMES) in text
