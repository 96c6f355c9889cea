"""Names, states and open files below one directory, none of which ever leads out of it."""

import errno
import os
import resource
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

from checkpoint_format.errors import StorageError
from checkpoint_storage.explanations import printable

_EVENT_SUFFIX = ".json"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Opening a FIFO would otherwise wait until somebody writes to it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_OPEN_FOLDERS = 32
_WHOLE_SOURCE: Final = {
    errno.EMFILE: "Allow this process to open more files, such as with `ulimit -n 1024`",
    errno.ENFILE: "Let other programs on this machine close files, or raise its limit",
    errno.ENOMEM: "Give this machine more memory, or end other programs",
    errno.ESTALE: "Mount the file system anew",
    errno.ENODEV: "Mount the file system anew",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


class LeavesDirectoryError(Exception):
    """A symbolic link leads out of the directory."""


def refuse_whole(root: str, error: OSError) -> None:
    """Raise StorageError where an error says nothing of the one file, but concerns them all."""
    advice = _WHOLE_SOURCE.get(error.errno or 0)
    if advice is not None:
        raise StorageError(
            f"{printable(root)}: the source directory cannot be read ({error.strerror}). "
            f"Nothing was changed. {advice}, and run again."
        ) from error


def open_folders(*, threads: int) -> int:
    """Return how many folders each thread may keep open: together a quarter of what is allowed."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return _OPEN_FOLDERS
    return min(max(allowed // 4 // threads, 1), _OPEN_FOLDERS)


def key_of(path: str) -> str:
    r"""Return the key of a path; different paths have different keys.

    A path is its own key, except that a byte that is not UTF-8 becomes ``\xff``, say, and that a
    backslash is therefore doubled.
    """
    if path.isascii() and "\\" not in path:
        return path
    return printable(path.replace("\\", "\\\\"))


def path_of(key: str) -> str | None:
    """Return the path that a key stands for; None where it is not UTF-8."""
    if "\\" not in key:
        return key
    halves = key.split("\\\\")
    return None if any("\\" in half for half in halves) else "\\".join(halves)


def etag_of(status: os.stat_result) -> str:
    """Return what tells one content of a file from the next."""
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def modified_us(status: os.stat_result) -> int:
    """Return the modification time in microseconds, kept within the years of a datetime."""
    return min(max(status.st_mtime_ns // 1000, _EARLIEST_US), _LATEST_US)


def modified_at(status: os.stat_result) -> datetime:
    """Return the modification time in UTC, kept within the years of a datetime."""
    return _EPOCH + timedelta(microseconds=modified_us(status))


class Folders:
    """Opens what is below a directory step by step, each relative to the last, following no link.

    So a folder that somebody exchanges for a link meanwhile cannot lead out of the directory.
    Keeps some folders open, and therefore belongs to one thread.
    """

    def __init__(self, root: str, *, keep: int = _OPEN_FOLDERS) -> None:
        self._root = root
        self._keep = keep
        self._top = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        self._open: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back every descriptor."""
        self._forget()
        os.close(self._top)

    def _forget(self) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def folder(self, path: str) -> int:
        """Return a descriptor of the folder that is valid until the next call of any method."""
        if not path:
            return self._top
        if path in self._open:
            return self._open[path]
        if len(self._open) >= self._keep:
            self._forget()
        current = os.dup(self._top)
        for name in path.split("/"):
            above, current = current, -1
            try:
                current = os.open(_checked(name), _FOLDER, dir_fd=above)
            finally:
                os.close(above)
        self._open[path] = current
        return current

    def open(self, path: str) -> int:
        """Open a file for reading and return its descriptor, which the caller closes."""
        above, _, name = path.rpartition("/")
        return os.open(_checked(name), _FILE, dir_fd=self.folder(above))

    def target_of(self, link: str) -> str:
        """Return the path of what a link finally points to.

        Raises LeavesDirectoryError where that is outside, without looking whether it exists, and
        IsADirectoryError where it is the directory itself.
        """
        target = os.path.realpath(f"{self._root}/{link}")
        if target == self._root:
            raise IsADirectoryError
        inside = self._root.rstrip("/") + "/"
        if not target.startswith(inside):
            raise LeavesDirectoryError
        return target[len(inside) :]

    def status(self, path: str) -> os.stat_result:
        """Return the state of what is at the path, of the link itself where it is one."""
        above, _, name = path.rpartition("/")
        return os.stat(_checked(name), dir_fd=self.folder(above), follow_symlinks=False)


def walk(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the path of every file below the directory, once, with its state.

    Folders are entered and not yielded, unless they are named like an event object: somebody
    should hear of those. Links to folders are not entered. What vanishes meanwhile is left out.
    Raises OSError for the directory itself, and StorageError where a folder in it cannot be
    listed, because then the whole is not known.
    """
    with Folders(root, keep=open_folders(threads=1)) as folders:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            start = f"{folder}/" if folder else ""
            links: list[tuple[str, os.stat_result]] = []
            try:
                with os.scandir(folders.folder(folder)) as entries:
                    for entry in entries:
                        path = start + entry.name
                        try:
                            status = entry.stat(follow_symlinks=False)
                        except FileNotFoundError:
                            continue
                        kind = stat.S_IFMT(status.st_mode)
                        if kind == stat.S_IFLNK:
                            links.append((path, status))
                            continue
                        if kind == stat.S_IFDIR:
                            waiting.append(path)
                            if not path.endswith(_EVENT_SUFFIX):
                                continue
                        yield path, status
            except OSError as error:
                if not folder:
                    raise
                # Removed, or exchanged for a file or a link, since its name was read.
                if isinstance(error, FileNotFoundError | NotADirectoryError):
                    continue
                refuse_whole(root, error)
                raise StorageError(
                    f"{printable(f'{root}/{folder}')}: cannot be listed ({error.strerror}), so "
                    "what is in it would be missing. Nothing was read. Make it readable, or move "
                    "it out of the source directory."
                ) from error
            for path, status in links:
                yield from _link(root, folders, path, status)


def _link(
    root: str, folders: Folders, path: str, status: os.stat_result
) -> Iterator[tuple[str, os.stat_result]]:
    """Yield a link with the state of the file that it points to, if that is inside."""
    try:
        status = folders.status(folders.target_of(path))
        is_folder = stat.S_ISDIR(status.st_mode)
    except IsADirectoryError:
        is_folder = True
    except (OSError, LeavesDirectoryError) as error:
        if isinstance(error, OSError):
            refuse_whole(root, error)
        # Listed as it is, so that reading it can say what is wrong with it.
        is_folder = False
    if not is_folder or path.endswith(_EVENT_SUFFIX):
        yield path, status


def _checked(name: str) -> str:
    """Return the name, unless it cannot be one that a walk has found."""
    if name in {"", ".", ".."} or "\0" in name:
        raise FileNotFoundError
    return name
