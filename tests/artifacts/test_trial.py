"""What was built is tried in CI, by a step of its own."""

import subprocess
import sys

import pytest

from artifacts.toolchain import ROOT
from scripts.check import steps
from tests.artifact_trial.conftest import pytest_ignore_collect

TRIALS = "tests/artifact_trial"


def trials(*versions: str) -> list[list[str]]:
    """Return the commands that try the built artifact where these Pythons are."""
    return [command for name, command in steps(list(versions)).items() if "artifact" in name]


@pytest.mark.parametrize(
    "versions,runtime",
    [(("3.11", "3.12", "3.13"), "3.12"), (("3.11", "3.13"), "3.11"), (("3.13",), "3.13")],
)
def test_ci_tries_what_was_built_once_on_lambdas_python_where_it_is_here(
    versions: tuple[str, ...], runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise on the first that is."""
    monkeypatch.setenv("CI", "true")

    assert [["run", "try-artifact", "--runtime", runtime]] == trials(*versions)


@pytest.mark.parametrize("platform,count", [("linux", 1), ("darwin", 0)])
def test_where_nothing_built_can_run_it_is_passed_over(
    platform: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not in CI."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("CI", raising=False)

    assert count == len(trials("3.12"))


def test_the_trials_are_collected_only_where_there_is_something_to_try(
    pytestconfig: pytest.Config,
) -> None:
    """The ordinary suite needs no network."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    given = subprocess.run(
        [*command, f"{TRIALS}/test_packages.py", "--built=dist/lambda"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert pytest_ignore_collect(pytestconfig)
    assert pytest.ExitCode.OK == given.returncode
    assert f"{TRIALS}/test_packages.py::" in given.stdout
