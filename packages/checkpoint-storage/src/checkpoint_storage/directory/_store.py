"""A checkpoint in a local directory, with the files that belong to it beside it.

For POSIX systems.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from checkpoint_format.errors import OutcomeUnknownError, StorageError
from checkpoint_format.stores import Condition, PutOutcome, StoredFile, StoredVersion, Tail
from checkpoint_storage.directory._replacing import (
    NOTHING_HAPPENED,
    make_folder,
    make_newer,
    stage,
    sync_folder,
)
from checkpoint_storage.directory._versions import open_file, pin, status_of, unreadable, version_of
from checkpoint_storage.directory._walk import modified_at
from checkpoint_storage.explanations import printable, refused, replaced_meanwhile
from checkpoint_storage.locks import exclusive_lock, scratch_folder

_LOCK_TIMEOUT_S = 60.0


class DirectoryStore:
    """A checkpoint file and its folder as a checkpoint store.

    A file is only ever replaced by a rename, never changed in place: readers see the old one or
    the new one, whole, also after a power failure. Conditional writes hold a lock, so that of all
    processes that write on one condition exactly one succeeds; they must all see the lock, which
    on a network file system is a matter of its support for `flock`.

    A symbolic link is resolved once, here: it is the file that it points to that is replaced.

    Args:
        checkpoint: the checkpoint's path; neither it nor its folder need exist.
        lock_timeout_s: how long to wait for another process's commit, which takes milliseconds.
    """

    def __init__(self, checkpoint: Path, *, lock_timeout_s: float = _LOCK_TIMEOUT_S) -> None:
        self._checkpoint = Path(os.path.realpath(checkpoint))
        self._folder = self._checkpoint.parent
        self._lock_timeout_s = lock_timeout_s

    @property
    def location(self) -> str:
        """The checkpoint's absolute path."""
        return printable(self._checkpoint)

    @property
    def checkpoint_name(self) -> str:
        """The checkpoint's file name."""
        return self._checkpoint.name

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Make an empty folder for one run on the checkpoint's file system; removed afterwards.

        What killed runs have left there is removed first; what runs in progress use is not. What is
        beside the checkpoint is given the checkpoint's mode, as far as it is ours to change.
        Raises StorageError where the checkpoint's folder cannot be written to.
        """
        parent = self._folder / "_work" / self.checkpoint_name
        inside = False
        try:
            self._share_mode()
            with scratch_folder(parent) as folder:
                inside = True
                yield folder
        except OSError as error:
            if inside:  # the caller's own error
                raise
            raise refused(self._checkpoint, error) from error

    def read_tail(self, name: str, length_bytes: int) -> Tail | None:
        """Return the last bytes of a file with the version that they belong to, None without one.

        Raises StorageError where it cannot be read or is not a file.
        """
        path = self._path(name)
        try:
            descriptor, status = open_file(path)
        except FileNotFoundError:
            return None
        try:
            start = max(status.st_size - length_bytes, 0)
            data = os.pread(descriptor, status.st_size - start, start)
        except OSError as error:
            raise unreadable(path, error) from error
        finally:
            os.close(descriptor)
        return Tail(data=data, etag=version_of(status), size_bytes=status.st_size)

    def fetch(self, name: str, to: Path, *, etag: str | None = None) -> bool:
        """Make the file available at `to`, by a hard link where possible, otherwise by a copy.

        Because files are never changed in place a link keeps its version, as a copy does; for the
        same reason `to` must not be written to. Returns False where there is no such file. Raises
        ChangedWhileReadingError where `etag` is given and that version is no longer there, and
        StorageError where the file cannot be read.
        """
        path = self._path(name)
        to.unlink(missing_ok=True)
        try:
            status = pin(path, to)
        except FileNotFoundError:
            if etag is None:
                return False
            raise replaced_meanwhile(printable(path)) from None
        if etag is not None and version_of(status) != etag:
            to.unlink()
            raise replaced_meanwhile(printable(path))
        return True

    def put(self, name: str, file: Path) -> None:
        """Write a copy of the local file under the name, whatever is there; atomic and durable.

        Raises StorageError where that fails; what was there before is then still there, whole.
        """
        path = self._path(name)
        with self._staged(path, file) as staged:
            try:
                staged.replace(path)
            except OSError as error:
                raise refused(path, error) from error
            try:
                sync_folder(path.parent)
            except OSError as error:
                raise StorageError(
                    f"{printable(path)}: was written, but might not survive a power failure "
                    f"({error.strerror}). Look after the device, and run again."
                ) from error

    def put_if(self, name: str, file: Path, condition: Condition) -> PutOutcome:
        """Write a copy of the local file under the name if its version is still the given one.

        Comparing and replacing are one step among all processes that use this class. Raises
        StorageError where the file was certainly not replaced; OutcomeUnknownError where it may
        have been, or where the replacement might not survive a power failure.
        """
        path = self._path(name)
        lock = self._folder / "_lock" / f"{name.replace('../', '_/')}.lock"
        with self._staged(path, file) as staged:
            try:
                lock.parent.mkdir(exist_ok=True, parents=True)
                with exclusive_lock(lock, timeout_s=self._lock_timeout_s):
                    current = status_of(path)
                    if (current and version_of(current)) != condition.etag:
                        return PutOutcome.REFUSED
                    make_newer(staged, current)
                    return _replace(staged, path)
            except OSError as error:
                raise refused(path, error) from error

    def list_files(self, folder: str) -> list[StoredFile]:
        """List the files directly in a folder, by name; hidden files and folders are left out."""
        path = self._path(folder)
        found = []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    status = status_of(path / entry.name)
                    if status and stat.S_ISREG(status.st_mode) and not entry.name.startswith("."):
                        name = f"{folder.rstrip('/')}/{entry.name}"
                        found.append(StoredFile(name=name, last_modified=modified_at(status)))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unreadable(path, error) from error
        return sorted(found, key=lambda file: file.name)

    def list_tree(self, folder: str) -> dict[str, str]:
        """Return the etag of each file in a folder and in those below it, by its name.

        As the protocol has it; links to folders are not followed. Raises StorageError where one
        of the folders cannot be listed.
        """
        top = self._path(folder) if folder else self._folder
        found = {}
        for parent, folders, files in os.walk(top, onerror=_raise_unless_gone):
            if parent == str(self._folder):
                for names in (folders, files):
                    names[:] = [name for name in names if name[0] not in "_."]
            for file in files:
                path = Path(parent, file)
                status = status_of(path)
                if status and stat.S_ISREG(status.st_mode):
                    inside = path.relative_to(top).as_posix()
                    found[f"{folder}/{inside}" if folder else inside] = version_of(status)
        return found

    def delete(self, name: str) -> None:
        """Remove a file; no error where there is none. Raises StorageError where that fails."""
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise refused(path, error) from error

    def list_versions(self, name: str) -> list[StoredVersion]:  # noqa: ARG002 - a protocol's name
        """Return nothing: a directory keeps no versions."""
        return []

    def delete_version(self, version: StoredVersion) -> None:
        """Do nothing: there are none."""

    def _path(self, name: str) -> Path:
        inside = name
        while inside.startswith("../"):
            inside = inside.removeprefix("../")
        if inside.startswith("/") or ".." in inside.split("/"):
            raise ValueError("a stored file's name is relative to the checkpoint's folder")
        return self._folder / name

    @contextmanager
    def _staged(self, path: Path, file: Path) -> Iterator[Path]:
        """Yield a copy of the file that a rename can take into place; nothing is left of it."""
        with self.scratch() as folder:
            staged = folder / "staged"
            try:
                make_folder(path.parent)
                # Whoever may not read the checkpoint may not read what is beside it either.
                permissions = status_of(self._checkpoint) or status_of(path)
                stage(file, staged, mode=permissions and permissions.st_mode)
            except OSError as error:
                raise refused(path, error) from error
            yield staged

    def _share_mode(self) -> None:
        """Give what is beside the checkpoint its mode, which may have changed since."""
        checkpoint = status_of(self._checkpoint)
        if checkpoint is None:
            return
        mode = stat.S_IMODE(checkpoint.st_mode)
        stem = self.checkpoint_name.removesuffix(".parquet")
        beside = [
            self._folder / "_rejects" / f"{stem}.parquet",
            self._folder / "_withheld" / f"{stem}.json",
        ]
        for folder in ("_ledger", "_previous"):
            with suppress(OSError):
                beside += (self._folder / folder / stem).iterdir()
        for path in beside:
            # Another user's file stays as it is, and what a link leads to is not beside it.
            with suppress(OSError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) != mode:
                    path.chmod(mode)


def _replace(staged: Path, path: Path) -> PutOutcome:
    try:
        staged.replace(path)
    except OSError as error:
        if error.errno in NOTHING_HAPPENED:
            raise
        raise _unknown(path, error) from error
    try:
        sync_folder(path.parent)
    except OSError as error:
        raise _unknown(path, error) from error
    return PutOutcome.WRITTEN


def _unknown(path: Path, error: OSError) -> OutcomeUnknownError:
    return OutcomeUnknownError(f"{printable(path)}: replacing it ended with {error.strerror}.")


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise unreadable(Path(error.filename), error) from error
