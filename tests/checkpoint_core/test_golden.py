"""Checkpoints that earlier versions wrote are readable, and continued from, for ever.

The files of a layout never change once they are committed. For a new layout, add a folder:
`python -m tests.checkpoint_core.test_golden layout-2` writes what the present version writes,
and refuses to overwrite.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from checkpoint_core import LAYOUT_VERSION, LEDGER_SCHEMA, Settings
from checkpoint_format.inspection import describe, open_for_queries
from nacc_event_model import EventFormat
from tests.checkpoint_core.oracle import Oracle
from tests.checkpoint_core.world import CHECKPOINT, World, document, key, named, row, scratch

GOLDEN = Path(__file__).parents[1] / "golden" / "checkpoint"
LAYOUTS = sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir())
ADDED = document(gear_name="added", timestamp="2024-01-15T10:30:00Z")


def a_history() -> World:
    """Make a small synthetic history: commits, rejects of each kind, an adopted object, a removal."""
    with scratch() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("checkpoint_format.ledger._FULL_BY_DELTA", 1)
        world = World(folder)
        world.clock.current = datetime(2026, 11, 1, tzinfo=UTC)
        source = world.source
        source.write(key(1), document(gear_name="first", visit_date="2024-01-14"))
        source.write(key(2), document(gear_name="nulls", module=None, packet=None))
        source.write(key(3), document(gear_name="\U0001f600 é", timestamp="1969-12-31T23:59:59Z"))
        archived = document(gear_name="archived")
        source.write(named(archived), archived)
        source.write(key(5), document(ptid="lower"))
        source.write(key(6), document(project_label="sandbox-form"))
        source.write(key(10), document(gear_name="removed", ptid="900001"))
        world.run()
        world.lose_ledgers()
        source.outcomes = {named(archived): "archived"}
        world.run(mode="adopt")
        source.outcomes = {key(7): "denied", key(8): "archived"}
        source.write(key(1), document(gear_name="rewritten"))
        source.write(key(7), document(gear_name="denied"))
        source.write(key(8), document(gear_name="archived, late"))
        source.write(key(9), document(project_label="sandbox-form"))
        world.run(SETTINGS)
        source.write(key(11), document(gear_name="overwritten", ptid="0900001"))
        world.run(SETTINGS)
        source.write(key(11), document(gear_name="of another participant"))
        world.run(SETTINGS)
        world.remove((42, "900001"), settings=SETTINGS)
        world.write(12)
        world.run(SETTINGS)
        return world


SETTINGS = Settings(exclude_projects=("sandbox-*",), row_group_rows=2)


def write_golden(folder: Path) -> None:
    """Write a history's files, its objects, and what is to be found in them."""
    world = a_history()
    folder.mkdir(parents=True)
    for name, (data, *_) in world.store.files.items():
        file = folder / "store" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    described = {
        "objects": {
            content.key: {
                "content": content.data.decode(),
                "etag": content.etag,
                "last_modified": content.last_modified.isoformat(),
                "outcome": world.source.outcomes.get(content.key),
            }
            for content in world.source.objects.values()
        },
        "rows": [
            json.loads(json.dumps(values, default=str)) for values in world.store.rows().rows()
        ],
        "rejects": {name: outcome for name, (outcome, _) in world.reasons().items()},
    }
    text = json.dumps(described, indent=1, ensure_ascii=False)
    (folder / "expected.json").write_text(f"{text}\n", encoding="utf-8")


@pytest.fixture(params=LAYOUTS)
def golden(request: pytest.FixtureRequest, world: World) -> tuple[World, dict[str, object]]:
    """Give a world as an earlier version left it, and what is to be found in it."""
    folder = GOLDEN / request.param
    for file in filter(Path.is_file, (folder / "store").rglob("*")):
        name = file.relative_to(folder / "store").as_posix()
        world.store.write(name, file.read_bytes())
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for name, each in expected["objects"].items():
        world.source.write(
            name, each["content"].encode(), datetime.fromisoformat(each["last_modified"])
        )
        etagged = world.source.objects[name]
        world.source.objects[name] = type(etagged)(
            key=name, data=etagged.data, etag=each["etag"], last_modified=etagged.last_modified
        )
        if each["outcome"]:
            world.source.outcomes[name] = each["outcome"]
    world.clock.current = datetime(2026, 11, 2, tzinfo=UTC)
    world.runs = 100
    return world, expected


def test_there_is_a_golden_checkpoint_of_every_layout() -> None:
    """A layout is not to be forgotten."""
    assert LAYOUTS == [f"layout-{number}" for number in range(1, LAYOUT_VERSION + 1)]


def test_an_old_checkpoint_is_sound(golden: tuple[World, dict[str, object]]) -> None:
    """Its rows are the ones that it was made with, and every object is accounted for."""
    world, expected = golden

    rows = [json.loads(json.dumps(values, default=str)) for values in world.store.rows().rows()]

    assert rows == expected["rows"]
    assert {name: outcome for name, (outcome, _) in world.reasons().items()} == expected["rejects"]
    assert world.problems(SETTINGS) == []
    description = describe(world.store, world.workdir())
    assert description is not None
    assert description.metadata.rows == len(rows)
    # Its ledger has the columns of today; what it did not know is null.
    opened = open_for_queries(world.store, world.workdir(), ledger=True)
    assert opened is not None
    assert opened.ledger is not None
    assert pl.read_parquet_schema(opened.ledger) == LEDGER_SCHEMA


def test_an_old_checkpoint_has_nothing_new(golden: tuple[World, dict[str, object]]) -> None:
    """Digests and etags mean today what they meant then: no object gives a row again."""
    world, _ = golden
    rows = world.rows()
    for content in list(world.source.objects.values()):
        if content.key not in world.source.outcomes:
            world.source.touch(content.key)
    adopted = world.ledger().filter(state="adopted")["key"].to_list()
    for name in adopted:
        world.source.outcomes[name] = "archived"

    report = world.run(SETTINGS)

    assert world.rows() == rows
    assert report.counts.accepted == 0
    assert report.counts.touched == world.ledger().height - len(adopted)


def test_an_old_checkpoint_is_continued_from(golden: tuple[World, dict[str, object]]) -> None:
    """Unread objects stay unread; new, rewritten and released ones come in."""
    world, _ = golden
    before = world.rows()
    oracle = Oracle(world)
    world.source.write(key(20), ADDED)
    world.source.write(key(2), document(gear_name="no more nulls"))
    world.source.outcomes.clear()

    report = world.run(SETTINGS, list_restores=True)

    new = [ADDED, *(world.source.objects[key(number)].data for number in (2, 7, 8))]
    assert world.rows() - before == {row(data): 1 for data in new}
    assert before <= world.rows()
    assert report.counts.accepted == 4
    oracle.check()
    assert world.problems(SETTINGS, source=True) == []


def test_an_old_checkpoint_is_upgraded_to_format_1_1(
    golden: tuple[World, dict[str, object]],
) -> None:
    """All its objects are read again once, whether it knew their rows' format or not.

    A reject of format 1.0 that 1.1 accepts comes in.
    """
    world, _ = golden
    settings = Settings(event_format=EventFormat.V1_1, exclude_projects=SETTINGS.exclude_projects)
    before = world.rows()
    held = set(world.ledger().filter(state="accepted")["key"])
    world.source.answers.clear()

    report = world.run(settings)

    assert held <= set(world.source.reads)
    assert before <= world.rows()
    assert (report.counts.upgraded, report.awaiting_upgrade, report.counts.accepted) == (0, 0, 1)
    assert world.store.rows().filter(ptid="lower").height == 1
    assert world.problems(settings) == []
    assert report.counts.unchanged == world.ledger().height - report.counts.accepted
    world.source.answers.clear()
    world.run(settings)
    assert held.isdisjoint(world.source.reads)


def test_a_participant_leaves_an_old_checkpoint(golden: tuple[World, dict[str, object]]) -> None:
    """Also where it does not know which rows were adopted, or under which formats rows were taken."""
    world, _ = golden
    world.remove((42, "110001"), settings=SETTINGS)

    assert world.rows().total() == 0
    assert world.problems(SETTINGS) == []
    assert world.run(SETTINGS).counts.accepted == 0


def test_the_present_version_writes_what_the_golden_files_hold(tmp_path: Path) -> None:
    """If it wrote something else, the layout would be another one, and need its own folder."""
    write_golden(tmp_path / "golden")
    latest = GOLDEN / LAYOUTS[-1]

    written = sorted(file.relative_to(tmp_path / "golden") for file in tmp_path.rglob("*"))
    assert written[1:] == sorted(file.relative_to(latest) for file in latest.rglob("*"))
    assert json.loads((tmp_path / "golden" / "expected.json").read_text("utf-8")) == json.loads(
        (latest / "expected.json").read_text("utf-8")
    )
    assert (latest / "store" / CHECKPOINT).is_file()


if __name__ == "__main__":
    write_golden(GOLDEN / sys.argv[1])
