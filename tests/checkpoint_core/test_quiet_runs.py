"""Runs that have nothing to write, or must not write."""

import pytest

from checkpoint_core.errors import EmptySourceError, FormatDowngradeError, SourceChangedError
from nacc_event_model import EventFormat
from tests.checkpoint_core.scenarios import SCENARIOS, Prepared
from tests.checkpoint_core.world import V11, World, document, key


def test_a_run_with_nothing_new_writes_nothing(world: World) -> None:
    """No put, no delete; and no object is read."""
    world.write(1, 2)
    first = world.run()
    assert world.rejects().is_empty()
    calls = len(world.store.calls)

    second = world.run()

    assert [call.split(" ")[0] for call in world.store.calls[calls:]] == [
        "read_tail",
        "fetch",
        "fetch",
        "read_tail",
        "fetch",
    ]
    assert (second.counts.unchanged, second.counts.accepted, second.commit_id) == (2, 0, None)
    assert (second.total_events, second.size_bytes) == (2, first.size_bytes)
    assert second.last_timestamp == first.last_timestamp
    assert second.checkpoint == world.store.location


def test_no_checkpoint_is_made_of_nothing(world: World) -> None:
    """Neither of an empty source nor of bad objects only."""
    empty = world.run()
    world.spoil(1)
    bad = world.run()

    assert (empty.listed, empty.checkpoint, empty.total_events) == (0, None, 0)
    assert (bad.counts.invalid, bad.checkpoint, bad.size_bytes) == (1, None, 0)
    assert list(world.store.files) == ["_rejects/events.parquet"]


def test_touching_renews_the_etag_and_adds_no_row(world: World) -> None:
    """So the object is not read again the next time."""
    world.write(1, 2)
    world.run()
    world.source.touch(key(1))
    report = world.run()
    entry = world.ledger().row(0, named=True)
    world.run()

    assert (report.counts.touched, report.total_events) == (1, 2)
    assert report.commit_id == "00000002-run0002"
    assert (entry["etag"], entry["versions"], entry["commit_id"]) == ("e3", 1, "00000001-run0001")
    assert entry["last_modified"] == world.source.objects[key(1)].last_modified
    assert world.source.reads.count(key(1)) == 2


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_dry_run_says_what_a_run_would_do(prepared: Prepared, name: str) -> None:
    """And writes nothing, whatever kind of run it is."""
    world, scenario = prepared.before(name), SCENARIOS[name]
    _, expected = prepared.after(name)

    report = world.run(scenario.settings, dry_run=True, **scenario.request)

    assert world.writes() == []
    assert (report.dry_run, report.commit_id) == (True, None)
    for what in ("counts", "total_events", "rejects", "awaiting_upgrade", "listed"):
        assert getattr(report, what) == getattr(expected, what)


def test_objects_under_other_names_are_not_taken_twice(world: World) -> None:
    """Their source was moved by a folder: accepting the change alone would double every row."""
    world.write(1, 2)
    world.run()
    moved = World(world.folder)
    moved.store.files = dict(world.store.files)
    moved.source = type(moved.source)(moved.clock, "memory://elsewhere")
    for number in (1, 2, 3):
        moved.source.write(key(number, prefix="prod/"), document(gear_name=f"gear-{number}"))

    with pytest.raises(
        SourceChangedError, match="other names there, and every row would be taken twice"
    ):
        moved.run(accept_source_change=True)
    report = moved.run(mode="adopt", accept_source_change=True)

    assert (report.counts.touched, report.counts.accepted, report.total_events) == (2, 1, 3)
    assert moved.problems(source=True) == []
    assert moved.run().counts.unchanged == 3


def test_an_empty_listing_is_refused_unless_it_is_accepted(world: World) -> None:
    """A mistyped prefix looks like this; the rows stay in any case."""
    world.commit_each(1)
    world.source.delete(key(1))
    with pytest.raises(EmptySourceError, match=r"no objects, although the ledger knows 1"):
        world.run()

    report = world.run(accept_empty_source=True)

    assert (report.listed, report.total_events, report.commit_id) == (0, 1, None)


@pytest.mark.parametrize("mode", ["incremental", "adopt", "rebuild"])
def test_a_checkpoint_is_bound_to_its_format_and_its_source(world: World, mode: str) -> None:
    """An older format would drop columns; another source has to be accepted, also without news.

    Then the checkpoint belongs to it. Both hold without the ledger, of what it says about itself.
    """
    world.source.write(key(1), document(EventFormat.V1_1))
    world.run(V11)
    if mode == "adopt":
        world.lose_ledgers()
    with world.untouched(FormatDowngradeError, r"Run with event format 1\.1") as raised:
        world.run(mode=mode)
    assert (raised.value.current, raised.value.wanted) == ("1.1", "1.0")
    world.source.location = "memory://moved"
    with world.untouched(SourceChangedError, "belongs to memory://events, not to memory://m"):
        world.run(V11, mode=mode)
    assert world.source.listings == [False]

    report = world.run(V11, mode=mode, accept_source_change=True)

    assert report.commit_id is not None
    assert (report.total_events, world.metadata()["source"]) == (1, "memory://moved")
    assert world.run(V11).commit_id is None
