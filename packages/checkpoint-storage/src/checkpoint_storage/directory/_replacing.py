"""Replacing a local file by another in one step that also survives a power failure."""

import errno
import os
import shutil
import stat
from pathlib import Path

from checkpoint_storage.refusals import WRITE_REFUSALS

NOTHING_HAPPENED = frozenset(
    {*WRITE_REFUSALS, errno.EISDIR, errno.ENOTDIR, errno.EXDEV, errno.EBUSY}
)
"""The errors of a rename after which it certainly did not take place.

A network file system may report others although it did.
"""


def make_folder(folder: Path) -> None:
    """Create the folder and those above it where they are missing, each durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stage(file: Path, to: Path, *, mode: int | None) -> None:
    """Copy the file, durably, to where a rename can take it into place.

    A copy, not a link: what has been published must not change when its author writes on.
    """
    shutil.copyfile(file, to)
    if mode is not None:
        to.chmod(stat.S_IMODE(mode))
    _sync_file(to)


def make_newer(staged: Path, current: os.stat_result | None) -> None:
    """Give the staged file a later modification time than the one that it will replace.

    Within one tick of the clock a third version could otherwise have the inode, the size and the
    time of the first, and be taken for it.
    """
    if current is not None and staged.stat().st_mtime_ns <= current.st_mtime_ns:
        os.utime(staged, ns=(current.st_mtime_ns + 1, current.st_mtime_ns + 1))
        _sync_file(staged)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
