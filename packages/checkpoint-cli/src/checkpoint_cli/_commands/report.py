"""`nacc-checkpoint report`."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from checkpoint_cli._failures import ended_well
from checkpoint_cli._filters import TestCenterOption
from checkpoint_cli._opening import opened, reading, scanned
from checkpoint_cli._option_groups import OptionGroup, with_groups
from checkpoint_cli._options import CheckpointArgument, DebugOption, checkpoint_store, day
from checkpoint_cli._printing.output import one_line, write_lines
from checkpoint_cli.errors import NotInstalledError
from checkpoint_core import CheckpointStore
from checkpoint_core.inspection import Opened, read_rejects
from checkpoint_storage.explanations import refused
from checkpoint_storage.scratch import temporary_folder

if TYPE_CHECKING:
    import polars as pl

    from checkpoint_report import Period, Report

__all__ = ["report_command"]

_EXTRA = ("checkpoint_report", "jinja2", "markupsafe", "scipy", "vl_convert")
_WHICH = "--month, --from, --to"


class AboutOptions(OptionGroup, frozen=True, kw_only=True):
    """What a report is about, and how much it tells."""

    month: Annotated[
        str | None, typer.Option(metavar="MONTH", help="The month to report on, such as 2026-10.")
    ] = None
    first: Annotated[
        date | None,
        typer.Option("--from", parser=day, metavar="DATE", help="Instead of it, the first day."),
    ] = None
    last: Annotated[
        date | None,
        typer.Option("--to", parser=day, metavar="DATE", help="The last day, included."),
    ] = None
    center: Annotated[
        str | None,
        typer.Option(metavar="CENTER", help="Only this center: its label, or its pipeline_adcid."),
    ] = None
    suppress_below: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="N",
            help="Make a page that may be handed on: no count from 1 to N - 1 can be found out.",
        ),
    ] = None
    order: Annotated[
        Literal["adcid", "name", "submissions", "rate", "backlog"],
        typer.Option(
            help="By what centers are ordered; the lowest rate first, the most of others."
        ),
    ] = "adcid"
    include_test_center: TestCenterOption = False


class WhereOptions(OptionGroup, frozen=True, kw_only=True):
    """Where the page goes, and what else is written."""

    output: Annotated[
        Path, typer.Option(metavar="FILE", help="The page to write, replaced if it is there.")
    ]
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="DIR",
            help="Write each table there too as a CSV file, in a folder of the period.",
        ),
    ] = None
    svg: Annotated[
        Path | None,
        typer.Option(
            "--svg",
            metavar="DIR",
            help="Write each chart there too as an SVG file, in a folder of the period.",
        ),
    ] = None
    each_center: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write a page for each center there too, and an index."),
    ] = None


@with_groups
def report_command(
    checkpoint: CheckpointArgument,
    *,
    about: AboutOptions,
    where: WhereOptions,
    debug: DebugOption = False,
) -> None:
    """Write the monthly report: one HTML page of aggregates, which needs no network and no script.

    Days begin at midnight UTC. The same checkpoint and options give the same page.
    Nothing in it is about single submissions. Every count is exact, small ones too, unless
    --suppress-below hides them.
    """
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
    checkpoint = Checkpoint(
        metadata=files.metadata,
        events=scanned(files.events),
        rejects=_rejects(store, workdir, files),
        ledger=None if files.ledger is None else scanned(files.ledger),
    )
    test_center, suppress_below = about.include_test_center, about.suppress_below
    try:
        with reading(files.events, store):
            report = make_report(
                checkpoint,
                period,
                center=about.center,
                include_test_center=test_center,
                suppress_below=suppress_below,
                order=about.order,
            )
    except UnknownCenterError as error:
        raise typer.BadParameter(one_line(str(error)), param_hint="--center") from error
    yield from _write(report, where)
    if where.each_center is not None:
        with reading(files.events, store):
            reports = make_center_reports(
                checkpoint, period, include_test_center=test_center, suppress_below=suppress_below
            )
            yield _write_centers(reports, where.each_center)


def _rejects(store: CheckpointStore, workdir: Path, files: Opened) -> "pl.DataFrame | None":
    """Return the rejects; None where neither they nor the ledger are beside the checkpoint.

    Beside a ledger there are none where there is no such file: a run writes it when it rejects.
    """
    rejects = read_rejects(store, workdir)
    return None if rejects.is_empty() and files.ledger is None else rejects


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
