"""What analysts wait for: a month's report, each named question and each kind of export.

Every one is the command line, as a process from its start to its end, on a large checkpoint. What
the same command takes on a checkpoint of a thousand events is what it takes in any case.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, get_args

from msgspec import Struct

from benchmarks.large_checkpoint import MONTH, NAME
from benchmarks.measuring import Measurement, Target, in_rounds
from benchmarks.watching import watch
from checkpoint_queries import QUERIES
from checkpoint_queries.exports import Kind

SIZES: Final = (1_000_000, 10_000_000)
KINDS: Final[tuple[str, ...]] = get_args(Kind)
_FEW: Final = 1_000
_MAIN: Final = "from checkpoint_cli import main; main()"
_REPORT: Final = "report, page and CSV"
_QUESTION: Final = "question {}"
_EXPORT: Final = "export of {}"
_REPORT_LIMITS: Final = {1_000_000: 15.0}
_LIMITS: Final = {1_000_000: 1.0, 10_000_000: 15.0}
"""Seconds at most, by the number of events; the second for questions and exports alike."""


class _Asked(Struct, frozen=True, kw_only=True):
    """What is made in a round: reports by their months, answers and exports."""

    months: Sequence[str]
    questions: Sequence[str]
    kinds: Sequence[str]


def measure(
    events: int,
    rounds: int,
    *,
    months: Sequence[str] = (MONTH,),
    questions: Sequence[str] = tuple(QUERIES),
    kinds: Sequence[str] = KINDS,
) -> tuple[list[Measurement], list[Target]]:
    """Measure all of it on so many events, in turn, medians of so many rounds; say what is reached."""
    asked = _Asked(months=months, questions=questions, kinds=kinds)
    with _checkpoint(events) as many:
        found = in_rounds(rounds, lambda: _one_round(many, events, asked))
    in_any_case = {each.how: each for each in found}
    if events > _FEW:
        with _checkpoint(_FEW) as few:
            least = in_rounds(rounds, lambda: _one_round(few, _FEW, asked))
        in_any_case = {each.how: each for each in least}
    return found, [
        Target(
            what=f"seconds: {each.how}, {events:,} events",
            value=each.seconds,
            at_most=limits[events],
            reason=_reason(each, in_any_case[each.how]),
        )
        for each in found
        if events in (limits := _REPORT_LIMITS if each.how == _REPORT else _LIMITS)
    ]


def _reason(each: Measurement, least: Measurement) -> str:
    return (
        f"{least.seconds:.2f} s and {least.peak_mb:,.0f} MB of it with {_FEW:,} events; in all "
        f"{each.cpu_s:.2f} s of a processor, {each.peak_mb:,.0f} MB at most"
    )


@contextmanager
def _checkpoint(events: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        watch("-m", "benchmarks.large_checkpoint", str(events), folder)
        yield Path(folder, NAME)


def _one_round(checkpoint: Path, events: int, asked: _Asked) -> Iterator[Measurement]:
    for month in asked.months:
        yield _report(checkpoint, events, month)
    for name in asked.questions:
        yield _timed(_QUESTION.format(name), events, "query", str(checkpoint), name)
    for kind in asked.kinds:
        yield _export(checkpoint, events, kind)


def _report(checkpoint: Path, events: int, month: str) -> Measurement:
    with tempfile.TemporaryDirectory() as folder:
        page, tables = Path(folder, "report.html"), Path(folder, "csv")
        arguments = ("--month", month, "--output", str(page), "--csv", str(tables))
        found = _timed(_REPORT, events, "report", str(checkpoint), *arguments)
        told = Path(tables, month, "lateness.csv").read_text(encoding="utf-8")
        if not page.stat().st_size or "arrivals_median" not in told:
            raise RuntimeError("no report, or one that does not know the ledger")
    return found


def _export(checkpoint: Path, events: int, kind: str) -> Measurement:
    """Make an export that was not there; the one of before is removed by it."""
    definitions = checkpoint.parent / f"{kind}.toml"
    definitions.write_text(
        f'[[export]]\nname = "{kind}"\nkind = "{kind}"\npath = "exports/{kind}.parquet"\n',
        encoding="utf-8",
    )
    arguments = ("export", str(checkpoint), "--definitions", str(definitions))
    found = _timed(_EXPORT.format(kind), events, *arguments)
    exported = checkpoint.parent / "exports" / f"{kind}.parquet"
    if not exported.is_file():
        raise RuntimeError(f"no export of {kind}")
    exported.unlink()
    return found


def _timed(how: str, events: int, *arguments: str) -> Measurement:
    took = watch("-c", _MAIN, *arguments)
    return Measurement(
        what=f"{events:,} events",
        how=how,
        items=events,
        seconds=took.seconds,
        cpu_s=took.cpu_s,
        peak_mb=took.peak_mb,
    )
