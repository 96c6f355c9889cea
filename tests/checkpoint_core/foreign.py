"""Checkpoints as another tool writes them: rows, and nothing about where they came from."""

import io

import polars as pl

from tests.checkpoint_core.world import (
    CHECKPOINT,
    World,
    key,
    row,
)

COLUMNS = [
    "action",
    "study",
    "pipeline_adcid",
    "project_label",
    "center_label",
    "gear_name",
    "ptid",
    "visit_date",
    "visit_number",
    "datatype",
    "module",
    "packet",
    "timestamp",
]


def frame(*documents: bytes) -> pl.DataFrame:
    """Return events as another tool may have them: its own order and types."""
    schema = dict.fromkeys(COLUMNS, pl.String()) | {
        "pipeline_adcid": pl.Int64(),
        "visit_date": pl.Date(),
        "timestamp": pl.Datetime("us", "UTC"),
    }
    return pl.DataFrame([row(data) for data in documents], schema=schema, orient="row")


def put(world: World, rows: pl.DataFrame) -> None:
    """Put rows there as the checkpoint of another tool."""
    target = io.BytesIO()
    rows.write_parquet(target)
    world.store.write(CHECKPOINT, target.getvalue())


def existing(world: World, *numbers: int) -> list[bytes]:
    """Write these events, and return them."""
    world.write(*numbers)
    return [world.source.objects[key(number)].data for number in numbers]
