"""`nacc-checkpoint report`."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from checkpoint_cli._choices import CENTER_ORDERS, choice
from checkpoint_cli._filters import TestCenterOption
from checkpoint_cli._option_groups import OptionGroup, with_groups
from checkpoint_cli._options import CheckpointArgument, DebugOption, day

__all__ = ["AboutOptions", "WhereOptions", "report_command"]


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
        str,
        typer.Option(
            help="By what centers are ordered; the lowest rate first, the most of others.",
            **choice("order", CENTER_ORDERS),
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
    from checkpoint_cli._execution.report import report

    report(checkpoint, about, where, debug=debug)
