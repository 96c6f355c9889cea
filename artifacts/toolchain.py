"""The programs that a build needs: uv, the runtime's interpreter, and one that strips libraries."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.check import find_python

__all__ = ["ROOT", "BuildError", "execute", "find_interpreter", "find_strip", "find_uv", "say"]

ROOT = Path(__file__).resolve().parent.parent


class BuildError(Exception):
    """Nothing was built; the message says why and what to do."""


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def execute(
    command: Sequence[str | Path],
    *,
    remedy: str,
    directory: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program and return its output; raises BuildError with what it said and the remedy."""
    try:
        completed = subprocess.run(  # noqa: S603 - the programs and their arguments are ours
            command,
            stdin=subprocess.DEVNULL,
            cwd=directory,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise BuildError(f"{command[0]}: cannot be started ({error.strerror}). {remedy}") from error
    if completed.returncode:
        said = (completed.stderr + completed.stdout).strip()[-4000:]
        raise BuildError(f"{Path(command[0]).name} failed:\n{said}\n{remedy}")
    return completed.stdout


def find_uv() -> Path:
    """Find uv beside the Python that runs this, else on PATH; raises BuildError."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    found = shutil.which("uv", path=os.pathsep.join(folders))
    if found is None:
        raise BuildError("uv not found. Start this by `hatch run`, whose environment has it.")
    return Path(found)


def find_interpreter(version: str) -> Path:
    """Find the runtime's interpreter as `hatch run check` does; raises BuildError."""
    found = find_python(version)
    if found is None:
        raise BuildError(
            f"Python {version} not found, which compiles what runs on it. Install it (PATH and "
            "pyenv's folder are searched), or build with --no-bytecode: every cold start will "
            "then take seconds longer. For another runtime: --runtime."
        )
    return found


def find_strip(machine: str) -> Path | None:
    """Find a program that strips libraries of this machine, as `uname -m` names it."""
    names = ["llvm-strip", *(f"llvm-strip-{number}" for number in range(22, 13, -1))]
    names.append(f"{machine}-linux-gnu-strip")
    if sys.platform == "linux" and os.uname().machine == machine:
        names.append("strip")
    found = next(filter(None, map(shutil.which, names)), None)
    return None if found is None else Path(found)
