"""Whether what was installed is what was locked, and runs where it will be deployed."""

import struct
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name

from artifacts.targets import Target
from artifacts.toolchain import BuildError

__all__ = ["check_complete", "check_installed"]


def check_installed(tree: Path, locked: Iterable[Requirement], target: Target) -> dict[str, str]:
    """Return the versions by name; raises BuildError with everything that is wrong.

    Each wheel's own tags must fit the target, each shared library must be of its architecture, and
    the versions must be the locked ones, neither older nor more nor fewer.
    """
    expected: dict[str, str] = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in locked
        if pin.marker is None or pin.marker.evaluate(target.marker_environment)
    }
    installed = _distributions(tree)
    found: dict[str, str] = {name: distribution.version for name, distribution in installed.items()}
    problems = [
        f"{name}: locked is {expected.get(name)}, installed was {found.get(name)}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
    for name, distribution in installed.items():
        problems += _tag_problems(name, distribution, target)
    problems += _library_problems(tree, target)
    _refuse(problems, target)
    return dict(sorted(found.items()))


def check_complete(trees: Iterable[Path], ours: Iterable[str], target: Target) -> None:
    """Raise BuildError unless all that our packages and the distributions need is there, once."""
    versions: dict[str, str] = {}
    needs = [("our packages", text) for text in ours]
    problems: list[str] = []
    for tree in trees:
        for name, distribution in _distributions(tree).items():
            if name in versions:
                problems.append(f"{name}: is in more than one layer")
            versions[name] = distribution.version
            needs += [(name, text) for text in distribution.requires or []]
    for parent, text in needs:
        problems += _need_problems(parent, Requirement(text), versions, target)
    _refuse(problems, target)


def _need_problems(
    parent: str, need: Requirement, versions: Mapping[str, str], target: Target
) -> list[str]:
    if need.marker is not None and not need.marker.evaluate(target.marker_environment):
        return []
    version = versions.get(canonicalize_name(need.name))
    if version is not None and need.specifier.contains(version, prereleases=True):
        return []
    return [f"{parent}: needs {need}, and the layers have {version or 'none'}"]


def _distributions(tree: Path) -> dict[str, Distribution]:
    distributions = map(PathDistribution, sorted(tree.glob("*.dist-info")))
    return {canonicalize_name(found.metadata["Name"]): found for found in distributions}


def _tag_problems(name: str, distribution: Distribution, target: Target) -> list[str]:
    lines = (distribution.read_text("WHEEL") or "").splitlines()
    texts = [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]
    if any(tag in target.tags for text in texts for tag in parse_tag(text)):
        return []
    return [f"{name} {distribution.version}: a wheel for {', '.join(texts) or 'nothing'}"]


def _library_problems(tree: Path, target: Target) -> list[str]:
    problems = []
    for path in sorted(tree.rglob("*")):
        if path.is_file() and (".so" in path.suffixes):
            with path.open("rb") as file:
                head = file.read(20)
            if head[:4] != b"\x7fELF" or struct.unpack("<H", head[18:20])[0] != target.elf_machine:
                problems.append(f"{path.relative_to(tree)}: not a library for {target.machine}")
    return problems


def _refuse(problems: list[str], target: Target) -> None:
    if problems:
        listed = "\n  ".join(problems)
        raise BuildError(
            f"Not what is to run on {target.architecture} with Python {target.runtime}:\n  "
            f"{listed}\nRun `hatch run lock`; if that changes nothing, pin a version that has "
            "wheels for it in the package's pyproject.toml."
        )
