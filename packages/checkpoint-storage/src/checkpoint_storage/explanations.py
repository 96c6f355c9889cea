"""What may be said of an exception: never its text, unless its text is known to hold no value.

The texts of other people's exceptions quote what they choked on, and that may come from an event.
"""

import errno
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from msgspec import Struct

from checkpoint_core import CheckpointError, StorageError
from checkpoint_format.errors import ChangedWhileReadingError

__all__ = [
    "WRITE_REFUSALS",
    "Advice",
    "describe",
    "explain",
    "message_of",
    "printable",
    "refused",
    "replaced_meanwhile",
]

_LEFT_AS_IT_WAS: Final = "The checkpoint is as it was before or complete."
_AWS_MODULES: Final = {"boto3.exceptions", "botocore.errorfactory", "botocore.exceptions"}
_CAUSES: Final = 10
_FRAMES: Final = 50


class Advice(Struct, frozen=True, kw_only=True):
    """What to do about a failure, where the program runs."""

    no_space: str
    other_system_error: str
    no_memory: str
    bug: str


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


def explain(error: BaseException, advice: Advice) -> str:
    """Return what is wrong and what to do, for people."""
    match error:
        case CheckpointError():
            return str(error)
        case OSError(errno=errno.ENOSPC):
            return f"{_where(error)}no space left. {_LEFT_AS_IT_WAS} {advice.no_space}"
        case OSError():
            reason = error.strerror or type(error).__name__
            return f"{_where(error)}{reason}. {_LEFT_AS_IT_WAS} {advice.other_system_error}"
        case MemoryError():
            return f"out of memory. {_LEFT_AS_IT_WAS} {advice.no_memory}"
        case _ if _is_of_aws(error):
            return f"{error}. {_LEFT_AS_IT_WAS} Run again."
        case _:
            return f"{type(error).__name__}: this is a bug. {_LEFT_AS_IT_WAS} {advice.bug}"


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


def message_of(error: BaseException) -> str | None:
    """Return an exception's own text where that is known to hold no value of an event."""
    if isinstance(error, CheckpointError) or _is_of_aws(error):
        return str(error)
    if isinstance(error, OSError):
        return f"{_where(error)}{error.strerror or ''}" or None
    return None


def describe(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
) -> list[dict[str, Any]]:
    """Return an exception and its causes, outermost first: where they came from, and their types.

    No local variables, no source lines, and messages only as `message_of` has them.
    """
    return [
        {
            "type": f"{type(error).__module__}.{type(error).__qualname__}",
            "message": message_of(error),
            "frames": [
                {"file": frame.filename, "line": frame.lineno, "function": frame.name}
                for frame in traceback.StackSummary.extract(
                    traceback.walk_tb(error.__traceback__), limit=-_FRAMES, lookup_lines=False
                )
            ],
        }
        for error in _chain(exc_info[1])
    ]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(seen) < _CAUSES:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_of_aws(error: BaseException) -> bool:
    """Tell whether it is one of boto3's, whose texts name requests and refusals.

    Not those of its parsers: they quote what they could not parse.
    """
    return type(error).__module__ in _AWS_MODULES


def _where(error: OSError) -> str:
    return f"{error.filename}: " if error.filename is not None else ""
