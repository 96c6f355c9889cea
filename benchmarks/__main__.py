"""Runs the benchmarks, prints a table, and writes the numbers as JSON where asked to."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import judging, merging, running
from benchmarks.measuring import Measurement


def main(
    *,
    events: Annotated[int, typer.Option(help="Events to judge.")] = 20_000,
    rows: Annotated[int, typer.Option(help="Rows of the checkpoint to merge with.")] = 1_000_000,
    objects: Annotated[int, typer.Option(help="Event objects of the run.")] = 100_000,
    new: Annotated[int, typer.Option(help="New objects of the incremental run.")] = 1_000,
    rounds: Annotated[int, typer.Option(help="Repetitions; the best of each counts.")] = 5,
    json: Annotated[Path | None, typer.Option(help="Write the numbers into this file.")] = None,
) -> None:
    """Measure judging, merging and whole runs, each beside what one would have otherwise."""
    measurements = [
        *judging.measure(events, rounds),
        *merging.measure(rows, new, rounds),
        *running.measure(objects, new),
    ]
    _show(measurements)
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(measurements), indent=2))


def _show(measurements: list[Measurement]) -> None:
    table = Table("what", "how", "seconds", "per item", "peak MB", "ratio")
    for each in measurements:
        table.add_row(
            each.what,
            each.how,
            f"{each.seconds:.3f}",
            f"{each.seconds / each.items * 1e9:,.0f} ns",
            "" if each.peak_mb is None else f"{each.peak_mb:,.0f}",
            "" if each.ratio is None else f"{each.ratio:.2f}",
        )
    Console().print(table)
    typer.echo("ratio: seconds of this line by seconds of the first line of its kind")


if __name__ == "__main__":
    typer.run(main)
