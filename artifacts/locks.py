"""The locks: which version of which distribution is where, and the digests of its wheels.

The layers have one resolution, divided into one file per layer, for both architectures and every
runtime; what several layers need is in the first of them alone. What Lambda brings and what the
Pulumi program needs are locked too, each for itself.

uv resolves (`uv lock`) and writes each file (`uv export`). Ours are the table of layers, which of
them has what several need, and the line that tells whether a lock is stale.
"""

import hashlib
import json
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from artifacts.projects import deployed_projects
from artifacts.toolchain import ROOT, BuildError, execute, find_uv

__all__ = [
    "LAYERS",
    "LOCKS",
    "RUNTIME_INTERFACE",
    "Resolution",
    "check_locks",
    "layer_resolution",
    "lock",
    "pins",
    "read_lock",
    "resolutions",
]

LOCKS = ROOT / "artifacts" / "locks"
_PROGRAM = ROOT / "infra"

# Each dependency of our packages stands here once; what it needs goes with it.
LAYERS = {
    "observability": ("structlog", "opentelemetry-api"),
    "data-processing": ("polars", "msgspec"),
    "aws-sdk": ("boto3", "botocore", "pycurl", "urllib3"),
}
# Not a layer: what Lambda itself brings, for `hatch run try-artifact`.
RUNTIME_INTERFACE = "runtime-interface"
_INTERFACE_REQUIREMENT = "awslambdaric>=4,<5"
# Nothing is locked for what no function runs on.
_LAMBDA = ("sys_platform == 'linux'",)

_PLAIN = ("--frozen", "--no-annotate", "--no-header")

_REMEDY = "Run `hatch run lock`, and look at what it changes."


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What is resolved together: the requirements of each file, by its path below the root.

    Without `environments` it is for every platform.
    """

    files: Mapping[str, list[str]]
    python: str
    environments: tuple[str, ...] = ()

    def inputs_line(self) -> str:
        """Return the line of a lock that says what it was made from."""
        made_from = json.dumps(asdict(self), sort_keys=True).encode()
        return f"# inputs: sha256:{hashlib.sha256(made_from).hexdigest()}"

    def project(self) -> str:
        """Return a project for uv, with one dependency group for each file."""
        groups = [f"{Path(file).stem} = {json.dumps(needs)}" for file, needs in self.files.items()]
        lines = ["[project]", 'name = "locks"', 'version = "0"']
        lines += [f"requires-python = {json.dumps(self.python)}", "[dependency-groups]", *groups]
        lines += ["[tool.uv]", "package = false"]
        lines += [f"environments = {json.dumps(self.environments)}"] if self.environments else []
        return "\n".join([*lines, ""])

    def exports(self) -> dict[str, list[str]]:
        """Return what to ask of `uv export`, by file.

        A file's own requirements stand there, though another file's need them too.
        """
        names = {file: sorted(map(_name, needs)) for file, needs in self.files.items()}
        return {
            file: [f"--only-group={Path(file).stem}"]
            + [f"--prune={name}" for other in names if other != file for name in names[other]]
            for file in names
        }


def resolutions() -> list[Resolution]:
    """Return everything that is locked; raises BuildError as `layer_resolution` does."""
    layers = layer_resolution(deployed_projects())
    program = tomllib.loads((_PROGRAM / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [
        layers,
        Resolution(
            files={_path(RUNTIME_INTERFACE): [_INTERFACE_REQUIREMENT]},
            python=layers.python,
            environments=_LAMBDA,
        ),
        Resolution(
            files={"infra/requirements.txt": program["dependencies"]},
            python=program["requires-python"],
        ),
    ]


def layer_resolution(projects: Mapping[str, Any]) -> Resolution:
    """Return what the layers are made from: the dependency lines of what is in the function.

    Raises BuildError where a dependency is in no layer, or a layer has what nobody needs.
    """
    requirements = sorted(
        {
            str(requirement)
            for project in projects.values()
            for requirement in map(Requirement, project["dependencies"])
            if canonicalize_name(requirement.name) not in projects
        }
    )
    needed = {_name(text) for text in requirements}
    placed = [name for roots in LAYERS.values() for name in roots]
    if sorted(placed) != sorted(needed):
        raise BuildError(
            "LAYERS in artifacts/locks.py must have each dependency of the packages once, and no "
            f"other; different: {', '.join(sorted(needed.symmetric_difference(placed)))}."
        )
    return Resolution(
        files={
            _path(layer): [text for text in requirements if _name(text) in roots]
            for layer, roots in LAYERS.items()
        },
        python=",".join(sorted({project["requires-python"] for project in projects.values()})),
        environments=_LAMBDA,
    )


def check_locks(root: Path = ROOT) -> None:
    """Raise BuildError when a lock was made from other dependency lines. Needs no network."""
    for resolution in resolutions():
        for file in resolution.files:
            path = root / file
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
            except OSError as error:
                raise BuildError(f"{path}: cannot be read ({error.strerror}). {_REMEDY}") from error
            if resolution.inputs_line() not in lines:
                raise BuildError(f"{path}: made from other dependencies than today's. {_REMEDY}")


def read_lock(name: str, folder: Path = LOCKS) -> list[Requirement]:
    """Return the pins of a lock."""
    return pins((folder / f"{name}.txt").read_text(encoding="utf-8"))


def pins(text: str) -> list[Requirement]:
    """Return the pins of a file of requirements: each begins a line, and its digests follow."""
    lines = [line for line in text.splitlines() if line[:1].isalnum()]
    return [Requirement(line.removesuffix("\\")) for line in lines]


def lock(root: Path = ROOT) -> None:
    """Write all locks anew, with the newest versions that the dependency lines admit."""
    for resolution in resolutions():
        with tempfile.TemporaryDirectory(prefix="locks-") as folder:
            Path(folder, "pyproject.toml").write_text(resolution.project(), encoding="utf-8")
            # Its lock names the index and every address on it, so it is not kept: ours hold
            # whatever index they are used with.
            _uv(folder, "lock", "--no-build")
            taken: list[Requirement] = []
            for file, wanted in resolution.exports().items():
                without = [f"--no-emit-package={pin.name}" for pin in taken]
                text = _uv(folder, "export", *wanted, *without, *_PLAIN)
                head = ["# Made by `hatch run lock`; don't edit.", resolution.inputs_line()]
                (root / file).write_text("\n".join([*head, text]), encoding="utf-8")
                taken += pins(text)


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)


def _path(name: str) -> str:
    return (LOCKS / f"{name}.txt").relative_to(ROOT).as_posix()


def _uv(project: str, *arguments: str) -> str:
    return execute(
        [find_uv(), *arguments, "--quiet"],
        directory=project,
        environment={"UV_PYTHON": sys.executable},
        remedy="Behind a private index: uv takes it from UV_DEFAULT_INDEX or its configuration.",
    )
