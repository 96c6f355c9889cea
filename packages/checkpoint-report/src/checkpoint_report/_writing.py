"""Putting a report where it was asked for: whole or not at all."""

import csv
import errno
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from checkpoint_core.errors import StorageError
from checkpoint_report._making import Report
from checkpoint_report._sections.sheets import Sheet

__all__ = ["write_report"]

_READABLE = 0o666


def write_report(report: Report, page: Path, folder: Path | None = None) -> None:
    """Write the page to a file, and into a folder, if given, each table as a CSV file of its name.

    The folder is made if it is missing. No file is replaced before all are written, and each in
    one step; links are followed. Raises OSError with the name of the file or folder that could not
    be written, and StorageError where a file is named like a checkpoint.
    """
    with ExitStack() as staging:
        staged = [staging.enter_context(_staged(report.page, page))]
        if folder is not None:
            _make(folder)
            staged += [
                staging.enter_context(_staged(text, folder / name))
                for name, text in _files(report.sheets)
            ]
        for source, target in staged:
            try:
                source.replace(target)
            except OSError as error:
                raise _of(target, error) from error


def _of(path: Path, error: OSError) -> OSError:
    return OSError(error.errno, error.strerror, str(path))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _of(folder, error) from error


def _files(sheets: Iterable[Sheet]) -> Iterator[tuple[str, str]]:
    for sheet in sheets:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(sheet.lines())
        yield f"{sheet.name}.csv", text.getvalue()


@contextmanager
def _staged(text: str, file: Path) -> Iterator[tuple[Path, Path]]:
    """Write the text beside the file, to be moved there; what is not moved is removed."""
    try:
        target = file.resolve()
        _check(target)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}-", dir=target.parent)
    except OSError as error:
        raise _of(file, error) from error
    staged = Path(name)
    try:
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
            # As any new file of this user; the temporary one is for the user alone.
            mask = os.umask(0)
            os.umask(mask)
            staged.chmod(_READABLE & ~mask)
        except OSError as error:
            raise _of(file, error) from error
        yield staged, target
    finally:
        staged.unlink(missing_ok=True)


def _check(target: Path) -> None:
    """Refuse what a report must not take the place of: a checkpoint, a folder, a device."""
    if target.suffix == ".parquet":
        problem = f"{target.name}: a report is no Parquet file. Nothing was changed. "
        raise StorageError(f"{problem}Choose another name, such as report.html.")
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if target.exists() and not target.is_file():
        raise OSError(errno.EEXIST, "not a regular file")
