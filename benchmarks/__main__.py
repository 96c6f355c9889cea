"""Runs the benchmarks, prints tables, and writes the numbers as JSON where asked to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from benchmarks import reporting
from benchmarks.parts import PARTS, Found, Name, Options
from benchmarks.s3 import growth as growing
from benchmarks.s3 import months
from benchmarks.s3.look_alike import Latency, endpoint_at
from benchmarks.s3.scheduled_runs import Sizes
from benchmarks.showing import show
from benchmarks.watching import conditions


def _several(what: str, usual: Sequence[int]) -> Any:
    """Return an option that may be given several times."""
    told = " and ".join(f"{each:,}" for each in usual)
    return typer.Option(help=f"{what}; repeatable. [default: {told}]")


_Ints = list[int] | None
_EXECUTORS: Final = (1, 2)


def main(
    *,
    only: Annotated[
        list[Name] | None,
        typer.Option(help="Measure only this; repeatable. Else all but growth and month."),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Repetitions; their medians count.")] = 5,
    events: Annotated[int, typer.Option(help="Events to judge.")] = 20_000,
    rows: Annotated[int, typer.Option(help="Rows of the checkpoint to merge with.")] = 1_000_000,
    objects: Annotated[int, typer.Option(help="Event objects of the run.")] = 100_000,
    new: Annotated[int, typer.Option(help="New objects of the incremental run.")] = 1_000,
    report_events: Annotated[
        _Ints, _several("Events to report on and to ask about", reporting.SIZES)
    ] = None,
    s3_objects: Annotated[int, typer.Option(help="Known objects in S3.")] = 1_000_000,
    s3_new: Annotated[int, typer.Option(help="New objects in S3.")] = 20_000,
    get_latency_ms: Annotated[float, typer.Option(help="Latency of a GET and a PUT.")] = 15.0,
    list_latency_ms: Annotated[float, typer.Option(help="Latency of a page of a listing.")] = 50.0,
    spark_objects: Annotated[int, typer.Option(help="Objects read on Spark.")] = 200_000,
    executors: Annotated[_Ints, _several("Executors to read with", _EXECUTORS)] = None,
    growth: Annotated[_Ints, _several("Known objects of growth", growing.SIZES)] = None,
    month_of: Annotated[
        _Ints, _several("Known objects of a month of hourly runs", months.SIZES)
    ] = None,
    month_commits: Annotated[
        int, typer.Option(help="Runs of it that are made, with news.", min=2)
    ] = 12,
    markdown: Annotated[bool, typer.Option(help="Print the months as lines of Markdown.")] = False,
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
    """Measure each part beside what one would have otherwise, and say which targets are reached."""
    options = Options(
        rounds=rounds,
        events=events,
        rows=rows,
        objects=objects,
        new=new,
        report_events=report_events or [*reporting.SIZES],
        sizes=Sizes(known=s3_objects, new=s3_new),
        latency=Latency(get_ms=get_latency_ms, list_ms=list_latency_ms),
        endpoint=endpoint_at(endpoint, bucket, prefix, checkpoint_bucket) if endpoint else None,
        spark_objects=spark_objects,
        executors=executors or [*_EXECUTORS],
        growth=growth or [*growing.SIZES],
        month_of=month_of or [*months.SIZES],
        month_commits=month_commits,
        built=built,
    )
    _measure(only or [], options, as_markdown=markdown, json=json)


def _measure(
    only: Sequence[Name], options: Options, *, as_markdown: bool, json: Path | None
) -> None:
    before = conditions()
    found = Found()
    for name, part in PARTS.items():
        if name in only or not (only or part.takes_long):
            found.add(part.measure(options))
    show(found, as_markdown=as_markdown)
    after = conditions()
    typer.echo(f"before: {before}\nafter: {after}")
    if json is not None:
        document = {"conditions": {"before": before, "after": after}, **msgspec.to_builtins(found)}
        json.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2))


if __name__ == "__main__":
    typer.run(main)
