"""Build, lock and try the artifacts: see `hatch run build-artifacts --help`."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from artifacts.building import Build
from artifacts.layout import check_built, this_architecture
from artifacts.locks import check_locks, lock
from artifacts.spark import build_spark
from artifacts.targets import ARCHITECTURES, RUNTIMES, Target
from artifacts.toolchain import ROOT, BuildError, say
from scripts.check import LAMBDA_PYTHON


def main() -> int:
    """Do what the command line asks for; 1 when that fails."""
    arguments = _parser().parse_args()
    try:
        arguments.act(arguments)
    except BuildError as error:
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

    spark = verbs.add_parser("spark", help="make what a Spark cluster is given")
    spark.add_argument("--architecture", choices=sorted(ARCHITECTURES), default="x86_64")
    spark.add_argument("--runtime", choices=sorted(RUNTIMES), default="3.11")
    spark.add_argument("--output", type=Path, default=ROOT / "dist" / "spark")
    spark.set_defaults(act=_spark)

    trial = verbs.add_parser("try", help="run the built artifact for this machine's architecture")
    trial.add_argument("--built", type=Path, help="a folder that `build` made; else build one")
    trial.set_defaults(act=_try)

    for verb in (build, trial):
        verb.add_argument("--runtime", choices=sorted(RUNTIMES), default=LAMBDA_PYTHON)
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


def _spark(arguments: argparse.Namespace) -> None:
    build_spark(
        Target(runtime=arguments.runtime, architecture=arguments.architecture), arguments.output
    )


def _build(arguments: argparse.Namespace) -> None:
    target = Target(runtime=arguments.runtime, architecture=arguments.architecture)
    _of(arguments, target, arguments.output).make()


def _try(arguments: argparse.Namespace) -> None:
    architecture = this_architecture()
    if architecture is None:
        raise BuildError("Nothing is built that could run here: that takes Linux on arm64 or x86.")
    target = Target(runtime=arguments.runtime, architecture=architecture)
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        built = arguments.built or Path(folder, "built")
        if arguments.built is None:
            _of(arguments, target, built).make()
        check_built(built)
        # All that the tests leave behind goes with the folder.
        options = [f"--built={built.resolve()}", f"--basetemp={Path(folder, 'tests')}"]
        # A module is one worker's: its tests share what takes long to make.
        options += ["--numprocesses=2", "--dist=loadscope"]
        command = [sys.executable, "-m", "pytest", "tests/artifact_trial", *options]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603 - it is ours
            raise BuildError("What was built does not do what it should, see above.")


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
