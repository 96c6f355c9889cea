"""Checkpoints as another tool writes them: rows, and nothing about where they came from."""

import io
from collections.abc import Iterable
from typing import Any

import msgspec
import polars as pl

from nacc_event_model import EventFormat, decode
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


ORDER = [
    "action", "study", "pipeline_adcid", "project_label", "center_label", "gear_name", "ptid",
    "naccid", "visit_date", "visit_number", "datatype", "module", "packet", "modality", "timestamp",
]  # fmt: skip
"""The columns of the system in use, in its order."""
_IDENTITY = ("action", "ptid", "visit_date", "timestamp", "datatype", "module", "pipeline_adcid")


def in_use(documents: Iterable[bytes]) -> dict[tuple[str, str], pl.DataFrame]:
    """Return the files that the system in use makes of these objects, by study and datatype.

    It takes four actions, plain participants and no practice projects, trims texts, writes dates as
    text, and of events that are equal in what identifies them keeps the last one.
    """
    kept: dict[tuple[object, ...], dict[str, Any]] = {}
    for data in documents:
        event = msgspec.structs.asdict(decode(data, event_format=EventFormat.V1_1))
        values = {
            name: value.strip() if isinstance(value, str) else value
            for name, value in event.items()
        }
        is_known = values["action"] != "duplicate-submit" and values["ptid"].isalnum()
        if is_known and not values["project_label"].startswith("sandbox-"):
            values["visit_date"] = str(values["visit_date"])
            kept[tuple(values[name] for name in _IDENTITY)] = values
    schema = dict.fromkeys(ORDER, pl.String()) | {
        "pipeline_adcid": pl.Int64(),
        "timestamp": pl.Datetime("us", "UTC"),
    }
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for values in kept.values():
        groups.setdefault((values["study"], values["datatype"]), []).append(values)
    return {
        group: pl.DataFrame(rows, schema=schema).select(ORDER).sort("timestamp")
        for group, rows in groups.items()
    }
