"""What holds for each package alike: one version, a changelog, a licence, types, ranges."""

import importlib.metadata
import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = sorted(path.parent for path in (ROOT / "packages").glob("*/pyproject.toml"))
each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)


def project_of(package: Path) -> dict[str, Any]:
    """Read a package's pyproject.toml."""
    return tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))


def version_of(package: Path) -> str:
    """Read the version from the one file that pyproject.toml names."""
    path = package / project_of(package)["tool"]["hatch"]["version"]["path"]
    versions = re.findall(
        r'^__version__ = "([^"]+)"$', path.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(versions) == 1
    return str(versions[0])


def test_there_are_nine_packages() -> None:
    """The tests below do not pass by finding nothing."""
    assert [p.name for p in PACKAGES] == [
        "checkpoint-cli",
        "checkpoint-core",
        "checkpoint-format",
        "checkpoint-lambda",
        "checkpoint-queries",
        "checkpoint-report",
        "checkpoint-spark",
        "checkpoint-storage",
        "event-model",
    ]


@each_package
def test_a_version_stands_in_one_place(package: Path) -> None:
    """pyproject.toml takes it from the source, and no second file assigns it."""
    project = project_of(package)["project"]

    assert "version" not in project
    assert ["version"] == project["dynamic"]
    assigned = [
        path.name
        for path in (package / "src").rglob("*.py")
        if re.search(r"^__version__\b.*=", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert len(assigned) == 1


@each_package
def test_the_installed_version_is_the_source_version(package: Path) -> None:
    """What runs here is what is written here; if not, `hatch env prune`."""
    name = project_of(package)["project"]["name"]

    assert version_of(package) == importlib.metadata.version(name)


@each_package
def test_the_changelog_begins_with_the_current_version(package: Path) -> None:
    """Who raises a version says why."""
    changelog = (package / "CHANGELOG.md").read_text(encoding="utf-8")

    headings = re.findall(r"^## \[?([0-9][^\s\]]*)", changelog, re.MULTILINE)
    assert version_of(package) == headings[0]


@each_package
def test_a_package_is_typed_licensed_and_described(package: Path) -> None:
    """py.typed, the licence's name and text, a readme, and the oldest Python are there."""
    project = project_of(package)["project"]

    assert len(list((package / "src").glob("*/py.typed"))) == 1
    assert project["license"] == "MPL-2.0"
    assert (ROOT / "LICENSE").read_bytes() == (package / "LICENSE").read_bytes()
    assert (package / project["readme"]).read_text(encoding="utf-8").startswith("# ")
    assert project["requires-python"] == ">=3.11"


@each_package
def test_a_siblings_range_admits_its_current_version_and_not_the_next_breaking_one(
    package: Path,
) -> None:
    """Siblings resolve to each other as they stand, and refuse an incompatible one."""
    versions = {project_of(sibling)["project"]["name"]: version_of(sibling) for sibling in PACKAGES}
    requirements = map(Requirement, project_of(package)["project"]["dependencies"])

    for requirement in requirements:
        if requirement.name in versions:
            assert requirement.specifier.contains(versions[requirement.name])
            assert not requirement.specifier.contains("1.0")


@each_package
def test_every_dependency_has_an_upper_or_lower_bound(package: Path) -> None:
    """No dependency is taken as it comes."""
    project = project_of(package)["project"]
    extras = project.get("optional-dependencies", {}).values()
    requirements = map(Requirement, chain(project["dependencies"], *extras))

    unbounded = [requirement.name for requirement in requirements if not requirement.specifier]

    assert [] == unbounded


def test_every_package_is_a_member_of_each_environment() -> None:
    """A sibling that is not listed would be looked for on the package index."""
    environments = tomllib.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))["envs"]

    for environment in environments.values():
        members = [member["path"] for member in environment["workspace"]["members"]]
        assert sorted(members) == [f"packages/{package.name}" for package in PACKAGES]


def test_the_test_environment_has_what_the_default_one_has_for_tests() -> None:
    """The two lists of test dependencies in hatch.toml are the same."""
    environments = tomllib.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))["envs"]

    assert set(environments["hatch-test"]["dependencies"]) <= set(
        environments["default"]["dependencies"]
    )


def test_ci_runs_the_readmes_test_command() -> None:
    """What a newcomer copies is what CI runs, character by character."""
    command = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]

    assert command in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


def test_no_file_names_a_folder_of_one_machine() -> None:
    """What is written here holds on every machine."""
    machine_path = re.compile(rb"(?<![\w.])/(?:root|home|Users|work|mnt)/\w")
    files = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in (
        ".ci",
        ".github",
        "artifacts",
        "benchmarks",
        "docs",
        "infra",
        "packages",
        "scripts",
        "tests",
    ):
        files += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    # Made by Python and by coverage, which other workers write and remove at this moment.
    made = re.compile(r"/__pycache__/|/\.coverage")

    named = [
        path.relative_to(ROOT).as_posix()
        for path in files
        if not made.search(path.as_posix()) and machine_path.search(path.read_bytes())
    ]

    assert ROOT / "hatch.toml" in files
    assert [] == named
