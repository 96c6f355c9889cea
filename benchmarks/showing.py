"""What was found, as tables and lines for people."""

from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Measurement, Target
from benchmarks.parts import Found
from benchmarks.s3.growth import Growth
from benchmarks.s3.months import Month, cells, markdown
from benchmarks.starts.cold_starts import Imported


def show(found: Found, *, as_markdown: bool) -> None:
    """Print everything, and at the end every target, and of those not reached why."""
    _show_measurements(found.measurements)
    _show_stages(found)
    _show_growth(found.growth)
    if as_markdown:
        typer.echo("\n".join(markdown(found.months)))
    else:
        _show_months(found.months)
    _show_imported(found.imported)
    for remark in found.remarks:
        typer.echo(remark)
    _show_targets(found.targets)


def _show_measurements(measurements: Sequence[Measurement]) -> None:
    table = Table("what", "how", "seconds", "items/s", "per item", "CPU s", "peak MB", "ratio")
    for each in measurements:
        table.add_row(
            each.what,
            each.how,
            f"{each.seconds:.3f}",
            f"{each.items_per_s:,.0f}",
            f"{each.seconds / each.items * 1e9:,.0f} ns",
            "" if each.cpu_s is None else f"{each.cpu_s:.2f}",
            "" if each.peak_mb is None else f"{each.peak_mb:,.0f}",
            "" if each.ratio is None else f"{each.ratio:.3f}",
        )
    if _printed(table):
        typer.echo("ratio: seconds of this line by seconds of the first line of its kind")


def _show_stages(found: Found) -> None:
    runs = [(f"{e.what}: {e.how}", e.stages) for e in found.measurements if e.stages]
    runs += [
        (f"{each.new:,} new, {each.known:,} known", each.stages)
        for growth in found.growth
        for each in growth.sizes
    ]
    names = list(dict.fromkeys(name for _, stages in runs for name in stages))
    table = Table("where the time went", *names)
    for run, stages in runs:
        spent = [stages[name] for name in names]
        table.add_row(run, *(f"{each.wall_s:.2f} ({each.cpu_s:.2f})" for each in spent))
    if _printed(table):
        typer.echo("seconds, and in parentheses those of a processor; start is beside the run")


def _show_growth(found: Sequence[Growth]) -> None:
    table = Table("known", "new", "s", "CPU s", "peak MB", "/tmp MB", "requests", "MB written")
    for each in (size for growth in found for size in growth.sizes):
        numbers = (each.peak_mb, each.disk_mb, each.requests, each.written_mb)
        table.add_row(
            f"{each.known:,}",
            f"{each.new:,}",
            f"{each.seconds:.2f}",
            f"{each.cpu_s:.2f}",
            *(f"{number:,.0f}" for number in numbers),
        )
    _printed(table)


def _show_months(found: Sequence[Month]) -> None:
    table = Table(
        *("known", "new an hour", "how", "LIST", "GET", "PUT", "MB written"),
        *("MB stored at first", "MB stored later", "s", "$"),
    )
    for each in found:
        table.add_row(*cells(each))
    _printed(table)


def _show_imported(found: Sequence[Imported]) -> None:
    table = Table("module", "ms of its own")
    for each in found:
        table.add_row(each.module, f"{each.own_ms:.1f}")
    _printed(table)


def _show_targets(targets: Sequence[Target]) -> None:
    table = Table("to reach", "measured", "target", "reached")
    for each in targets:
        limit = f"at least {each.at_least:g}" if each.at_least is not None else ""
        limit += f"at most {each.at_most:,.0f}" if each.at_most is not None else ""
        table.add_row(each.what, f"{each.value:,.2f}", limit, "yes" if each.is_reached else "no")
    _printed(table)
    for each in targets:
        if not each.is_reached:
            typer.echo(f"not reached: {each.what}: {each.reason}")


def _printed(table: Table) -> bool:
    """Print it unless it is empty."""
    if table.row_count:
        console = Console()
        (console if console.is_terminal else Console(width=140)).print(table)
    return bool(table.row_count)
