"""What a Spark cluster is given: our packages and what they need, without Spark itself."""

import shutil
import tempfile
from itertools import chain
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from artifacts.archives import MEGABYTE, write_archive
from artifacts.locks import LAYERS, check_locks, read_lock
from artifacts.projects import deployed_projects, project_folders
from artifacts.targets import Target
from artifacts.toolchain import say
from artifacts.trees import copy_sources, install
from artifacts.wheels import check_complete, check_installed

__all__ = ["ENTRY", "build_spark"]

_PACKAGE: Final = "nacc-checkpoint-spark"
# The cluster brings it, of its own version.
_BROUGHT: Final = {"pyspark"}
ENTRY: Final = "nacc_checkpoint_spark.py"
_ENTRY_SOURCE: Final = '''\
"""Given to spark-submit, and to EMR Serverless as the entry point of a job."""

from checkpoint_spark._command import main

main()
'''


def build_spark(target: Target, output: Path) -> list[Path]:
    """Write what a job is given; return the files. Raises BuildError.

    Guarantee: versions are those of the function's locks, each wheel fits the target, and nothing
    is missing; the same sources and locks give the same contents.

    Returns an archive of everything, one of our packages alone, the list of the other modules as
    Glue takes it, and the script.
    """
    check_locks()
    projects = deployed_projects(_PACKAGE)
    with tempfile.TemporaryDirectory(prefix="artifacts-") as folder:
        ours, whole = Path(folder, "ours"), Path(folder, "whole")
        copy_sources(ours, projects)
        shutil.copytree(ours, whole)
        for lock in LAYERS:
            tree = Path(folder, lock)
            say(f"{lock}: installing for {target.architecture}, {target.runtime}")
            install(lock, target, tree)
            check_installed(tree, read_lock(lock), target)
            shutil.copytree(tree, whole, dirs_exist_ok=True)
        brought = _BROUGHT | project_folders().keys()
        needs = chain.from_iterable(each["dependencies"] for each in projects.values())
        check_complete([whole], [need for need in needs if _name(need) not in brought], target)
        output.mkdir(parents=True, exist_ok=True)
        archive = output / f"{_PACKAGE}-{target.runtime}-{target.architecture}.zip"
        sources, modules = output / f"{_PACKAGE}-sources.zip", output / "glue-modules.txt"
        write_archive(whole, archive)
        write_archive(ours, sources)
    pins = chain.from_iterable(read_lock(lock) for lock in LAYERS)
    # Without markers, which Glue's list cannot have: those that do not hold there are left out.
    held = [pin for pin in pins if not pin.marker or pin.marker.evaluate(target.marker_environment)]
    modules.write_text(",".join(f"{pin.name}{pin.specifier}" for pin in held), encoding="utf-8")
    entry = output / ENTRY
    entry.write_text(_ENTRY_SOURCE, encoding="utf-8")
    files = [archive, sources, modules, entry]
    for file in files:
        say(f"{file}: {file.stat().st_size / MEGABYTE:.1f} MB")
    return files


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)
