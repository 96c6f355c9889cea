"""The locks: which version of which distribution is in which layer, and the digests of its wheels.

One resolution for everything, divided into one file per layer, for both architectures and every
runtime. What several layers need is in the first of them alone.
"""

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from artifacts.toolchain import ROOT, BuildError, execute, find_uv

__all__ = [
    "LAYERS",
    "LOCKS",
    "RUNTIME_INTERFACE",
    "Block",
    "check_locks",
    "divide",
    "inputs",
    "lock",
    "read_lock",
]

LOCKS = ROOT / "artifacts" / "locks"

# Each dependency of our packages stands here once; what it needs goes with it.
LAYERS = {
    "observability": ("structlog", "opentelemetry-api"),
    "data-processing": ("polars", "msgspec"),
    "aws-sdk": ("boto3", "botocore", "obstore", "arro3-core"),
}
# Not a layer: what Lambda itself brings, for `hatch run try-artifact`.
RUNTIME_INTERFACE = "runtime-interface"
_INTERFACE_REQUIREMENT = "awslambdaric>=4,<5"

_REMEDY = "Run `hatch run lock`, and look at what it changes."


@dataclass(frozen=True)
class Block:
    """One locked distribution: its pin, the digests of its files, and what asked for it."""

    requirement: Requirement
    lines: tuple[str, ...]
    via: frozenset[str]

    @property
    def name(self) -> str:
        """The distribution's name as indexes write it."""
        return canonicalize_name(self.requirement.name)


def inputs(projects: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what the locks are made from: the packages' dependency lines and the table of layers.

    Raises BuildError where a dependency is in no layer, or a layer has what nobody needs.
    """
    projects = _projects() if projects is None else projects
    requirements = {
        str(requirement)
        for project in projects.values()
        for requirement in map(Requirement, project["dependencies"])
        if canonicalize_name(requirement.name) not in projects
    }
    needed = {canonicalize_name(Requirement(text).name) for text in requirements}
    placed = [name for roots in LAYERS.values() for name in roots]
    if sorted(placed) != sorted(needed):
        raise BuildError(
            "LAYERS in artifacts/locks.py must have each dependency of the packages once, and no "
            f"other; different: {', '.join(sorted(needed.symmetric_difference(placed)))}."
        )
    return {
        "interface": _INTERFACE_REQUIREMENT,
        "layers": LAYERS,
        "python": sorted({project["requires-python"] for project in projects.values()}),
        "requirements": sorted(requirements),
    }


def check_locks(folder: Path = LOCKS) -> None:
    """Raise BuildError when a lock was made from other dependency lines. Needs no network."""
    expected = _inputs_line(inputs())
    for name in (*LAYERS, RUNTIME_INTERFACE):
        path = folder / f"{name}.txt"
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise BuildError(f"{path}: cannot be read ({error.strerror}). {_REMEDY}") from error
        if expected not in lines:
            raise BuildError(f"{path}: made from other dependencies than today's. {_REMEDY}")


def read_lock(name: str, folder: Path = LOCKS) -> list[Requirement]:
    """Return the pins of a lock."""
    text = (folder / f"{name}.txt").read_text(encoding="utf-8")
    return [block.requirement for block in _blocks(text)]


def lock(folder: Path = LOCKS) -> None:
    """Write all locks anew, with the newest versions that the dependency lines admit."""
    made_from = inputs()
    resolved = _blocks(_resolve(made_from["requirements"]))
    divided = divide(resolved)
    divided[RUNTIME_INTERFACE] = _blocks(_resolve([_INTERFACE_REQUIREMENT]))
    folder.mkdir(parents=True, exist_ok=True)
    for name, blocks in divided.items():
        head = ["# Made by `hatch run lock`; don't edit.", _inputs_line(made_from)]
        body = [line for block in blocks for line in block.lines]
        (folder / f"{name}.txt").write_text("\n".join([*head, *body, ""]), encoding="utf-8")


def divide(blocks: list[Block]) -> dict[str, list[Block]]:
    """Give each distribution to the first layer that needs it."""
    asked_for: dict[str, set[str]] = {}
    for block in blocks:
        for parent in block.via:
            asked_for.setdefault(parent, set()).add(block.name)
    divided: dict[str, list[Block]] = {}
    taken: set[str] = set()
    # Roots first: they stand where the table says, whoever else needs them.
    roots = {name for names in LAYERS.values() for name in names}
    for layer, names in LAYERS.items():
        members, waiting = set(names), list(names)
        while waiting:
            new = asked_for.get(waiting.pop(), set()) - members - taken - roots
            members |= new
            waiting += new
        taken |= members
        divided[layer] = [block for block in blocks if block.name in members]
    left = {block.name for block in blocks} - taken
    if left:
        raise BuildError(f"uv does not say what needs {', '.join(sorted(left))}.")
    return divided


def _projects() -> dict[str, Any]:
    paths = sorted((ROOT / "packages").glob("*/pyproject.toml"))
    projects = [tomllib.loads(path.read_text(encoding="utf-8"))["project"] for path in paths]
    return {canonicalize_name(project["name"]): project for project in projects}


def _inputs_line(made_from: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    return f"# inputs: sha256:{digest}"


def _resolve(requirements: list[str]) -> str:
    """Ask uv for the newest versions, for all platforms, wheels only."""
    command: list[str | Path] = [
        find_uv(),
        "pip",
        "compile",
        "-",
        "--quiet",
        "--no-header",
        "--no-emit-index-url",
    ]
    command += ["--universal", "--generate-hashes", "--no-build", "--annotation-style=line"]
    command += ["--python-version=3.11", f"--python={sys.executable}"]
    return execute(
        command,
        stdin="\n".join(requirements),
        remedy="Behind a private index: uv takes it from UV_DEFAULT_INDEX or its configuration.",
    )


def _blocks(text: str) -> list[Block]:
    """Read the output of `uv pip compile`, or a lock."""
    blocks: list[Block] = []
    for part in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        lines = [line.rstrip() for line in part.splitlines() if line.strip()]
        pins = [line for line in lines if not line.lstrip().startswith("#")]
        if not pins:
            continue
        via = ", ".join(line.split("# via", 1)[1] for line in lines if "# via" in line)
        blocks.append(
            Block(
                Requirement(pins[0].split("  #")[0].rstrip("\\").strip()),
                tuple(pins),
                frozenset(name.strip() for name in via.split(",")),
            )
        )
    return blocks
