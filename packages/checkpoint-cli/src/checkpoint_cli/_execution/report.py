"""What `nacc-checkpoint report` does."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import typer

from checkpoint_cli._commands.report import AboutOptions, WhereOptions
from checkpoint_cli._failures import ended_well
from checkpoint_cli._opening import opened, reading, scanned
from checkpoint_cli._options import checkpoint_store
from checkpoint_cli._printing.output import write_lines
from checkpoint_cli._printing.text import one_line
from checkpoint_cli.errors import NotInstalledError
from checkpoint_core import CheckpointStore
from checkpoint_format.inspection import open_rejects
from checkpoint_storage.explanations import refused
from checkpoint_storage.scratch import temporary_folder

if TYPE_CHECKING:
    from checkpoint_report import Order, Period, Report

__all__ = ["report"]

_EXTRA: Final = ("checkpoint_report", "jinja2", "markupsafe", "numpy", "scipy", "vl_convert")
_WHICH: Final = "--month, --from, --to"


def report(checkpoint: str, about: AboutOptions, where: WhereOptions, *, debug: bool) -> None:
    """Make and write what is asked for."""
    store = checkpoint_store(checkpoint)
    with ended_well(debug=debug):
        _check_extra()
        period = _period(about)
        if about.center is not None and where.each_center is not None:
            raise typer.BadParameter("give this or --each-center", param_hint="--center")
        with temporary_folder() as workdir:
            write_lines(_made(store, workdir, period, about, where))


def _check_extra() -> None:
    """Look for what the report needs before any work is done."""
    try:
        # Here, because no other command needs it, and it takes its time.
        import checkpoint_report  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        raise NotInstalledError(
            error.name, needed_by="the report", install="'nacc-checkpoint-cli[report]'"
        ) from error


def _period(about: AboutOptions) -> "Period":
    from checkpoint_report import Period  # noqa: PLC0415

    month, first, last = about.month, about.first, about.last
    if (month is None) == (first is None) or (first is None) != (last is None):
        raise typer.BadParameter("give a month, or both --from and --to", param_hint=_WHICH)
    try:
        if first is not None and last is not None:
            return Period(first=first, last=last)
        return Period.of_month(month or "")
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=_WHICH) from error


def _made(
    store: CheckpointStore,
    workdir: Path,
    period: "Period",
    about: AboutOptions,
    where: WhereOptions,
) -> Iterator[str]:
    """Make and write what is asked for, and tell what was written."""
    from checkpoint_report import (  # noqa: PLC0415
        Checkpoint,
        UnknownCenterError,
        make_center_reports,
        make_report,
    )

    files = opened(store, workdir, ledger=True)
    rejects = open_rejects(store, workdir)
    checkpoint = Checkpoint(
        metadata=files.metadata,
        events=scanned(files.events),
        rejects=None if rejects is None or rejects.unknown else rejects.rows,
        ledger=None if files.ledger is None else scanned(files.ledger),
    )
    test_center, suppress_below = about.include_test_center, about.suppress_below
    try:
        with reading(files.events, store):
            made = make_report(
                checkpoint,
                period,
                center=about.center,
                include_test_center=test_center,
                suppress_below=suppress_below,
                order=cast("Order", about.order),
            )
    except UnknownCenterError as error:
        raise typer.BadParameter(one_line(str(error)), param_hint="--center") from error
    yield from _write(made, where)
    if where.each_center is not None:
        with reading(files.events, store):
            reports = make_center_reports(
                checkpoint, period, include_test_center=test_center, suppress_below=suppress_below
            )
            yield _write_centers(reports, where.each_center)
        if suppress_below is not None:
            yield "Hand on the page of all centers or those of each: together they tell more."


def _write(report: "Report", where: WhereOptions) -> Iterator[str]:
    from checkpoint_report import write_report  # noqa: PLC0415

    try:
        write_report(report, where.output, csv=where.csv, svg=where.svg)
    except OSError as error:
        raise refused(Path(error.filename), error) from error
    for kind, folder in (("tables", where.csv), ("charts", where.svg)):
        if folder is not None:
            place = folder / report.subject.scope.period.name
            yield f"Wrote the {kind} to {one_line(str(place))}."
    yield f"Wrote {one_line(str(where.output))}: {report.title}."


def _write_centers(reports: Iterator["Report"], folder: Path) -> str:
    from checkpoint_report import write_centers  # noqa: PLC0415

    try:
        number = write_centers(reports, folder)
    except OSError as error:
        raise refused(Path(error.filename), error) from error
    return f"Wrote the pages of {number} centers to {one_line(str(folder))}."
