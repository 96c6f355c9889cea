"""The Parquet file as analysts' tools see it."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from checkpoint_core import Settings, event_schema
from nacc_event_model import EventFormat
from tests.checkpoint_core.world import CHECKPOINT, Row, World, document, key, row

DOCUMENTS = [
    document(timestamp="0001-01-01T00:00:00Z", visit_date="0001-01-01"),
    document(timestamp="1969-12-31T23:59:59.999999Z", visit_date="1969-12-31", module=None),
    document(timestamp="2024-01-15T10:00:00.000001+02:00", packet=None, study="x" * 300),
    document(timestamp="2024-01-15T10:00:00Z", center_label="\u0000日本\U0001f600'\""),
    document(timestamp="9999-12-31T23:59:59.999999Z", visit_date="9999-12-31"),
    document(pipeline_adcid=2**31 - 1, timestamp="2024-02-29T00:00:00Z", visit_date="2024-02-29"),
]


def with_polars(file: Path) -> list[Row]:
    """Read all rows with polars."""
    return list(pl.read_parquet(file).iter_rows())


def with_duckdb(file: Path) -> list[Row]:
    """Read all rows with DuckDB; times as microseconds, which it turns to local time otherwise."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT * REPLACE (epoch_us(timestamp) AS timestamp) FROM read_parquet(?)", [str(file)]
        ).fetchall()
    return [(*row[:12], at(row[12]), *row[13:]) for row in rows]


def with_pyarrow(file: Path) -> list[Row]:
    """Read all rows with pyarrow."""
    table = pq.ParquetFile(file).read()
    time = table.column("timestamp").cast("int64").to_pylist()
    columns = [
        list(map(at, time)) if name == "timestamp" else table.column(name).to_pylist()
        for name in table.column_names
    ]
    return list(zip(*columns, strict=True))


def at(microseconds: int) -> datetime:
    """Return a time in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


@pytest.fixture
def file(world: World) -> Path:
    """Give a checkpoint with everything that may be odd about values, in three row groups."""
    for number, data in enumerate(DOCUMENTS):
        world.source.write(key(number), data)
    world.run(Settings(row_group_rows=2))
    path = world.workdir() / CHECKPOINT
    path.write_bytes(world.store.data(CHECKPOINT))
    return path


@pytest.mark.parametrize("read", [with_polars, with_duckdb, with_pyarrow])
def test_every_reader_gets_the_same_values(file: Path, read: Callable[[Path], list[Row]]) -> None:
    """In the same order, whoever reads."""
    rows: list[Any] = sorted(map(row, DOCUMENTS), key=lambda values: values[12])

    assert read(file) == rows


def test_every_reader_gets_the_same_types(file: Path) -> None:
    """As the design's table has them."""
    with duckdb.connect() as connection:
        described = connection.execute(
            "DESCRIBE SELECT * FROM read_parquet(?)", [str(file)]
        ).fetchall()
    arrow = pq.read_schema(file)

    assert pl.read_parquet_schema(file) == event_schema(EventFormat.V1_0)
    assert {name: kind for name, kind, *_ in described} == dict.fromkeys(
        event_schema(EventFormat.V1_0), "VARCHAR"
    ) | {
        "pipeline_adcid": "INTEGER",
        "visit_date": "DATE",
        "timestamp": "TIMESTAMP WITH TIME ZONE",
    }
    assert [str(arrow.field(name).type) for name in ("pipeline_adcid", "visit_date")] == [
        "int32",
        "date32[day]",
    ]
    assert str(arrow.field("timestamp").type) == "timestamp[us, tz=UTC]"


def test_row_groups_are_bounded_and_have_statistics(file: Path) -> None:
    """So that a time range, or a center, reads a part of the file."""
    metadata = pq.read_metadata(file)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]

    assert [group.num_rows for group in groups] == [2, 2, 2]
    for group in groups:
        for number in range(group.num_columns):
            column = group.column(number)
            assert column.compression == "SNAPPY"
            assert column.is_stats_set
            assert column.statistics.has_min_max or column.statistics.null_count == 2


@pytest.mark.parametrize("compression", ["zstd", "lz4", "uncompressed"])
def test_another_codec_can_be_selected(world: World, compression: Any) -> None:
    """For the whole file, old rows included."""
    world.write(1)
    world.run()
    world.write(2)
    world.run(Settings(compression=compression))

    metadata = pq.read_metadata(io.BytesIO(world.store.data(CHECKPOINT)))
    codecs = {metadata.row_group(0).column(number).compression for number in range(13)}

    assert codecs == {compression.upper()}
    assert world.gears() == ["gear-1", "gear-2"]


def test_the_default_row_group_holds_many_rows(world: World) -> None:
    """A small file has one."""
    world.write(*range(50))
    world.run()

    assert pq.read_metadata(io.BytesIO(world.store.data(CHECKPOINT))).num_row_groups == 1


def test_no_reader_takes_the_other_files_for_data(world: World) -> None:
    """Athena and Spark leave out names that begin with an underscore."""
    world.write(1)
    world.spoil(2)
    world.run()
    world.write(3)
    world.run(mode="rebuild")

    assert {name.partition("/")[0] for name in world.store.files} == {
        CHECKPOINT,
        "_ledger",
        "_previous",
        "_rejects",
    }
