"""Names that are not those of event objects: all are kept, with what is wrong with them."""

import polars as pl

from checkpoint_core import Settings
from checkpoint_format.inspection import describe, hints_of, open_rejects
from nacc_event_model import EventFormat
from tests.checkpoint_core.world import REJECTS, V11, World, document, key


def unrecognized(world: World) -> pl.DataFrame:
    """Return the names that the last run did not recognize."""
    opened = open_rejects(world.store, world.workdir())
    assert opened is not None
    return opened.unrecognized


def test_all_are_kept_and_only_those_of_the_last_run(world: World) -> None:
    """They are no rejects, and are counted apart."""
    world.write(1)
    world.spoil(2)
    for number in range(30):
        world.source.write(f"{number:02}.txt", b"")
    first = world.run(Settings(listed_failures=5))
    world.source.delete("03.txt")
    second = world.run()

    assert (first.counts.unrecognized, len(first.unrecognized_examples), first.rejects) == (
        30,
        5,
        1,
    )
    assert second.counts.unrecognized == 29
    assert sorted(world.unrecognized()) == [f"{n:02}.txt" for n in range(30) if n != 3]
    assert set(world.unrecognized().values()) == {"its name does not end in .json"}
    assert world.rejects()["key"].to_list() == [key(2)]
    description = describe(world.store, world.workdir())
    assert description is not None
    assert description.rejects == {"invalid": 1}


def test_they_are_written_only_when_they_have_changed(world: World) -> None:
    """A name that stays keeps the time that it was first seen; its content makes no difference."""
    world.write(1)
    world.source.write("notes.txt", b"a")
    started = world.run().started_at
    writes = len(world.writes())
    world.source.write("notes.txt", b"b")
    world.run()
    assert world.writes()[writes:] == []
    world.source.write("more.txt", b"")
    later = world.run().started_at

    assert [call.split(" ")[1] for call in world.writes()[writes:]] == [REJECTS]
    kept = unrecognized(world)
    assert kept.select("key", "first_seen").rows() == [("more.txt", later), ("notes.txt", started)]


def test_they_get_in_by_themselves_under_the_format_that_knows_them(world: World) -> None:
    """The older format says which it is, in the reasons and in a line of the report."""
    name = key(1, action="duplicate-submit")
    world.source.write(name, document(EventFormat.V1_1, action="duplicate-submit"))
    world.source.write(key(2), document(visit_number=None))
    before = world.run()
    told = hints_of(unrecognized(world))
    again = world.run()

    after = world.run(V11)

    how = "--event-format 1.1, or EVENT_FORMAT=1.1"
    recognizes = f"recognizes 1 of the unrecognized names: {how}"
    assert before.hints == (f"event format 1.1 would take 1 of the rejects and {recognizes}",)
    assert told == (f"event format 1.1 {recognizes}",)
    assert again.hints == before.hints
    assert (after.counts.accepted, after.hints, world.unrecognized()) == (2, (), {})


def test_a_checkpoints_own_files_are_not_kept(world: World) -> None:
    """Inside the source they are counted, but what a run writes must not be news to the next."""
    world.write(1)
    for name in ("out/events.parquet", "out/_ledger/events/1.parquet", "_rejects/events.parquet"):
        world.source.write(name, b"")
    world.source.write("out/other.parquet", b"")

    assert world.run().counts.unrecognized == 4
    assert list(world.unrecognized()) == ["out/other.parquet"]


def test_a_dry_run_keeps_none(world: World) -> None:
    """It tells of them, and writes nothing: there are no rejects to look at either."""
    world.source.write("notes.txt", b"")

    assert world.run(dry_run=True).unrecognized_examples == ("notes.txt",)
    assert world.unrecognized() == {}
    assert open_rejects(world.store, world.workdir()) is None
