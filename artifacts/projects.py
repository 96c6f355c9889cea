"""The packages that are deployed: the function's own or another, and the siblings that it needs."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from artifacts.toolchain import ROOT, BuildError

__all__ = ["deployed_projects", "needed_projects", "project_folders"]

_FUNCTION = "nacc-checkpoint-lambda"


def deployed_projects(package: str = _FUNCTION) -> dict[str, Any]:
    """Return the [project] tables of a package and of the siblings that it needs, by name.

    Usually of the function's. Raises BuildError.
    """
    tables = {
        name: tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for name, folder in project_folders().items()
    }
    return needed_projects(tables, package)


def project_folders() -> dict[str, Path]:
    """Return the folder of every package by the package's name."""
    return {
        canonicalize_name(
            tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"]
        ): path.parent
        for path in sorted((ROOT / "packages").glob("*/pyproject.toml"))
    }


def needed_projects(projects: Mapping[str, Any], wanted: str) -> dict[str, Any]:
    """Return a project and the siblings that it needs, directly or not, in order of their names.

    Raises BuildError where it is none of them.
    """
    if wanted not in projects:
        raise BuildError(f"packages/ has no {wanted}.")
    found, waiting = {wanted}, [wanted]
    while waiting:
        needs = map(Requirement, projects[waiting.pop()]["dependencies"])
        siblings = {canonicalize_name(need.name) for need in needs} & projects.keys()
        waiting += siblings - found
        found |= siblings
    return {name: projects[name] for name in sorted(found)}
