"""Run every gate: formatting, lint, types, tests on each supported Python here, the built artifact.

The supported Pythons are those of hatch.toml's test matrix. One that this machine lacks is passed
over; when none is here, or any step fails, the exit status is 1. All steps run, whatever fails.

Needs nothing but the standard library, and Hatch beside the Python that runs it, on PATH, or in
.venv.
"""

import contextlib
import functools
import os
import pwd
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What an interpreter says of itself. The base executable looks through virtual environments and
# the shims of version managers, whose names promise versions that may not be installed.
PROBE = """
import sys, sysconfig
usable = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
print("{}.{}".format(*sys.version_info) if usable else "", sys._base_executable, sep="\\n")
"""
PROBE_TIMEOUT_S = 30

# What tests/browser looks for. Without one its tests are skipped, except in CI, where they fail.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WITHOUT_BROWSER = "not on this machine; its tests are passed over, or in CI fail"

# What the function is deployed on unless told otherwise.
LAMBDA_PYTHON = "3.12"

# The tests that must cover the contract, the files, the questions and the core.
COVERING = (
    "tests/checkpoint_core",
    "tests/checkpoint_format",
    "tests/checkpoint_queries",
    "tests/event_model",
)
# On every Python but the first.
ELSEWHERE = ("-m", "not on_one_python")
ON_ONE_PYTHON = ("tests/artifacts", "tests/delivery", "tests/infra", "tests/workflows")

# Set by an environment of Hatch's that this script may have been started in; they would make the
# Hatch that it starts take that environment for its own.
ACTIVE_ENVIRONMENT = ("HATCH_ENV", "HATCH_ENV_ACTIVE", "VIRTUAL_ENV")


def main() -> int:
    """Run all steps and print what became of each."""
    hatch = find_hatch()
    if hatch is None:
        print("check: Hatch not found; install it, or use the command in README.md")
        return 1
    supported = supported_versions()
    pythons = {
        version: python for version in supported if (python := find_python(version)) is not None
    }
    for version in supported:
        print(f"Python {version}: {pythons.get(version, 'not on this machine, passed over')}")

    browser = find_browser()
    print(f"Browser: {browser or WITHOUT_BROWSER}")

    environment = environment_with(pythons.values())
    results = {}
    for name, arguments in steps(list(pythons)).items():
        results[name] = run(name, [hatch, *arguments], environment | options(arguments))
    print("\n== Summary")
    for name, passed in results.items():
        print(f"{'passed' if passed else 'FAILED'}  {name}")
    if not can_try_artifact():
        print("passed over  built artifact: it runs on Linux")
    if browser is None:
        print(f"passed over  tests in a browser: {WITHOUT_BROWSER}")
    if not pythons:
        print(f"FAILED  tests: none of Python {', '.join(supported)} is on this machine")
    return 0 if pythons and all(results.values()) else 1


def steps(versions: list[str]) -> dict[str, list[str]]:
    """Name each step and give its arguments to Hatch.

    Coverage is measured on the first Python only, because it differs on none, and of the tests of
    the four pure packages only, because these alone must cover them, and it doubles the time.
    There, in CI, the property tests are thorough too; on the others a few examples of each show that
    it works there.
    Tests that take long and show nothing that depends on the Python (every fault, every
    interleaving, a page in a browser, statements beside their twins) are marked on_one_python, and
    run there alone; so do those of the Pulumi programs, of what builds and of what delivers, which
    nobody imports and one Python runs.
    """
    named = {
        "formatting (ruff)": ["run", "formatted"],
        "lint (ruff)": ["run", "lint"],
        "types (mypy)": ["run", "types"],
    }
    for index, version in enumerate(versions):
        test = ["test", "--parallel", "--include", f"py={version}"]
        if index == 0:
            measured = f"pure packages on Python {version} with coverage"
            named[measured] = [*test, "--cover", "--", *COVERING]
            others = [f"--ignore={folder}" for folder in COVERING]
            named[f"other tests on Python {version}"] = [*test, "--", "tests", *others]
        else:
            passed_over = [f"--ignore={folder}" for folder in ON_ONE_PYTHON]
            named[f"tests on Python {version}"] = [*test, "--", "tests", *ELSEWHERE, *passed_over]
    if versions and can_try_artifact():
        runtime = LAMBDA_PYTHON if LAMBDA_PYTHON in versions else versions[0]
        named[f"built artifact for Python {runtime}"] = [
            "run",
            "try-artifact",
            "--runtime",
            runtime,
        ]
    return named


def options(arguments: list[str]) -> dict[str, str]:
    """Return the environment variables that say how thorough the tests of a step are."""
    profile = {"HYPOTHESIS_PROFILE": "elsewhere" if ELSEWHERE[1] in arguments else "thorough"}
    # A worker that is done takes tests over from the others, some of which take long.
    added = {"PYTEST_ADDOPTS": "--dist=worksteal"}
    return added | (profile if os.environ.get("CI") == "true" else {})


def can_try_artifact() -> bool:
    """Say whether what is built for this machine could run on it; in CI it must."""
    return sys.platform == "linux" or os.environ.get("CI") == "true"


def find_browser() -> str | None:
    """Find a browser that tests/browser can use."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def run(name: str, command: list[str], environment: dict[str, str]) -> bool:
    """Run one step with its output shown and no input; say whether it passed."""
    print(f"\n== {name}", flush=True)
    started_s = time.monotonic()
    completed = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False
    )
    print(f"== exit status {completed.returncode} after {time.monotonic() - started_s:.0f} s")
    return completed.returncode == 0


def supported_versions() -> list[str]:
    """Read the versions from the test matrix."""
    settings = tomllib.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))
    versions: list[str] = settings["envs"]["hatch-test"]["matrix"][0]["python"]
    return versions


def find_hatch() -> str | None:
    """Find the Hatch of the environment that runs this, else on PATH, else in .venv."""
    folders = [
        str(Path(sys.executable).parent),
        os.environ.get("PATH", os.defpath),
        str(ROOT / ".venv" / "bin"),
    ]
    return shutil.which("hatch", path=os.pathsep.join(folders))


def find_python(version: str) -> Path | None:
    """Find an interpreter that, when run, says that it has this version."""
    for folder in interpreter_folders():
        for name in (f"python{version}", "python3"):
            found_version, executable = probe(folder / name)
            if found_version == version:
                return executable
    return None


@functools.cache
def probe(candidate: Path) -> tuple[str, Path]:
    """Run an interpreter and return its version, empty when it does not run, and its true path."""
    if not os.access(candidate, os.X_OK):
        return "", candidate
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        output = subprocess.run(
            [candidate, "-I", "-c", PROBE],
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=PROBE_TIMEOUT_S,
        ).stdout
        version, executable = output.splitlines()
        return version, Path(executable)
    return "", candidate


def interpreter_folders() -> Iterator[Path]:
    """List the folders where interpreters are: this one's, PATH, the system's, pyenv's."""
    yield Path(sys.executable).parent
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield Path(folder or ".")
    yield Path("/usr/local/bin")
    yield Path("/usr/bin")
    # HOME may be set to another folder than the account's own.
    homes = [Path("~").expanduser()]
    with contextlib.suppress(KeyError):
        homes.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    pyenv_roots = [home / ".pyenv" for home in homes]
    if "PYENV_ROOT" in os.environ:
        pyenv_roots.insert(0, Path(os.environ["PYENV_ROOT"]))
    for pyenv_root in pyenv_roots:
        yield from sorted(pyenv_root.glob("versions/3.*/bin"))


def environment_with(pythons: Iterable[Path]) -> dict[str, str]:
    """Copy the environment, with these interpreters first on PATH, where Hatch looks for them."""
    folders = [str(python.parent) for python in pythons]
    folders.append(os.environ.get("PATH", os.defpath))
    environment = {
        name: value for name, value in os.environ.items() if name not in ACTIVE_ENVIRONMENT
    }
    return environment | {"PATH": os.pathsep.join(folders)}


if __name__ == "__main__":
    sys.exit(main())
