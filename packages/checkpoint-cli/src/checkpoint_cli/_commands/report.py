"""`nacc-checkpoint report`."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checkpoint_cli._failures import ended_well
from checkpoint_cli._filters import TestCenterOption
from checkpoint_cli._opening import opened, reading, scanned
from checkpoint_cli._option_groups import OptionGroup, with_groups
from checkpoint_cli._options import CheckpointArgument, DebugOption, checkpoint_store, day
from checkpoint_cli._printing.output import one_line, write_lines
from checkpoint_cli.errors import NotInstalledError
from checkpoint_core import CheckpointStore
from checkpoint_core.inspection import read_rejects
from checkpoint_storage.explanations import refused
from checkpoint_storage.scratch import temporary_folder

if TYPE_CHECKING:
    from checkpoint_report import Period, Report

__all__ = ["report_command"]

_THRESHOLD = 11
_EXTRA = ("altair", "checkpoint_report", "jinja2", "markupsafe", "scipy", "vl_convert")
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
    threshold: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Hide counts below N, other than 0; 1 shows every count."
        ),
    ] = _THRESHOLD
    include_test_center: TestCenterOption = False


@with_groups
def report_command(
    checkpoint: CheckpointArgument,
    *,
    output: Annotated[
        Path, typer.Option(metavar="FILE", help="The page to write, replaced if it is there.")
    ],
    about: AboutOptions,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="DIR",
            help="Write the numbers behind each chart there too, as CSV files, replaced like it.",
        ),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Write the monthly report: one HTML page of aggregates, which needs no network and no script.

    Days begin at midnight UTC. The same checkpoint and options give the same page.
    Nothing in it is about single visits; the page says how small counts are hidden.
    """
    store = checkpoint_store(checkpoint)
    with ended_well(debug=debug):
        _check_extra()
        report = _make(store, _period(about), about)
        write_lines(_write(report, output, csv))


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


def _make(store: CheckpointStore, period: "Period", about: AboutOptions) -> "Report":
    from checkpoint_report import UnknownCenterError, make_report  # noqa: PLC0415

    with temporary_folder() as workdir:
        files = opened(store, workdir)
        rejects = read_rejects(store, workdir)
        try:
            with reading(files.events, store):
                return make_report(
                    scanned(files.events),
                    rejects,
                    files.metadata,
                    period,
                    center=about.center,
                    include_test_center=about.include_test_center,
                    threshold=about.threshold,
                )
        except UnknownCenterError as error:
            raise typer.BadParameter(one_line(str(error)), param_hint="--center") from error


def _write(report: "Report", output: Path, csv: Path | None) -> Iterator[str]:
    from checkpoint_report import write_report  # noqa: PLC0415

    try:
        write_report(report, output, csv)
    except OSError as error:
        raise refused(Path(error.filename), error) from error
    if csv is not None:
        yield f"Wrote {len(report.sheets)} tables to {one_line(str(csv))}."
    yield f"Wrote {one_line(str(output))}: {report.title}."
