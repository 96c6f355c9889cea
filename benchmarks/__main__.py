"""Runs the benchmarks, prints tables, and writes the numbers as JSON where asked to."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from artifacts.toolchain import BuildError
from benchmarks import (
    built_imports,
    importing,
    judging,
    merging,
    months,
    reporting,
    running,
    scheduled_runs,
    spreading,
    starting,
)
from benchmarks.look_alike import Latency, endpoint_at
from benchmarks.measuring import Measurement, Target
from benchmarks.months import Month
from benchmarks.scheduled_runs import Sizes
from benchmarks.watching import conditions


class Part(StrEnum):
    """What can be measured by itself."""

    JUDGING = "judging"
    MERGING = "merging"
    RUNNING = "running"
    IMPORTING = "importing"
    STARTING = "starting"
    REPORT = "report"
    S3 = "s3"
    SPARK = "spark"


def main(
    *,
    only: Annotated[list[Part] | None, typer.Option(help="Measure only this; repeatable.")] = None,
    events: Annotated[int, typer.Option(help="Events to judge.")] = 20_000,
    rows: Annotated[int, typer.Option(help="Rows of the checkpoint to merge with.")] = 1_000_000,
    objects: Annotated[int, typer.Option(help="Event objects of the run.")] = 100_000,
    new: Annotated[int, typer.Option(help="New objects of the incremental run.")] = 1_000,
    rounds: Annotated[int, typer.Option(help="Repetitions; the best of each counts.")] = 5,
    report_events: Annotated[int, typer.Option(help="Events of the report.")] = 1_000_000,
    s3_objects: Annotated[int, typer.Option(help="Known objects in S3.")] = 1_000_000,
    s3_new: Annotated[int, typer.Option(help="New objects in S3.")] = 20_000,
    s3_rounds: Annotated[int, typer.Option(help="Repetitions of each kind of run on S3.")] = 3,
    get_latency_ms: Annotated[float, typer.Option(help="Latency of a GET and a PUT.")] = 15.0,
    list_latency_ms: Annotated[float, typer.Option(help="Latency of a page of a listing.")] = 50.0,
    spark_objects: Annotated[int, typer.Option(help="Objects read on Spark.")] = 200_000,
    executors: Annotated[
        list[int] | None, typer.Option(help="Executors to read with; repeatable.")
    ] = None,
    two_million: Annotated[
        bool, typer.Option(help="Measure a run on two million objects; takes minutes.")
    ] = False,
    month_of: Annotated[
        list[int] | None,
        typer.Option(help="Measure a month of hourly runs on so many known objects; repeatable."),
    ] = None,
    month_commits: Annotated[int, typer.Option(help="Runs of it that are made, with news.")] = 12,
    endpoint: Annotated[
        str | None,
        typer.Option(help="Another S3's URL; --s3-new of its objects are taken for new."),
    ] = None,
    bucket: Annotated[str, typer.Option(help="Its bucket of event objects.")] = "events",
    prefix: Annotated[str, typer.Option(help="Where the event objects are in it.")] = "prod/",
    checkpoint_bucket: Annotated[
        str, typer.Option(help="Its bucket that may be written to.")
    ] = "checkpoints",
    built: Annotated[
        Path, typer.Option(help="What was built for this machine, to be imported.")
    ] = Path("dist/lambda"),
    json: Annotated[Path | None, typer.Option(help="Write the numbers into this file.")] = None,
) -> None:
    """Measure judging, merging and whole runs, each beside what one would have otherwise."""
    before = conditions()
    parts = only or list(Part)
    measurements: list[Measurement] = []
    targets: list[Target] = []
    if Part.JUDGING in parts:
        measurements += judging.measure(events, rounds)
    if Part.MERGING in parts:
        measurements += merging.measure(rows, new, rounds)
    if Part.RUNNING in parts:
        measurements += running.measure(objects, new)
    if Part.IMPORTING in parts:
        measurements += importing.measure(rounds)
        try:
            measurements += built_imports.measure(built, rounds)
        except BuildError as error:
            typer.echo(f"import of what was built: passed over. {error}")
    if Part.STARTING in parts:
        measurements += starting.measure(rounds)
    if Part.REPORT in parts:
        more, reached = reporting.measure(report_events)
        measurements += more
        targets += reached
    latency = Latency(get_ms=get_latency_ms, list_ms=list_latency_ms)
    if Part.S3 in parts:
        given = endpoint_at(endpoint, bucket, prefix, checkpoint_bucket) if endpoint else None
        sizes = Sizes(known=s3_objects, new=s3_new)
        more, reached = scheduled_runs.measure(sizes, latency, s3_rounds, given)
        measurements += more
        targets += reached
    if Part.SPARK in parts:
        measurements += spreading.measure(spark_objects, executors or [1, 2], latency)
    if two_million:
        more, reached = scheduled_runs.measure_large(2_000_000, 1_000, latency)
        measurements += more
        targets += reached
    monthly = [
        month
        for known in month_of or []
        for month in months.measure(known, known // 670, latency, commits=month_commits, quiet=3)
    ]
    if measurements:
        _show(measurements)
    if monthly:
        _show_months(monthly)
    if targets:
        _show_targets(targets)
    after = conditions()
    typer.echo(f"before: {before}\nafter: {after}")
    if json is not None:
        document = {
            "conditions": {"before": before, "after": after},
            "measurements": measurements,
            "targets": targets,
            "months": monthly,
        }
        json.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2))


def _show(measurements: list[Measurement]) -> None:
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
    _console().print(table)
    typer.echo("ratio: seconds of this line by seconds of the first line of its kind")


def _show_targets(targets: list[Target]) -> None:
    table = Table("to reach", "measured", "target", "reached")
    for each in targets:
        limit = f"at least {each.at_least:g}" if each.at_least is not None else ""
        limit += f"at most {each.at_most:,.0f}" if each.at_most is not None else ""
        table.add_row(each.what, f"{each.value:,.2f}", limit, "yes" if each.is_reached else "no")
    _console().print(table)


def _show_months(found: list[Month]) -> None:
    table = Table(
        *("known", "new an hour", "how", "LIST", "GET", "PUT", "MB written", "MB kept", "s", "$")
    )
    for each in found:
        counts = (each.lists, each.gets, each.puts, each.written_bytes / 1e6)
        table.add_row(
            f"{each.objects:,}",
            f"{each.new:,}",
            each.how,
            *(f"{count:,.0f}" for count in (*counts, each.kept_bytes / 1e6, each.seconds)),
            f"{each.dollars:.2f}",
        )
    _console().print(table)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=140)


if __name__ == "__main__":
    typer.run(main)
