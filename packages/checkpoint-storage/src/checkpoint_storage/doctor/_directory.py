"""What a check can say about a checkpoint's folder on a file system."""

import os
import tempfile
from pathlib import Path
from typing import Final

from checkpoint_core import StorageError
from checkpoint_storage.directory._store import DirectoryStore
from checkpoint_storage.doctor._examination import Probe, Subject, Verdict, failed, ok
from checkpoint_storage.doctor._machine import room
from checkpoint_storage.doctor._probing import PROBE, writing
from checkpoint_storage.locks import exclusive_lock

_BESIDE: Final = ("_work", "_ledger", "_rejects", "_previous", "_withheld", "_lock")


def folder_permissions(subject: Subject) -> Verdict:
    """Look whether the user may write there; the folder itself need not exist."""
    folder = _existing(subject)
    if not folder.is_dir():
        return failed(f"{folder}: not a directory. Correct the checkpoint's name.")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return failed(
            f"{folder}: no permission to read and write there. Run as a user who may, or choose "
            "another place."
        )
    wanted = _folder(subject)
    return ok(f"{wanted}{'' if folder == wanted else ': the first run makes it'}")


def one_file_system(subject: Subject) -> Verdict:
    """Look whether everything beside the checkpoint can be renamed into its place."""
    folder = _folder(subject)
    devices = {path: path.stat().st_dev for path in _parts(folder, subject) if path.exists()}
    own = _existing(subject).stat().st_dev
    others = [str(path) for path, device in devices.items() if device != own]
    if others:
        return failed(
            f"{', '.join(others)}: not on the file system of {folder}, so that files cannot be "
            "replaced in one step. Let them be ordinary folders."
        )
    return ok("a file is replaced in one step")


def writing_in_folder(subject: Subject) -> Verdict:
    """Write the probe in a folder of its own, which vanishes with its locks."""
    parent = _existing(subject)
    folder = tempfile.TemporaryDirectory(prefix=f".{PROBE}", dir=parent)
    place = Path(subject.cleanup.enter_context(folder))
    return writing(subject, Probe(DirectoryStore(place / "probe.parquet"), "probe.parquet"))


def locks(subject: Subject) -> Verdict:
    """Look whether a lock that is held is refused to others."""
    with tempfile.TemporaryDirectory(prefix=f".{PROBE}", dir=_existing(subject)) as folder:
        lock = Path(folder) / "probe.lock"
        with exclusive_lock(lock, timeout_s=0):
            try:
                with exclusive_lock(lock, timeout_s=0):
                    return failed(
                        f"{folder}: a lock was given to two at once. Two runs at once would lose "
                        "rows. Choose a file system that supports flock."
                    )
            except StorageError:
                return ok("a lock that is held is refused to others")


def free_space(subject: Subject) -> Verdict:
    """Hold the free space against what a run needs."""
    return room(_existing(subject), subject, "choose another place")


def _folder(subject: Subject) -> Path:
    return Path(subject.store.location).parent


def _existing(subject: Subject) -> Path:
    """Return the checkpoint's folder, or the next one above it that exists."""
    folder = _folder(subject)
    return next(path for path in (folder, *folder.parents) if path.exists())


def _parts(folder: Path, subject: Subject) -> list[Path]:
    return [*(folder / name for name in _BESIDE), folder / subject.ledgers]
