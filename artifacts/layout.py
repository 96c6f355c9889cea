"""The built archives laid out as Lambda does: the function in var/task, the layers in opt."""

import json
import platform
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artifacts.archives import digest
from artifacts.locks import LAYERS
from artifacts.targets import ARCHITECTURES, Target
from artifacts.toolchain import BuildError

__all__ = ["Layout", "check_built", "lay_out", "this_architecture"]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything is, and what it was built for."""

    target: Target
    has_bytecode: bool
    task: Path
    layers: Path
    unpacked: frozenset[Path]

    def added(self) -> frozenset[Path]:
        """Return what has come since it was laid out."""
        return _everything_in(self.task, self.layers) - self.unpacked


def this_architecture() -> str | None:
    """Return this machine's architecture as Lambda names it; None where nothing built could run."""
    machine = platform.machine()
    names = (ours for ours, name in ARCHITECTURES.items() if name == machine)
    return next(names, None) if sys.platform == "linux" else None


def check_built(built: Path) -> dict[str, Any]:
    """Return the manifest of what `hatch run build-artifacts` made.

    Raises BuildError unless it is whole, and for this machine's architecture.
    """
    manifest = _read_manifest(built)
    here = this_architecture()
    if manifest["architecture"] != here:
        raise BuildError(
            f"{built}: was built for {manifest['architecture']}, which does not run here. "
            f"Build with --architecture {here}."
        )
    for name, file in manifest["files"].items():
        if digest(built / name) != file["sha256"]:
            raise BuildError(f"{built / name}: is not the archive that manifest.json speaks of.")
    return manifest


def lay_out(built: Path, folder: Path) -> Layout:
    """Unpack what `check_built` finds right; raises BuildError."""
    manifest = check_built(built)
    task, opt = folder / "var" / "task", folder / "opt"
    _unpack(built / "function.zip", task)
    for layer in LAYERS:
        _unpack(built / "layers" / f"{layer}.zip", opt)
    return Layout(
        target=Target(
            runtime=manifest["runtime"].removeprefix("python"),
            architecture=manifest["architecture"],
        ),
        has_bytecode=bool(manifest["bytecode"]),
        task=task,
        layers=opt / "python",
        unpacked=_everything_in(task, opt / "python"),
    )


def _everything_in(*folders: Path) -> frozenset[Path]:
    return frozenset(path for folder in folders for path in folder.rglob("*"))


def _read_manifest(built: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((built / "manifest.json").read_bytes())
    except (OSError, ValueError) as error:
        raise BuildError(f"{built}: has no manifest. Run `hatch run build-artifacts`.") from error
    return manifest


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        twice = [name for name in opened.namelist() if (folder / name).exists()]
        if twice:
            raise BuildError(f"{archive}: hides another layer's {twice[0]}.")
        opened.extractall(folder)
