"""A checkpoint of a year's events of forty centers, with its ledger, in a folder.

    python -m benchmarks.large_checkpoint EVENTS FOLDER

FOLDER gets `events.parquet` and what stands beside it. Events come in pairs of a submit and an
outcome. A process of its own makes it, because it takes more memory than what is measured.
"""

import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.s3.preparing import prepare_pair
from checkpoint_core import event_schema
from nacc_event_model import EventFormat

NAME: Final = "events.parquet"
MONTH: Final = "2026-08"
"""The last month of which there are events."""
_START: Final = datetime(2025, 9, 1, tzinfo=UTC)
_YEAR_S: Final = 365 * 86_400
_PORTION: Final = 1_000_000


def _events(count: int, first: int, end: int) -> pl.DataFrame:
    number = pl.int_range(first, end)
    submission = number // 2
    center = submission % 40 + 1
    time = pl.lit(_START) + pl.duration(seconds=number * _YEAR_S / count)
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
        key=pl.format("log-{}-{}.json", "action", pl.int_range(first, end)),
        etag=pl.lit("0" * 32),
        size=pl.lit(300),
        last_modified=pl.col("timestamp") + pl.duration(hours=1),
    )


def _portions(count: int) -> Iterator[pl.DataFrame]:
    for first in range(0, count, _PORTION):
        yield _events(count, first, min(count, first + _PORTION))


def main(events: str, to: str) -> None:
    """Make it."""
    folder = Path(to)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch, "made")
        ledger = folder / prepare_pair(_portions(int(events)), "file:///nowhere/", made)
        ledger.parent.mkdir(parents=True)
        (made / "ledger.parquet").rename(ledger)
        (made / "digests.json").rename(ledger.with_suffix(".json"))
        (made / "checkpoint.parquet").rename(folder / NAME)


if __name__ == "__main__":
    main(*sys.argv[1:])
