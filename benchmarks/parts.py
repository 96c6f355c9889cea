"""The parts of the benchmark by name: what can be measured by itself."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from artifacts.toolchain import BuildError
from benchmarks import judging, merging, reporting, running
from benchmarks.measuring import Measurement, Target
from benchmarks.s3 import growth, months, scheduled_runs, spreading
from benchmarks.s3.growth import Growth
from benchmarks.s3.look_alike import Endpoint, Latency
from benchmarks.s3.months import Month
from benchmarks.s3.scheduled_runs import Sizes
from benchmarks.starts import built, cold_starts, commands, importing
from benchmarks.starts.cold_starts import Imported


class Name(StrEnum):
    """What the parts are called."""

    JUDGING = "judging"
    MERGING = "merging"
    RUNNING = "running"
    IMPORTING = "importing"
    STARTING = "starting"
    REPORT = "report"
    S3 = "s3"
    SPARK = "spark"
    GROWTH = "growth"
    MONTH = "month"


class Options(Struct, frozen=True, kw_only=True):
    """How much of everything, and where it is, as `python -m benchmarks --help` explains it."""

    rounds: int
    events: int
    rows: int
    objects: int
    new: int
    report_events: list[int]
    sizes: Sizes
    latency: Latency
    endpoint: Endpoint | None
    spark_objects: int
    executors: list[int]
    growth: list[int]
    month_of: list[int]
    month_commits: int
    built: Path


class Found(Struct, frozen=True, kw_only=True):
    """What was measured, of whatever kind, and what is to be said besides."""

    measurements: list[Measurement] = []
    targets: list[Target] = []
    growth: list[Growth] = []
    months: list[Month] = []
    imported: list[Imported] = []
    remarks: list[str] = []

    def add(self, other: "Found") -> None:
        """Put the other's behind what is here."""
        for name in self.__struct_fields__:
            getattr(self, name).extend(getattr(other, name))


class Part(Struct, frozen=True, kw_only=True):
    """One part; `takes_long` is for one that is measured only where it is asked for."""

    measure: Callable[[Options], Found]
    takes_long: bool = False


def _judging(options: Options) -> Found:
    return Found(measurements=judging.measure(options.events, options.rounds))


def _merging(options: Options) -> Found:
    return Found(measurements=merging.measure(options.rows, options.new, options.rounds))


def _running(options: Options) -> Found:
    return Found(measurements=running.measure(options.objects, options.new, options.rounds))


def _importing(options: Options) -> Found:
    measurements, remarks = importing.measure(options.rounds), list[str]()
    try:
        measurements += built.measure_imports(options.built, options.rounds)
    except BuildError as error:
        remarks.append(f"import of what was built: passed over. {error}")
    return Found(measurements=measurements, remarks=remarks)


def _starting(options: Options) -> Found:
    found, imported, remarks = cold_starts.measure(options.built, options.latency, options.rounds)
    measurements = [*commands.measure(options.rounds), *found]
    return Found(measurements=measurements, imported=imported, remarks=remarks)


def _report(options: Options) -> Found:
    found = Found()
    for events in options.report_events:
        measurements, targets = reporting.measure(events, options.rounds)
        found.add(Found(measurements=measurements, targets=targets))
    return found


def _s3(options: Options) -> Found:
    measurements, targets = scheduled_runs.measure(
        options.sizes, options.latency, options.rounds, options.endpoint
    )
    return Found(measurements=measurements, targets=targets)


def _spark(options: Options) -> Found:
    measurements = spreading.measure(
        options.spark_objects, options.executors, options.latency, options.rounds
    )
    return Found(measurements=measurements)


def _growth(options: Options) -> Found:
    grown, targets = growth.measure(options.growth, options.new, options.latency, options.rounds)
    return Found(growth=[grown], targets=targets, remarks=grown.told())


def _month(options: Options) -> Found:
    found = Found()
    for known in options.month_of:
        both = months.measure(
            known, options.latency, commits=options.month_commits, rounds=options.rounds
        )
        found.add(Found(months=both))
    return found


PARTS: Final[Mapping[Name, Part]] = MappingProxyType(
    {
        Name.JUDGING: Part(measure=_judging),
        Name.MERGING: Part(measure=_merging),
        Name.RUNNING: Part(measure=_running),
        Name.IMPORTING: Part(measure=_importing),
        Name.STARTING: Part(measure=_starting),
        Name.REPORT: Part(measure=_report),
        Name.S3: Part(measure=_s3),
        Name.SPARK: Part(measure=_spark),
        Name.GROWTH: Part(measure=_growth, takes_long=True),
        Name.MONTH: Part(measure=_month, takes_long=True),
    }
)
