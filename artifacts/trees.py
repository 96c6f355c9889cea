"""The folders that become archives: filled, rid of what depends on this machine, compiled."""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from artifacts.locks import LOCKS
from artifacts.projects import project_folders
from artifacts.targets import Target
from artifacts.toolchain import execute, find_uv

__all__ = ["compile_tree", "copy_sources", "install", "unzipped_bytes"]

# Written by the installer, not by the distribution; RECORD lists scripts that name this machine.
_INSTALLERS = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json")


def install(lock: str, target: Target, tree: Path) -> None:
    """Install what a lock names, exactly that, for the target; digests are compared."""
    command: list[str | Path] = [
        find_uv(),
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
    ]
    # Copies: links into uv's cache would let us strip the cache's own files.
    command += ["--only-binary=:all:", "--link-mode=copy", f"--target={tree}"]
    command += [f"--python-platform={target.uv_platform}", f"--python-version={target.runtime}"]
    command += [f"--python={sys.executable}", f"--requirements={LOCKS / lock}.txt"]
    execute(
        command,
        environment={"UV_SYSTEM_CERTS": "true", "VIRTUAL_ENV": ""},
        remedy=f"Where no wheel fits {target.architecture} and Python {target.runtime}, choose "
        "another version in the package's pyproject.toml and run `hatch run lock`.",
    )
    shutil.rmtree(tree / "bin", ignore_errors=True)
    (tree / ".lock").unlink(missing_ok=True)
    for metadata in tree.glob("*.dist-info"):
        for name in _INSTALLERS:
            (metadata / name).unlink(missing_ok=True)


def copy_sources(tree: Path, projects: Iterable[str]) -> None:
    """Copy packages without what Python, editors and type checkers leave there."""
    folders = project_folders()
    for name in projects:
        for source in (folders[name] / "src").glob("*/__init__.py"):
            shutil.copytree(
                source.parent,
                tree / source.parent.name,
                ignore=shutil.ignore_patterns(".*", "__pycache__", "*.pyc", "*.pyo", "*~", "tests"),
            )


def compile_tree(tree: Path, interpreter: Path, *, mounted_at: str) -> None:
    """Compile every module with the runtime's interpreter.

    Guarantee: the same sources and interpreter give the same bytes. The files are taken without
    looking at their sources' times, which an archive does not keep.

    Args:
        tree: what to compile.
        interpreter: of the runtime's version.
        mounted_at: where Lambda puts the tree; tracebacks name it.

    """
    command: list[str | Path] = [interpreter, "-P", "-s", "-S", "-m", "compileall", "-q", "-j1"]
    command += ["--invalidation-mode=unchecked-hash", "-s", tree, "-p", mounted_at, tree]
    execute(
        command,
        environment={"PYTHONHASHSEED": "0", "PYTHONPATH": "", "PYTHONOPTIMIZE": ""},
        remedy="A module is not for this Python: choose another version, or --runtime.",
    )


def unzipped_bytes(tree: Path) -> int:
    """Return the size of all files."""
    return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
