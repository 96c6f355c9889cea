"""Event objects in a local directory, listed and read.

For POSIX systems.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from checkpoint_format.errors import StorageError
from checkpoint_format.stores import (
    LISTING_SCHEMA,
    UNSETTLED,
    Content,
    FailureOutcome,
    ReadFailure,
    unlimited,
)
from checkpoint_storage.directory._walk import (
    Folders,
    LeavesDirectoryError,
    etag_of,
    key_of,
    modified_at,
    modified_us,
    open_folders,
    path_of,
    refuse_whole,
    walk,
)
from checkpoint_storage.explanations import printable
from checkpoint_storage.threaded_reading import Read, Reserve, read_in_threads

_ATTEMPTS = 3
# Files that are not in memory yet come 2.5 times as fast with 8 threads, and no faster with more;
# those that are come as fast as with one. On a network file system every open waits for an answer.
_THREADS = 8
# No file system's clock ticks more slowly: FAT's every two seconds, those of 128-byte inodes every
# one, most every few milliseconds.
_SETTLED_AFTER_NS = 2_000_000_000
_MISSING = "the file was gone when it was to be read"
_DENIED = "permission to read the file was refused"
_FOLDER = "a directory, not a file"
_NOT_REGULAR = "not a regular file"
_LEAVES = "a symbolic link that leaves the source directory"
_NOWHERE = "a symbolic link that leads nowhere"
_NOT_UTF8 = "a file name that is not UTF-8"
_CHANGING = "the file changed each time while it was read"


class DirectorySource:
    """A directory and everything below it as a source of event objects.

    A file's key is its path relative to the directory. Nothing outside the directory is ever
    opened, and nothing in it is changed.

    Args:
        root: the directory.
        now_ns: the time in nanoseconds since the epoch.
    """

    def __init__(self, root: Path, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._root = os.path.realpath(root)
        self._now_ns = now_ns
        self.proof: str | None = None
        """How the last listing was shown to be whole; None where there was none."""

    @property
    def location(self) -> str:
        """The directory's `file://` URI, links resolved."""
        return Path(self._root).as_uri()

    def check(self) -> None:
        """Raise StorageError where the directory is missing, or is none."""
        try:
            Folders(self._root).close()
        except OSError as error:
            raise self._refused(error) from error

    def list_objects(self, *, restore_states: bool) -> pl.DataFrame:  # noqa: ARG002 - nothing here is archived
        """List every file below the directory in LISTING_SCHEMA, each key once.

        Directories named like an event object are listed too, so that reading says what they are.
        Raises StorageError where the directory or one in it cannot be listed.
        """
        keys: list[str] = []
        etags: list[str] = []
        sizes: list[int] = []
        modified: list[int] = []
        self.proof = None
        try:
            for path, status in walk(self._root):
                keys.append(key_of(path))
                etags.append(etag_of(status))
                sizes.append(status.st_size)
                modified.append(modified_us(status))
        except OSError as error:
            raise self._refused(error) from error
        columns = {
            "key": pl.Series(keys, dtype=pl.String()),
            "etag": pl.Series(etags, dtype=pl.String()),
            "size": pl.Series(sizes, dtype=pl.Int64()),
            "last_modified": pl.Series(modified, dtype=pl.Int64()).cast(pl.Datetime("us", "UTC")),
            "archived": pl.Series([None], dtype=pl.Boolean()).new_from_index(0, len(keys)),
        }
        self.proof = "every folder was read to its end"
        # A folder that changes while it is listed may give a name twice.
        return pl.DataFrame(columns, schema=LISTING_SCHEMA).unique("key", keep="last")

    def read(
        self,
        keys: Sequence[str],
        *,
        max_size_bytes: int,
        remaining_s: Callable[[], float] = unlimited,
    ) -> Iterator[Content | ReadFailure]:
        """Read the files in a few threads and yield one answer for each key, in any order.

        The etag and the time are those of the very content: a file that changes meanwhile is read
        again. Where it was modified less than two seconds before, it could change once more and
        look the same, so that its etag is marked as unsettled. When no time is left, what has been
        read is yielded and the iterator ends, also where a network file system does not answer;
        whoever waits for it is left alone.
        Raises StorageError where the directory itself cannot be opened, or where a file
        cannot be for a reason that concerns them all, such as too many open files.
        """

        @contextmanager
        def reading() -> Iterator[Read[Content | ReadFailure]]:
            try:
                folders = Folders(self._root, keep=open_folders(threads=_THREADS))
            except OSError as error:
                raise self._refused(error) from error
            with folders:
                yield lambda key, reserve: self._read_one(folders, key, max_size_bytes, reserve)

        return read_in_threads(reading, keys, threads=_THREADS, remaining_s=remaining_s)

    def _read_one(
        self, folders: Folders, key: str, limit: int, reserve: Reserve
    ) -> Content | ReadFailure:
        path = path_of(key)
        if path is None:
            return _failure(key, "unreadable", _NOT_UTF8)
        try:
            for _ in range(_ATTEMPTS):
                answer = self._attempt(folders, key, path, limit, reserve)
                if answer is not None:
                    return answer
        except (FileNotFoundError, NotADirectoryError):
            return _failure(key, "missing", _MISSING)
        except PermissionError:
            return _failure(key, "denied", _DENIED)
        except IsADirectoryError:
            return _failure(key, "unreadable", _FOLDER)
        except LeavesDirectoryError:
            return _failure(key, "unreadable", _LEAVES)
        except OSError as error:
            refuse_whole(self._root, error)
            if error.errno == errno.ENXIO:  # a socket cannot even be opened
                return _failure(key, "unreadable", _NOT_REGULAR)
            reason = os.strerror(error.errno or errno.EIO)
            return _failure(key, "unreadable", f"the file could not be read: {reason}")
        return _failure(key, "unreadable", _CHANGING)

    def _attempt(
        self, folders: Folders, key: str, path: str, limit: int, reserve: Reserve
    ) -> Content | ReadFailure | None:
        """Read once; None where the file changed meanwhile."""
        try:
            descriptor = folders.open(path)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            target = folders.target_of(path)
            try:
                descriptor = folders.open(target)
            except (FileNotFoundError, NotADirectoryError):
                return _failure(key, "unreadable", _NOWHERE)
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                problem = _FOLDER if stat.S_ISDIR(before.st_mode) else _NOT_REGULAR
                return _failure(key, "unreadable", problem)
            # Within one tick of the file system's clock, or through a memory map, it could be
            # written again with as many bytes, and keep its time.
            is_settled = abs(self._now_ns() - before.st_mtime_ns) >= _SETTLED_AFTER_NS
            reserve(min(before.st_size, limit) + 1)
            data = _read_up_to(descriptor, before.st_size, limit)
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        whole = len(data) == min(before.st_size, limit + 1)
        if not whole or etag_of(before) != etag_of(after):
            return None
        etag = etag_of(after) if is_settled else etag_of(after) + UNSETTLED
        return Content(key=key, data=data, etag=etag, last_modified=modified_at(after))

    def _refused(self, error: OSError) -> StorageError:
        refuse_whole(self._root, error)
        where = printable(self._root)
        if isinstance(error, FileNotFoundError):
            return StorageError(f"{where}: there is no directory of this name. Correct the source.")
        if isinstance(error, NotADirectoryError):
            return StorageError(
                f"{where}: not a directory. Give the directory that holds the event objects."
            )
        return StorageError(
            f"{where}: the source directory cannot be listed ({error.strerror}). Nothing was read. "
            "Make it readable to the user who runs this."
        )


def _read_up_to(descriptor: int, size: int, limit: int) -> bytes:
    """Read the whole file, and one byte more if it has grown, but never more than `limit + 1`."""
    # Not simply limit + 1: asking for a megabyte makes each small file seven times as expensive.
    data = os.read(descriptor, min(size, limit) + 1)
    while len(data) < min(size, limit + 1):
        more = os.read(descriptor, min(size, limit + 1) - len(data))
        if not more:
            break
        data += more
    return data


def _failure(key: str, outcome: FailureOutcome, reason: str) -> ReadFailure:
    return ReadFailure(key=key, outcome=outcome, reason=reason)
