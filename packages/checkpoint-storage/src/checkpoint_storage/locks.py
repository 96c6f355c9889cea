"""Locks between processes, and scratch folders that outlive nobody.

Both are `flock` locks on files, which the system releases when their holder ends, however it ends.
For POSIX systems.
"""

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from checkpoint_format.errors import StorageError
from checkpoint_storage.explanations import printable

__all__ = ["exclusive_lock", "scratch_folder"]

_POLL_S = 0.02
_SUFFIX = ".lock"
_HOLDER_LENGTH = 200


@contextmanager
def exclusive_lock(
    path: Path,
    *,
    timeout_s: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the lock file, which is created where it is missing and never removed.

    At most one holder at a time among all processes on this machine, and on those that share the
    file system if that supports `flock`. Raises StorageError after `timeout_s` seconds.
    """
    deadline = clock() + timeout_s
    while (descriptor := _try_lock(path, os.O_CREAT)) is None:
        if clock() >= deadline:
            raise StorageError(
                f"{printable(path)}: held for more than {timeout_s:g} s by {_holder(path)}. "
                "Nothing was changed. Wait for that run, or end it if it hangs, and run again; "
                "removing the lock file would not help."
            )
        pause(_POLL_S)
    try:
        # For the message above, read by people; nothing depends on it.
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {os.uname().nodename}".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Make an empty folder in `parent` for the caller alone, and remove it afterwards.

    Folders of holders that were killed are removed first; those in use are never touched.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _remove_left_over(parent)
    folder, lock, descriptor = _claim(parent)
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        _remove(folder, lock)
        os.close(descriptor)


def _claim(parent: Path) -> tuple[Path, Path, int]:
    """Return the path of a scratch folder that is not there yet, its lock file and our lock."""
    while True:
        folder = parent / uuid.uuid4().hex
        lock = folder.with_suffix(_SUFFIX)
        descriptor = _try_lock(lock, os.O_CREAT | os.O_EXCL)
        # Between its creation and our lock, somebody's clearing up may have had the lock file.
        if descriptor is not None:
            return folder, lock, descriptor


def _remove_left_over(parent: Path) -> None:
    with suppress(FileNotFoundError), os.scandir(parent) as entries:
        for entry in entries:
            if not entry.name.endswith(_SUFFIX):
                continue
            lock = parent / entry.name
            with suppress(OSError):
                descriptor = _try_lock(lock, 0)
                if descriptor is not None:
                    try:
                        _remove(lock.with_suffix(""), lock)
                    finally:
                        os.close(descriptor)


def _remove(folder: Path, lock: Path) -> None:
    """Remove a scratch folder whose lock we hold, then the lock; what fails is left to others."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        with suppress(OSError):
            lock.unlink()


def _try_lock(path: Path, flags: int) -> int | None:
    """Open and lock the file; None where somebody else holds it or has just removed it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | flags, 0o666)
    except FileNotFoundError:
        if flags:
            raise
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _holder(path: Path) -> str:
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as lock:
        return lock.read(_HOLDER_LENGTH) or "another process"
    return "another process"
