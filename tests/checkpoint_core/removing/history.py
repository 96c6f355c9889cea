"""A checkpoint with everything that may hold a participant, and where to look for them."""

import io
from collections.abc import Iterator
from typing import Final

import polars as pl

from checkpoint_core import Settings
from checkpoint_queries.exports import read_exports, update_exports
from nacc_event_model import EventFormat
from tests.checkpoint_core.world import V11, World, document, named

PTID: Final = "900001"
NACCID: Final = "NACC900009"
GONE: Final = (42, PTID)
MARKS: Final = (PTID, NACCID, "gear-of-theirs")
"""Texts that stand in rows and names of the participant, and nowhere else."""
SETTINGS: Final = Settings(event_format=EventFormat.V1_1, exclude_projects=("sandbox-*",))
EXPORTS: Final = (
    {"name": "all", "kind": "events", "path": "{study}/{datatype}/events.parquet"},
    {"name": "submissions", "kind": "submissions", "path": "submissions.parquet"},
)


def theirs(second: int, /, **changed: object) -> bytes:
    """Return an event of the participant."""
    given = {
        "ptid": PTID,
        "naccid": NACCID,
        "gear_name": "gear-of-theirs",
        "timestamp": f"2024-01-15T10:00:{second:02d}Z",
    }
    return document(EventFormat.V1_1, **(given | changed))


def others(second: int, /, **changed: object) -> bytes:
    """Return an event of somebody else."""
    given = {"gear_name": f"gear-{second}", "timestamp": f"2024-02-15T10:00:{second:02d}Z"}
    return document(EventFormat.V1_1, **(given | changed))


def put(world: World, *contents: bytes) -> list[str]:
    """Write events under the names that producers give them; return the names."""
    keys = [named(content, EventFormat.V1_1) for content in contents]
    for key, content in zip(keys, contents, strict=True):
        world.source.write(key, content)
    return keys


def before_a_removal(world: World) -> None:
    """Rows, rejects, an adopted row, an unrecognized name, exports, older versions of all."""
    world.store.is_versioned = True
    put(world, others(1), others(2), theirs(1), theirs(2, ptid=f"0{PTID}"))
    (archived,) = put(world, theirs(3))
    world.run(V11)
    world.lose_ledgers()
    world.source.outcomes[archived] = "archived"
    world.run(V11, mode="adopt")
    spoiled, rewritten = put(world, theirs(4), others(5))
    world.source.write(spoiled, b"{")
    put(world, theirs(6, project_label="sandbox-form"), theirs(7), others(8))
    world.source.write(f"log-new-action-20240115-100000-42-ingest-form-{PTID}-01.json", b"{}")
    # Under a name that is somebody else's.
    world.source.write(rewritten, theirs(9))
    world.run(SETTINGS)
    export(world)
    world.source.write(rewritten, others(10))
    put(world, others(11))
    world.run(SETTINGS)
    export(world)


def export(world: World) -> None:
    """Bring the exports up to date."""
    definitions = read_exports(list(EXPORTS), checkpoint="events.parquet")
    results = update_exports(
        world.store, definitions, settings=SETTINGS, host=world.host(), only_these=True
    )
    assert {each.state for each in results} <= {"made", "current"}


def files_with(world: World, marks: tuple[str, ...] = MARKS) -> set[str]:
    """Return the names of files, of now or of before, any byte or value of which has a mark."""
    contents = [(name, data) for name, (data, *_) in world.store.files.items()]
    contents += [(f"{name} of before", data) for (name, _), data in world.store.versions.items()]
    return {
        name
        for name, data in contents
        if any(mark in text for text in (name, *_texts(data)) for mark in marks)
    }


def _texts(data: bytes) -> Iterator[str]:
    """Yield the bytes as text and, of Parquet, every value of every column."""
    yield data.decode("latin-1")
    if data[:4] == b"PAR1":
        for column in pl.read_parquet(io.BytesIO(data)).iter_columns():
            yield "\n".join(map(str, column.to_list()))
