"""The built artifact, laid out once for all trials."""

from pathlib import Path

import pytest

from artifacts.layout import lay_out
from artifacts.locks import RUNTIME_INTERFACE
from artifacts.toolchain import find_interpreter
from artifacts.trees import install
from tests.artifact_trial.sandbox import Sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the folder that `hatch run build-artifacts` made."""
    parser.addoption("--built", type=Path, help="the built artifact that is to be tried")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave these tests out where there is nothing to try."""
    return True if config.getoption("built", None) is None else None


@pytest.fixture(scope="session")
def built(pytestconfig: pytest.Config) -> Path:
    """Give the folder that was named."""
    folder: Path = pytestconfig.getoption("built")
    return folder


@pytest.fixture(scope="session")
def sandbox(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """Give a place to run functions in."""
    folder = tmp_path_factory.mktemp("lambda")
    interface, scratch = folder / "var" / "runtime", folder / "tmp"
    layout = lay_out(built, folder)
    install(RUNTIME_INTERFACE, layout.target, interface)
    scratch.mkdir()
    return Sandbox(
        layout=layout,
        interpreter=find_interpreter(layout.target.runtime),
        interface=interface,
        scratch=scratch,
    )
