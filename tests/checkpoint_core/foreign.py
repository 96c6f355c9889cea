"""Checkpoints as other tools write them: rows, and nothing about where they came from."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import polars as pl

from checkpoint_core import RunReport, Settings
from checkpoint_core.settings import ForeignFile
from nacc_event_model import EventFormat, decode
from tests.checkpoint_core.world import CHECKPOINT, World, document, key, named, parquet, row

WITHOUT_SANDBOX = Settings(event_format=EventFormat.V1_1, exclude_projects=("sandbox-*",))
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
    world.store.write(CHECKPOINT, parquet(rows))


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


def event(**changed: Any) -> bytes:
    """Return the usual event of format 1.1, with some fields changed."""
    return document(EventFormat.V1_1, **changed)


def name_of(data: bytes) -> str:
    """Return the name that producers give to an event's object."""
    return named(data, EventFormat.V1_1)


def frames_of(documents: Sequence[bytes]) -> list[pl.DataFrame]:
    """Return each of these events as the other system has it, in a file of its own."""
    return [each for data in documents for each in in_use([data]).values()]


def put_files(world: World, frames: Sequence[pl.DataFrame]) -> tuple[ForeignFile, ...]:
    """Write the files of another system somewhere, and return what a run is given."""
    files = []
    for number, rows in enumerate(frames):
        path = world.workdir() / f"{number}.parquet"
        rows.write_parquet(path)
        files.append(ForeignFile(location=f"/other/{number}.parquet", path=path))
    return tuple(files)


def adopt(world: World, frames: Sequence[pl.DataFrame]) -> RunReport:
    """Adopt such files into a new checkpoint; without any, there is nothing to take over."""
    if not frames:
        return world.run(WITHOUT_SANDBOX)
    files = put_files(world, frames)
    return world.run(WITHOUT_SANDBOX, mode="adopt", adopt_from=files, accept_empty_source=True)


def adopt_unread(world: World) -> None:
    """Adopt two rows, whose objects are archived under odd names."""
    documents = [event(gear_name=f"gear-{number}", packet=" I ") for number in range(2)]
    for number, data in enumerate(documents):
        world.source.write(f"{number}/{name_of(data)}".replace("ingest", "renamed"), data)
    world.source.outcomes = dict.fromkeys(world.source.objects, "archived")
    adopt(world, frames_of(documents))
