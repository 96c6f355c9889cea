"""The wheels and sdists of the packages, as `hatch run build` makes them."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from artifacts.toolchain import ROOT, find_uv
from tests.artifact_trial.sandbox import Sandbox

DISTRIBUTIONS = (
    "nacc_event_model",
    "nacc_checkpoint_format",
    "nacc_checkpoint_queries",
    "nacc_checkpoint_core",
    "nacc_checkpoint_storage",
    "nacc_checkpoint_lambda",
    "nacc_checkpoint_cli",
    "nacc_checkpoint_report",
    "nacc_checkpoint_spark",
)
INSTALLED = DISTRIBUTIONS[:-2]  # what these need is large; the one is an extra, the other is apart
# Each its own, so that none can have taken another's.
VERSIONS = {
    name: f"{importlib.metadata.version(name)}.post{number}"
    for number, name in enumerate(DISTRIBUTIONS)
}
IMPORTED = """
import importlib.metadata, json, sys
import checkpoint_core, checkpoint_lambda.handler, checkpoint_queries, nacc_event_model.schemas
from nacc_event_model import VisitEvent
print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))
"""


def execute(*command: str | Path, cwd: Path) -> str:
    """Run a program that knows nothing of the environment of the tests; return its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    completed = subprocess.run(
        command,
        cwd=cwd,
        env=kept | {"UV_SYSTEM_CERTS": "true", "VIRTUAL_ENV": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give what the commands of `hatch run build` make of a copy with versions of its own."""
    folder = tmp_path_factory.mktemp("packages")
    ignored = shutil.ignore_patterns("__pycache__", "dist")
    shutil.copytree(ROOT / "packages", folder / "packages", ignore=ignored)
    for name, version in VERSIONS.items():
        package = folder / "packages" / name.removeprefix("nacc_").replace("_", "-")
        [path] = package.glob("src/*/_version.py")
        text = path.read_text(encoding="utf-8")
        text = re.sub('(?m)^__version__ = ".*"$', f'__version__ = "{version}"', text)
        path.write_text(text, encoding="utf-8")
    settings = tomllib.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))
    for command in settings["envs"]["default"]["scripts"]["build"]:
        program, *arguments = command.split()
        assert program == "python"
        execute(sys.executable, *arguments, cwd=folder)
    return folder / "dist"


@pytest.fixture(scope="module")
def clean(dist: Path, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an environment with the wheels and what they ask for, and nothing else."""
    environment = tmp_path_factory.mktemp("clean") / "environment"
    execute(find_uv(), "venv", f"--python={sandbox.interpreter}", environment, cwd=dist)
    wheels = [path.name for path in dist.glob("*.whl") if path.name.startswith(INSTALLED)]
    python = environment / "bin" / "python"
    execute(find_uv(), "pip", "install", f"--python={python}", *wheels, cwd=dist)
    return environment / "bin"


def test_each_package_has_a_wheel_and_an_sdist_of_its_own_version(dist: Path) -> None:
    """And nothing else is made."""
    expected = {f"{name}-{version}.tar.gz" for name, version in VERSIONS.items()}
    expected |= {f"{name}-{version}-py3-none-any.whl" for name, version in VERSIONS.items()}

    assert expected == {path.name for path in dist.iterdir() if path.name != ".gitignore"}


def test_each_wheel_and_sdist_has_its_types_and_its_licence(dist: Path) -> None:
    """Who installs one needs no second place to look."""
    contents = {path.name: _names(path) for path in dist.glob("nacc*")}

    assert 2 * len(DISTRIBUTIONS) == len(contents)
    for name, files in contents.items():
        assert [each for each in files if each.endswith("/py.typed")], name
        assert [each for each in files if each.endswith("/LICENSE")], name
        assert not [each for each in files if "/tests/" in each or each.endswith(".pyc")], name


def _names(path: Path) -> list[str]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return wheel.namelist()
    with tarfile.open(path) as sdist:
        return sdist.getnames()


def test_the_wheels_work_in_a_clean_environment(clean: Path, tmp_path: Path) -> None:
    """They import, know their versions, and the command line takes events into a checkpoint."""
    versions = json.loads(execute(clean / "python", "-I", "-c", IMPORTED, *INSTALLED, cwd=tmp_path))
    command = clean / "nacc-checkpoint"
    execute(command, "sample", "events", "--count", "5", "--invalid", "0", cwd=tmp_path)
    report = json.loads(
        execute(command, "run", "events", "checkpoint/events.parquet", "--json", cwd=tmp_path)
    )

    assert versions == {name: VERSIONS[name] for name in INSTALLED}
    assert 5 == report["new_events_processed"]
