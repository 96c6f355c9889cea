"""A month's report on a large checkpoint: page and tables, as a process from its start to its end."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks.measuring import Measurement, Target
from benchmarks.preparing import prepare_pair
from benchmarks.watching import watch
from checkpoint_core import event_schema
from nacc_event_model import EventFormat

_MAIN = "from checkpoint_cli import main; main()"
_START = datetime(2025, 9, 1, tzinfo=UTC)
_MONTH = "2026-08"
_AT_MOST_S = 15
_AT_MOST_MB = 1_000


def measure(events: int) -> tuple[list[Measurement], list[Target]]:
    """Measure the report on the last month of a year of so many events, of forty centers."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made")
        name = prepare_pair(_events(events), "file:///nowhere/", made)
        checkpoint, ledger = Path(folder, "events.parquet"), Path(folder, name)
        ledger.parent.mkdir(parents=True, exist_ok=True)
        (made / "checkpoint.parquet").rename(checkpoint)
        (made / "ledger.parquet").rename(ledger)
        page, tables = Path(folder, "report.html"), Path(folder, "csv")
        took = watch(
            *("-c", _MAIN, "report", str(checkpoint), "--month", _MONTH),
            *("--output", str(page), "--csv", str(tables)),
        )
        told = Path(tables, _MONTH, "lateness.csv").read_text(encoding="utf-8")
        if not page.stat().st_size or "arrivals_median" not in told:
            raise RuntimeError("no report, or one that does not know the ledger")
    found = Measurement(
        what=f"report on {events:,} events",
        how="page and CSV",
        items=events,
        seconds=took.seconds,
        cpu_s=took.cpu_s,
        peak_mb=took.peak_mb,
    )
    return [found], [
        Target(what=f"seconds: {found.what}", value=took.seconds, at_most=_AT_MOST_S),
        Target(what=f"peak MB: {found.what}", value=took.peak_mb, at_most=_AT_MOST_MB),
    ]


def _events(count: int) -> pl.DataFrame:
    """Return events in pairs of a submit and an outcome, with the objects that they came from."""
    number = pl.int_range(count)
    submission = number // 2
    center = submission % 40 + 1
    time = pl.lit(_START) + pl.duration(seconds=number * (365 * 86_400) / count)
    outcome = pl.when(submission % 9 == 0).then(pl.lit("not-pass-qc")).otherwise(pl.lit("pass-qc"))
    rows = pl.select(
        action=pl.when(number % 2 == 0).then(pl.lit("submit")).otherwise(outcome),
        study=pl.lit("adrc"),
        pipeline_adcid=center,
        project_label=pl.lit("ingest-form"),
        center_label=pl.format("sample-center-{}", center),
        gear_name=pl.lit("identifier-lookup"),
        ptid=pl.format("SYN{}", submission),
        visit_date=pl.lit(_START.date()) - pl.duration(days=submission % 90),
        visit_number=pl.lit("01"),
        datatype=pl.lit("form"),
        module=pl.lit("UDS"),
        packet=pl.lit("I"),
        timestamp=time,
    ).cast(event_schema(EventFormat.V1_0))
    return rows.with_columns(
        key=pl.format("log-{}-{}.json", "action", pl.int_range(count)),
        etag=pl.lit("0" * 32),
        size=pl.lit(300),
        last_modified=pl.col("timestamp") + pl.duration(hours=1),
    )
