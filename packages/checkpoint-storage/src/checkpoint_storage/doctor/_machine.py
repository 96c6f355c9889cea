"""What a check can say about this machine."""

import platform
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Final

from checkpoint_storage.doctor._examination import Subject, Verdict, ok, warning

_DISTRIBUTIONS: Final = (
    "nacc-checkpoint-storage",
    "nacc-checkpoint-core",
    "nacc-checkpoint-format",
    "nacc-event-model",
    "polars",
    "msgspec",
    "obstore",
    "boto3",
)
_MIB: Final = 1_048_576
_MARGIN_BYTES: Final = 64 * _MIB


def versions(_: Subject) -> Verdict:
    """Tell what a report of a bug should say."""
    found = ", ".join(f"{name} {version(name)}" for name in _DISTRIBUTIONS)
    return ok(f"{found}, Python {platform.python_version()} on {platform.machine()}")


def temporary_room(subject: Subject) -> Verdict:
    """Hold the space for temporary files, where a run on S3 works, against what a run needs."""
    return room(Path(tempfile.gettempdir()), subject, "set TMPDIR to a folder with more")


def room(folder: Path, subject: Subject, otherwise: str) -> Verdict:
    """Hold the space in a folder against the checkpoint in force, the next one and two ledgers."""
    free = shutil.disk_usage(folder).free
    needed = 4 * subject.checkpoint_bytes + _MARGIN_BYTES
    found = f"{folder}: {free // _MIB:,} MiB are free"
    if free < needed:
        return warning(f"{found}, a run may need {needed // _MIB:,}. Make room, or {otherwise}.")
    return ok(found)
