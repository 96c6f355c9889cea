"""Putting a report where it was asked for: whole or not at all."""

import csv
import io
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from checkpoint_lambda._replacing import refused
from checkpoint_lambda.report._sheets import Sheet

__all__ = ["write_page", "write_sheets"]

_READABLE = 0o666


def write_page(page: str, file: Path) -> None:
    """Write the page to the file, which is replaced in one step. Raises StorageError."""
    _write(page, file)


def write_sheets(sheets: Iterable[Sheet], folder: Path) -> list[Path]:
    """Write each table to a CSV file of its name in the folder, which is made if it is missing.

    Each file is replaced in one step. Returns the files. Raises StorageError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(folder, error) from error
    written = []
    for sheet in sheets:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(sheet.lines())
        file = folder / f"{sheet.name}.csv"
        _write(text.getvalue(), file)
        written.append(file)
    return written


def _write(text: str, file: Path) -> None:
    try:
        descriptor, staged = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
            # As any new file of this user; the temporary one is for the user alone.
            mask = os.umask(0)
            os.umask(mask)
            Path(staged).chmod(_READABLE & ~mask)
            Path(staged).replace(file)
        except BaseException:
            with suppress(OSError):
                Path(staged).unlink()
            raise
    except OSError as error:
        raise refused(file, error) from error
