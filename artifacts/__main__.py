"""Build, lock and try the artifacts: see `hatch run build-artifacts --help`."""

import argparse
import platform
import sys
import tempfile
from pathlib import Path

from artifacts.building import Build
from artifacts.locks import check_locks, lock
from artifacts.targets import ARCHITECTURES, RUNTIMES, Target
from artifacts.toolchain import ROOT, BuildError, say
from artifacts.trial import TrialError, try_artifact


def main() -> int:
    """Do what the command line asks for; 1 when that fails."""
    arguments = _parser().parse_args()
    try:
        arguments.act(arguments)
    except (BuildError, TrialError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m artifacts", description=__doc__)
    verbs = parser.add_subparsers(required=True)

    build = verbs.add_parser("build", help="make the function's archive and its layers")
    build.add_argument("--architecture", choices=sorted(ARCHITECTURES), default="arm64")
    build.add_argument("--output", type=Path, default=ROOT / "dist" / "lambda")
    build.set_defaults(act=_build)

    trial = verbs.add_parser("try", help="run the built artifact for this machine's architecture")
    trial.add_argument("--built", type=Path, help="a folder that `build` made; else build one")
    trial.set_defaults(act=_try)

    for verb in (build, trial):
        verb.add_argument("--runtime", choices=sorted(RUNTIMES), default="3.12")
        verb.add_argument(
            "--reserve-mb", type=int, default=40, help="left for AWS's tracing layer; 0 without one"
        )
        verb.add_argument(
            "--no-bytecode", action="store_true", help="do without the runtime's interpreter"
        )

    locking = verbs.add_parser("lock", help="lock the newest versions that the packages admit")
    locking.add_argument("--check", action="store_true", help="only say whether they are stale")
    locking.set_defaults(act=_lock)
    return parser


def _build(arguments: argparse.Namespace) -> None:
    target = Target(runtime=arguments.runtime, architecture=arguments.architecture)
    _of(arguments, target, arguments.output).make()


def _try(arguments: argparse.Namespace) -> None:
    machine = platform.machine()
    architecture = next((ours for ours, name in ARCHITECTURES.items() if name == machine), None)
    if architecture is None or sys.platform != "linux":
        raise BuildError(f"Nothing is built that could run on {sys.platform}, {machine}.")
    target = Target(runtime=arguments.runtime, architecture=architecture)
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        if arguments.built is None:
            _of(arguments, target, Path(folder, "built")).make()
        try_artifact(arguments.built or Path(folder, "built"), target, Path(folder))


def _of(arguments: argparse.Namespace, target: Target, output: Path) -> Build:
    return Build(
        target=target,
        output=output,
        has_bytecode=not arguments.no_bytecode,
        reserved_mb=arguments.reserve_mb,
    )


def _lock(arguments: argparse.Namespace) -> None:
    if not arguments.check:
        lock()
    check_locks()
    say("The locks are those of today's dependencies.")


if __name__ == "__main__":
    sys.exit(main())
