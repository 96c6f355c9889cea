"""The versions of a stored local file: told apart, opened, and kept while others replace them."""

import os
import shutil
import stat
from pathlib import Path

from checkpoint_format.errors import StorageError
from checkpoint_storage.explanations import printable, refused


def version_of(status: os.stat_result) -> str:
    """Return what tells one version of a stored file from the next, links and permissions apart."""
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


def status_of(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def open_file(path: Path) -> tuple[int, os.stat_result]:
    """Open a regular file; raises FileNotFoundError, or StorageError for every other problem."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unreadable(path, error) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise StorageError(f"{printable(path)}: not a file. Nothing was changed. Correct the name.")
    return descriptor, status


def pin(path: Path, to: Path) -> os.stat_result:
    """Make what the path means now available at `to`, and return the state of that version.

    Raises FileNotFoundError where there is no such file.
    """
    return _link(path, to) or _copy(path, to)


def _link(path: Path, to: Path) -> os.stat_result | None:
    """Link a regular file; None where the file system, or its policy, does not let us."""
    try:
        to.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:
        return None
    status = to.lstat()
    if stat.S_ISREG(status.st_mode):
        return status
    to.unlink()
    return None


def _copy(path: Path, to: Path) -> os.stat_result:
    """Copy an open version, which stays whole when it is replaced meanwhile."""
    descriptor, _ = open_file(path)
    with os.fdopen(descriptor, "rb") as source:
        try:
            with to.open("xb") as target:
                shutil.copyfileobj(source, target, length=1 << 20)
        except OSError as error:
            raise refused(to, error) from error
        # Afterwards, so that a file that another program changed in place has another version.
        return os.fstat(descriptor)


def unreadable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{printable(path)}: cannot be read ({error.strerror}). Nothing was changed. "
        "Make it readable to the user who runs this, or correct the name."
    )
