"""Another tool's columns and types: what is adopted, and what is refused."""

import io
from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checkpoint_format.errors import CorruptCheckpointError
from tests.checkpoint_core.foreign import existing, frame, put
from tests.checkpoint_core.world import CHECKPOINT, World, key, multiset


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows,
        lambda rows: rows.with_columns(pl.col("timestamp").dt.replace_time_zone(None)),
        lambda rows: rows.with_columns(pl.col("timestamp").dt.cast_time_unit("ms")),
        lambda rows: rows.with_columns(pl.col("timestamp").dt.cast_time_unit("ns")),
        lambda rows: rows.with_columns(
            pl.col("timestamp").dt.convert_time_zone("America/Los_Angeles")
        ),
        lambda rows: rows.with_columns(
            pl.col("timestamp").dt.replace_time_zone(None).dt.cast_time_unit("ms")
        ),
        lambda rows: rows.with_columns(pl.col("pipeline_adcid").cast(pl.UInt8)),
        lambda rows: rows.with_columns(pl.col("pipeline_adcid").cast(pl.String)),
        lambda rows: rows.with_columns(pl.col("pipeline_adcid").cast(pl.Float64)),
        lambda rows: rows.with_columns(pl.col("visit_date").cast(pl.String)),
        lambda rows: rows.with_columns(pl.col("visit_date").cast(pl.Datetime("ns"))),
        lambda rows: rows.with_columns(
            pl.col("timestamp").dt.convert_time_zone("Asia/Tokyo").dt.to_string("iso:strict")
        ),
        lambda rows: rows.with_columns(
            pl.col("timestamp").dt.replace_time_zone(None).dt.to_string("iso")
        ),
        lambda rows: rows.with_columns(pl.col("action", "study").cast(pl.Categorical)),
        lambda rows: rows.select(sorted(rows.columns)),
        lambda rows: rows.select(reversed(rows.columns)),
        lambda rows: rows.reverse(),
    ],
)
def test_another_tools_rows_are_adopted(
    world: World, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    """Whatever integers, times and order it uses: no row lost, none twice, new ones appended."""
    data = existing(world, 1, 2, 3)
    put(world, change(frame(*data)))
    original = world.store.data(CHECKPOINT)
    world.write(4)

    report = world.run(mode="adopt")

    assert world.rows() == multiset(frame(*data, world.source.objects[key(4)].data))
    assert (report.counts.touched, report.counts.accepted, report.total_events) == (3, 1, 4)
    assert world.metadata()["adopted_rows"] == 0
    assert world.ledger()["versions"].to_list() == [1, 1, 1, 1]
    assert world.store.data("_previous/events/00000001-run0001.parquet") == original
    assert world.problems(source=True) == []
    assert world.run().counts.unchanged == 4


def test_pyarrows_file_is_adopted(world: World) -> None:
    """With its dictionary columns and 64-bit types, as pandas writes them."""
    rows = frame(*existing(world, 1, 2)).to_arrow()
    position = rows.column_names.index("action")
    rows = rows.set_column(position, "action", rows["action"].cast(pa.string()).dictionary_encode())
    target = io.BytesIO()
    pq.write_table(rows, target)
    world.store.write(CHECKPOINT, target.getvalue())

    assert world.run(mode="adopt").counts.touched == 2


@pytest.mark.parametrize(
    "change, problem",
    [
        (lambda rows: rows.drop("packet"), r"\(missing: packet; unknown: none\)"),
        (lambda rows: rows.with_columns(more=1), r"\(missing: none; unknown: column 14 of 14\)"),
        (
            lambda rows: rows.with_columns(naccid=pl.lit("x")),
            r"unknown: column 14 of 14\); event format 1.1 has them",
        ),
        (
            lambda rows: rows.with_columns(**{f"\x1b{n}{'x' * 60}": n for n in range(7)}),
            r"unknown: column 14, 15, 16, 17, 18 and 2 more of 20\)",
        ),
        (lambda rows: rows.rename({"ptid": "PTID"}), r"\(missing: ptid; unknown: column 7 of 13\)"),
        (lambda rows: rows.with_columns(timestamp=None), "without a timestamp|cannot be read"),
        (
            lambda rows: rows.with_columns(timestamp=pl.lit(None, pl.Datetime("us", "UTC"))),
            "without a timestamp",
        ),
        (lambda rows: rows.with_columns(pipeline_adcid=2**31), "cannot be read as events"),
        (lambda rows: rows.with_columns(pipeline_adcid=pl.lit("x")), "cannot be read as events"),
        (lambda rows: rows.with_columns(visit_date=pl.lit("soon")), "cannot be read as events"),
        (lambda rows: rows.with_columns(timestamp=pl.lit("now")), "cannot be read as events"),
        (lambda rows: rows.with_columns(ptid=pl.lit([1])), "cannot be read as events"),
        (lambda rows: rows.with_columns(pipeline_adcid=42.5), "cannot be read as events"),
        (lambda rows: rows.with_columns(pipeline_adcid=True), "pipeline_adcid is Boolean"),
        (lambda rows: rows.with_columns(visit_date=20240115), "visit_date is Int32"),
        (lambda rows: rows.with_columns(timestamp=1705312800), "timestamp is Int32.*YYYY-MM-DDTHH"),
        (lambda rows: rows.with_columns(visit_number=1), "visit_number is Int32.*as text"),
        (
            lambda rows: rows.with_columns(
                visit_date=pl.col("visit_date").cast(pl.Datetime("us")).dt.offset_by("1h")
            ),
            "cannot be read as events",
        ),
    ],
)
def test_rows_that_are_not_events_are_not_adopted(
    world: World, change: Callable[[pl.DataFrame], pl.DataFrame], problem: str
) -> None:
    """Neither guessed at nor cut to fit."""
    put(world, change(frame(*existing(world, 1))))

    with world.untouched(CorruptCheckpointError, problem):
        world.run(mode="adopt")


def test_a_damaged_file_is_not_adopted(world: World) -> None:
    """Its rows cannot be read."""
    put(world, frame(*existing(world, 1)))
    data = world.store.data(CHECKPOINT)
    for damaged in (b"", data[:-1], data[50:]):
        world.store.write(CHECKPOINT, damaged)
        with world.untouched(CorruptCheckpointError):
            world.run(mode="adopt")
