"""Replacing a local file by another in one step that also survives a power failure."""

import errno
import os
import shutil
import stat
from pathlib import Path

from checkpoint_core.errors import StorageError
from checkpoint_lambda._directory_walk import printable

__all__ = ["NOTHING_HAPPENED", "make_folder", "make_newer", "refused", "stage", "sync_folder"]

_WHY = {
    errno.ENOSPC: "no space left on the device that holds {where}. {nothing} Free some space there,"
    " or choose another place, and run again.",
    errno.EDQUOT: "the quota on the device that holds {where} is used up. {nothing} Free some"
    " space there, or choose another place, and run again.",
    errno.EROFS: "{where} is on a read-only file system. {nothing} Choose another place, or make"
    " it writable, and run again.",
    errno.EACCES: "{where}: no permission to write there. {nothing} Run as a user who may write in"
    " this folder, or choose another place.",
    errno.EFBIG: "{where} would be larger than this process or its file system allows. {nothing}"
    " Raise the limit (see `ulimit -f`), or choose another place, and run again.",
}
_WHY[errno.EPERM] = _WHY[errno.EACCES]

NOTHING_HAPPENED = frozenset({*_WHY, errno.EISDIR, errno.ENOTDIR, errno.EXDEV, errno.EBUSY})
"""The errors of a rename after which it certainly did not take place.

A network file system may report others although it did.
"""


def refused(path: Path, error: OSError) -> StorageError:
    """Return what a failed write means for people; nothing may have been changed by it."""
    why = _WHY.get(error.errno or 0, "{where}: cannot be written ({reason}). {nothing}")
    return StorageError(
        why.format(where=printable(path), nothing="Nothing was changed.", reason=error.strerror)
    )


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
