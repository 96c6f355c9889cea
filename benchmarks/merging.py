"""New rows into a large checkpoint, beside reading, concatenating and sorting everything."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from benchmarks.measuring import Measurement, compared, in_rounds, seconds_of
from checkpoint_core import CheckpointMetadata, event_schema
from checkpoint_format.merge import merge
from nacc_event_model import EventFormat

_START = datetime(2024, 1, 1, tzinfo=UTC)


def measure(rows: int, new: int, rounds: int) -> list[Measurement]:
    """Measure a merge of new rows, most of them recent, into a file of many; medians of rounds."""
    with tempfile.TemporaryDirectory() as folder:
        previous = Path(folder, "previous.parquet")
        to = Path(folder, "next.parquet")
        _rows(rows, _START, 30).write_parquet(previous, compression="snappy")
        recent = _START + timedelta(seconds=30 * rows - 15 * new)
        incoming = _rows(new, recent, 30)
        ways = {
            "read, concat, sort, write": lambda: (
                pl.concat([pl.read_parquet(previous), incoming])
                .sort("timestamp", maintain_order=True)
                .write_parquet(to, compression="snappy")
            ),
            "merge": lambda: _merge(previous, incoming, to),
            "copy alone": lambda: _merge(previous, incoming.clear(), to),
        }

        def one_round() -> Iterator[Measurement]:
            for how, do in ways.items():
                yield Measurement(
                    what=f"{new:,} rows into {rows:,}",
                    how=how,
                    items=rows + new,
                    seconds=seconds_of(do),
                )

        return compared(in_rounds(rounds, one_round))


def _merge(previous: Path, incoming: pl.DataFrame, to: Path) -> None:
    metadata = CheckpointMetadata(
        layout=1,
        commit_id="00000001-benchmark",
        generation=1,
        lineage=("00000001-benchmark",),
        source="memory://benchmark",
        event_format=EventFormat.V1_0,
        rows=0,
        adopted_rows=0,
        first_timestamp=None,
        last_timestamp=None,
        committed_at=_START,
        versions={},
    )
    merge(previous, incoming.lazy(), to, metadata, compression="snappy", row_group_rows=32_768)


def _rows(count: int, start: datetime, seconds: int) -> pl.DataFrame:
    number = pl.int_range(count)
    center = number % 40 + 1
    time = pl.lit(start) + pl.duration(seconds=number * seconds)
    return pl.select(
        action=pl.when(number % 3 == 0).then(pl.lit("pass-qc")).otherwise(pl.lit("submit")),
        study=pl.lit("adrc"),
        pipeline_adcid=center,
        project_label=pl.lit("ingest-form"),
        center_label=pl.format("sample-center-{}", center),
        gear_name=pl.lit("identifier-lookup"),
        ptid=pl.format("SYN{}", number % 9_999_999),
        visit_date=time.dt.date(),
        visit_number=pl.lit("01"),
        datatype=pl.lit("form"),
        module=pl.lit("UDS"),
        packet=pl.lit("I"),
        timestamp=time,
    ).cast(event_schema(EventFormat.V1_0))
