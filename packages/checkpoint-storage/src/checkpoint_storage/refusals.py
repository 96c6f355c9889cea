"""What a file system did, said in one line with what to do."""

import errno
import os
from pathlib import Path
from typing import Final

from checkpoint_format.errors import ChangedWhileReadingError, StorageError

__all__ = ["WRITE_REFUSALS", "printable", "refused", "replaced_meanwhile"]

WRITE_REFUSALS: Final = {
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
WRITE_REFUSALS[errno.EPERM] = WRITE_REFUSALS[errno.EACCES]


def printable(path: str | os.PathLike[str]) -> str:
    """Return the path as text that every output can show, also where it is not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def refused(path: Path, error: OSError) -> StorageError:
    """Return what a failed write means for people; nothing may have been changed by it."""
    why = WRITE_REFUSALS.get(error.errno or 0, "{where}: cannot be written ({reason}). {nothing}")
    return StorageError(
        why.format(where=printable(path), nothing="Nothing was changed.", reason=error.strerror)
    )


def replaced_meanwhile(where: str) -> ChangedWhileReadingError:
    """Return what it means that the version of a stored file that was seen first is gone."""
    return ChangedWhileReadingError(
        f"{where}: was replaced or removed by another run while this one read it. "
        "Nothing was changed. Run again."
    )
