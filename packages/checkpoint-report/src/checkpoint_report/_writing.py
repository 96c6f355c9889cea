"""Putting a report where it was asked for: whole or not at all."""

import errno
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from csv import writer as csv_writer
from pathlib import Path

from checkpoint_format.errors import StorageError
from checkpoint_report._charts.drawing import WIDE
from checkpoint_report._charts.standalone import standalone
from checkpoint_report._making import Report
from checkpoint_report._page.page import index

__all__ = ["write_centers", "write_report"]

_READABLE = 0o666


def write_report(
    report: Report, page: Path, *, csv: Path | None = None, svg: Path | None = None
) -> None:
    """Write the page to a file, and if asked for each table as CSV and each chart as SVG.

    These go below their folder into one that is named after the period, each by its name. No file
    is replaced before all are written, and each in one step; folders are made, links are followed.
    Raises OSError with the name of the file or folder that could not be written, and StorageError
    where a file is named like a checkpoint.
    """
    name = report.subject.scope.period.name
    files: list[tuple[Path, str]] = []
    if csv is not None:
        files += [(csv / name / f"{sheet}.csv", text) for sheet, text in _tables(report)]
    if svg is not None:
        files += [(svg / name / f"{chart}.svg", text) for chart, text in _charts(report)]
    folders = [folder / name for folder in (csv, svg) if folder is not None]
    _write([(page, report.page)], folders, files)


def write_centers(reports: Iterable[Report], folder: Path) -> int:
    """Write the page of each center into a folder, beside an index of them; return how many.

    As `write_report` does: all of them or none.
    """
    pages, told, title = [], [], ""
    for report in reports:
        if report.subject.center is None:
            raise ValueError("only reports of one center have a page among those of centers")
        title = report.title
        name = f"center-{report.subject.center.adcid}.html"
        pages.append((folder / name, report.page))
        told.append((name, report.subject.center.name, report.summary))
    _write([], [folder], [*pages, (folder / "index.html", index(title, told))])
    return len(pages)


def _write(
    files: Iterable[tuple[Path, str]],
    folders: Iterable[Path],
    files_in_folders: Iterable[tuple[Path, str]],
) -> None:
    """Write the files, all or none; folders are made when what is not in them can be written."""
    with ExitStack() as staging:
        staged = [staging.enter_context(_staged(text, file)) for file, text in files]
        for folder in folders:
            _make(folder)
        staged += [staging.enter_context(_staged(text, file)) for file, text in files_in_folders]
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


def _tables(report: Report) -> Iterator[tuple[str, str]]:
    period = report.subject.scope.period
    for sheet in report.sheets:
        if sheet.in_file:
            text = io.StringIO()
            lines = sheet.lines((period.first, period.last))
            csv_writer(text, lineterminator="\n").writerows(lines)
            yield sheet.name, text.getvalue()


def _charts(report: Report) -> Iterator[tuple[str, str]]:
    for section in report.sections:
        for picture in section.pictures:
            yield picture.name, standalone(picture.chart(WIDE), picture.shows)


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
