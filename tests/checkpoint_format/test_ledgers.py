"""Full ledgers and deltas, how many of them are kept, and what a checkpoint says of its ancestors."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checkpoint_core import Settings
from checkpoint_format import digests, ledger
from checkpoint_format.errors import MissingLedgerError
from checkpoint_format.inspection import describe, open_for_queries
from checkpoint_format.layout import LINEAGE_LENGTH
from tests.checkpoint_core.memory import Fault
from tests.checkpoint_core.oracle import Oracle
from tests.checkpoint_core.watching import Watcher
from tests.checkpoint_core.world import CHECKPOINT, LEDGERS, World, key

FIRST = "00000001-run0001"


@pytest.fixture
def large(world: World) -> World:
    """Give a world whose ledger has as many objects as it takes for deltas of two rows."""
    world.write(*range(32))
    world.run()
    return world


def test_a_commit_that_changes_little_writes_only_that(large: World) -> None:
    """And what others changed since the full ledger; the rows of both make the whole."""
    large.write(1, gear_name="second")
    large.run()
    first, first_rows = large.ledgers(), large.store.data(LEDGERS + large.ledger_name())
    large.write(1, gear_name="third")
    large.commit_each(40)
    second_rows = large.store.data(LEDGERS + large.ledger_name())

    assert first == [f"{FIRST}.parquet", f"00000002-run0002.upon.{FIRST}.parquet"]
    assert pl.read_parquet(first_rows)["key"].to_list() == [key(1)]
    assert large.ledger_name() == f"00000003-run0003.upon.{FIRST}.parquet"
    assert pl.read_parquet(second_rows)["key"].to_list() == [key(1), key(40)]
    assert large.ledger().height == 33
    assert large.ledger().filter(key=key(1))["versions"].to_list() == [3]
    assert large.problems(source=True) == []


def test_a_full_ledger_is_read_whole_once_a_run(
    large: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To commit upon it, its content need neither be counted nor digested again."""
    read: list[str] = []
    for module, name in ((ledger, "count"), (digests, "digest_of")):
        monkeypatch.setattr(module, name, noting(getattr(module, name), read))

    large.commit_each(40)

    full = f"ledger-{FIRST}.parquet"
    assert read.count(full) == 2
    assert sorted(set(read)) == [
        "checkpoint-00000002-run0002.parquet",
        full,
        "ledger-00000002-run0002.parquet",
        "previous-0.parquet",
    ]
    assert large.problems(source=True) == []


def noting(function: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
    """Return the function, which notes the name of each file that it is given."""

    def noted(file: Path, *given: object) -> object:
        names.append(file.name)
        return function(file, *given)

    return noted


def test_deltas_do_not_add_up(large: World) -> None:
    """As soon as one is not small any more, the next ledger is a full one."""
    upon = []
    for number in range(40, 48):
        large.commit_each(number)
        upon.append(large.metadata()["full_ledger"])

    fourth, seventh = "00000004-run0004", "00000007-run0007"
    assert upon == [FIRST, FIRST, None, fourth, fourth, None, seventh, seventh]
    assert large.ledger().height == 40
    assert large.problems(source=True) == []


def test_what_is_loaded_is_noted(large: World) -> None:
    """The sizes of the full ledger and the delta together; they have to fit the disk."""
    large.commit_each(40)
    watcher = Watcher()

    large.run(host=large.host(observer=watcher))

    full, delta = (len(large.store.data(LEDGERS + name)) for name in large.ledgers())
    assert any(f"ledger_bytes={full + delta}" in each.split() for each in watcher.told)


def test_after_a_lost_race_only_what_is_new_is_fetched_and_kept(large: World) -> None:
    """The full ledger is here already; the ledger of what did not take place is removed."""
    large.commit_each(40)
    large.write(41)
    before = len(large.store.calls)

    large.before("put_if", large.run)
    large.run()

    assert large.rows().total() == 34
    # Once by each of them.
    assert large.store.calls[before:].count(f"fetch {LEDGERS}{FIRST}.parquet") == 2
    assert [name[:16] for name in large.ledgers()] == [
        FIRST, "00000002-run0002", "00000003-run0004"
    ]  # fmt: skip
    assert [each.partition(".")[0] for each in large.digests()] == [
        each.partition(".")[0] for each in large.ledgers()
    ]
    assert large.problems(source=True) == []


def test_of_a_delta_everything_can_be_asked(large: World) -> None:
    """As of a full ledger: how many objects, and every row of it in one file."""
    large.write(1, gear_name="second")
    large.commit_each(40)

    description = describe(large.store, large.workdir())
    opened = open_for_queries(large.store, large.workdir(), ledger=True)

    assert description is not None
    assert description.objects == 33
    assert opened is not None
    assert opened.ledger is not None
    assert pl.read_parquet(opened.ledger).equals(large.ledger())


def test_a_full_ledger_stays_as_long_as_a_delta_upon_it(large: World) -> None:
    """However old it is: without it, the delta says nothing."""
    settings = Settings(ledger_retention_days=30)
    for number in (40, 41, 42, 43):
        large.clock.current += timedelta(days=20)
        large.write(number)
        large.run(settings)
        kept = large.generations()
        assert kept == {40: [1, 2], 41: [1, 2, 3], 42: [1, 3, 4], 43: [4, 5]}[number]
    for number in (44, 45):
        large.clock.current += timedelta(days=40)
        large.write(number)
        large.run(settings)

    assert large.generations() == [4, 6, 7]
    assert large.problems(source=True) == []


def test_an_earlier_version_of_the_checkpoint_finds_its_ledgers(large: World) -> None:
    """Restored from the bucket's versions, after the ledger has become a full one again."""
    oracle = Oracle(large)
    large.write(1, gear_name="second")
    large.run()
    earlier = large.store.data(CHECKPOINT)
    large.commit_each(40, 41, 42)
    oracle.check_complete()
    large.store.on_commit = lambda *_: None
    large.store.write(CHECKPOINT, earlier)

    assert large.problems() == []
    assert large.run().counts.accepted == 3
    assert large.problems(source=True) == []


@pytest.mark.parametrize("which", ["full", "delta"])
def test_a_ledger_of_which_a_part_is_gone_is_missing(large: World, which: str) -> None:
    """The message names the file; adopting makes a full one again."""
    large.commit_each(40)
    name = f"{FIRST}.parquet" if which == "full" else large.ledger_name()
    del large.store.files[LEDGERS + name]

    with pytest.raises(MissingLedgerError, match=f"its ledger, {LEDGERS}{name}, is gone"):
        large.run()
    large.run(mode="adopt")

    assert large.metadata()["full_ledger"] is None
    assert large.rows().total() == 33
    assert large.problems(source=True) == []


def test_a_delta_that_only_says_the_wrong_numbers_is_found_out(large: World) -> None:
    """By whoever reads every key of both files, not by each run."""
    large.write(1, gear_name="second")
    large.run()
    large.rewrite(LEDGERS + large.ledger_name(), superseded_objects=0, objects=33)
    large.lose_digests()

    assert "ledger: the ledger's keys are not sorted, or not each there once" in large.problems()


def test_deleting_old_ledgers_spares_those_that_are_needed(world: World) -> None:
    """The one in force, its predecessor, and everything younger than the retention."""
    for number in range(5):
        world.commit_each(number)
        world.clock.current = world.clock.current.replace(day=number * 5 + 2)
    world.clock.current = world.clock.current.replace(month=11, day=10)
    world.write(9)
    world.run(Settings(ledger_retention_days=30))
    thirty = world.generations()
    world.write(10)
    world.clock.current = world.clock.current.replace(month=12)
    world.run(Settings(ledger_retention_days=0))

    assert thirty == [4, 5, 6]
    assert world.generations() == [6, 7]
    assert world.problems() == []


def test_only_ledgers_of_this_checkpoint_are_deleted(world: World) -> None:
    """Whatever else lies in the folder, or beside it."""
    world.write(1)
    world.run()
    others = ["_ledger/events/readme.txt", "_ledger/other/00000001-x.parquet", "_ledger/events2/a"]
    for name in others:
        world.store.write(name, b"")
    world.clock.current = world.clock.current.replace(year=2030)
    world.write(2)

    world.run(Settings(ledger_retention_days=0))

    assert set(others) <= set(world.store.files)


def test_old_ledgers_that_cannot_be_deleted_do_not_fail_the_run(world: World) -> None:
    """The commit took place; the next run deletes them."""
    world.commit_each(*range(4))
    world.clock.current = world.clock.current.replace(year=2030)
    world.write(9)
    world.disturb("delete", Fault.BEFORE)

    report = world.run()

    assert report.total_events == 5
    assert report.warnings == (
        (
            "old ledgers could not be deleted: delete _ledger/events/00000001-run0001.parquet "
            "fails before any effect"
        ),
    )


def test_the_lineage_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last few dozen commits, which is more than can be in doubt; here the last three."""
    assert LINEAGE_LENGTH == 48
    monkeypatch.setattr("checkpoint_core._committing.preparation.LINEAGE_LENGTH", 3)
    world.commit_each(*range(5))
    metadata = world.metadata()

    assert metadata["generation"] == 5
    assert metadata["lineage"] == [f"0000000{number}-run000{number}" for number in (3, 4, 5)]
    assert metadata["commit_id"] == metadata["lineage"][-1]
