"""What is told and kept between a removal and the next run, and what a purge finds of others."""

import pytest

from checkpoint_core import StorageError
from checkpoint_core.removal import purge
from checkpoint_format.inspection import describe, open_rejects
from checkpoint_queries.exports import read_exports, update_exports
from tests.checkpoint_core.memory import CrashError, Fault
from tests.checkpoint_core.removing.history import (
    GONE,
    PTID,
    SETTINGS,
    export,
    files_with,
    others,
    put,
    theirs,
)
from tests.checkpoint_core.world import CHECKPOINT, REJECTS, World, parquet

pytestmark = pytest.mark.usefixtures("deltas")


def test_an_object_that_is_somebody_elses_by_now_is_not_theirs_to_delete(world: World) -> None:
    """It has their name; what the ledger has of it is told apart, and its row stays."""
    overwritten, own = put(world, theirs(1), theirs(2))
    world.run(SETTINGS)
    world.source.write(overwritten, others(1))
    world.run(SETTINGS)

    removal = world.remove(GONE, settings=SETTINGS, source=world.source)

    assert removal.holdings.objects == (own,)
    assert removal.holdings.overwritten == (overwritten,)
    assert world.gears() == ["gear-1"]
    assert world.problems(SETTINGS, source=True) == []


@pytest.mark.parametrize("fault", [None, Fault.BEFORE])
def test_rejects_that_are_written_just_after_a_removal_name_nobody(
    world: World, fault: Fault | None
) -> None:
    """By a run that has nothing to commit, and so does not notice; where it fails, the next does."""
    put(world, others(1))
    world.run(SETTINGS)
    (broken,) = put(world, theirs(2))
    world.source.write(broken, b"{")

    def act() -> None:
        world.remove(GONE, settings=SETTINGS)
        if fault:
            world.disturb("read_tail _withheld", fault)

    world.before(f"put {REJECTS}", act)
    report = world.run(SETTINGS)

    assert any("rejects could not be written" in each for each in report.warnings) == bool(fault)
    assert (REJECTS in files_with(world)) == bool(fault)
    world.run(SETTINGS)
    assert REJECTS not in files_with(world)


def test_a_version_that_was_restored_is_shown_without_them(full: World) -> None:
    """Before any run has been there; numbers, times and rejects are of what is left."""
    older, rejects = full.store.data(CHECKPOINT), full.store.data(REJECTS)
    full.remove(GONE, settings=SETTINGS)
    expected = describe(full.store, full.workdir())
    full.store.write(CHECKPOINT, older)
    full.store.write(REJECTS, rejects)

    shown = describe(full.store, full.workdir())
    opened = open_rejects(full.store, full.workdir())

    assert shown is not None
    assert expected is not None
    assert opened is not None
    for name in ("rows", "first_timestamp", "last_timestamp"):
        assert getattr(shown.metadata, name) == getattr(expected.metadata, name)
    assert shown.metadata.adopted_rows <= shown.metadata.rows
    assert shown.events.equals(expected.events)
    assert (shown.objects, shown.rejects) == (expected.objects, expected.rejects)
    assert PTID not in repr((opened.rows["key"].to_list(), opened.unrecognized["key"].to_list()))


def test_a_removal_that_was_interrupted_is_shown_as_done(full: World) -> None:
    """The list alone decides what is shown."""
    full.disturb(f"put_if {CHECKPOINT}", Fault.CRASH_BEFORE)
    with pytest.raises(CrashError):
        full.remove(GONE, settings=SETTINGS)

    shown = describe(full.store, full.workdir())

    assert shown is not None
    assert shown.events["events"].sum() == shown.metadata.rows == full.rows().total() - 5


def test_a_purge_takes_what_runs_on_clusters_have_left(full: World) -> None:
    """Files of killed runs from before the commit, and what is kept of those that were deleted."""
    rows = parquet(full.store.rows())
    full.store.write("_work/events.parquet/run-accepted-1.parquet", rows)
    full.store.delete("_work/events.parquet/run-accepted-1.parquet")
    full.store.write("_work/events.parquet/killed-accepted-1.parquet", rows)
    full.store.write("_work/events.parquet/folder.lock", b"")
    full.remove(GONE, settings=SETTINGS)

    done = purge(full.store, host=full.host(), dry_run=False)

    assert (done.staged, done.left) == (1, 0)
    assert files_with(full) == set()
    assert "_work/events.parquet/folder.lock" in full.store.files


def test_a_purge_spares_what_another_checkpoint_exports_to_the_same_folder(full: World) -> None:
    """And whatever else has such a name: what it says now tells whose it was. Not what is gone."""
    name, other = "../together/{study}.parquet", "../together/other.parquet"
    definitions = read_exports([{"name": "all", "kind": "events", "path": name}], checkpoint="e.p")
    update_exports(full.store, definitions, settings=SETTINGS, host=full.host(), only_these=True)
    for each in (other, "../together/gone.parquet"):
        full.store.write(each, parquet(full.store.rows()))
        full.store.write(each, parquet(full.store.rows()))
    full.store.delete("../together/gone.parquet")
    full.remove(GONE, settings=SETTINGS)

    purge(full.store, host=full.host(), dry_run=False)

    assert {each for each, _ in full.store.versions if each.startswith("../together")} == {other}


def test_nobody_is_taken_out_where_it_is_not_known_what_was_exported(full: World) -> None:
    """Files that nobody finds would go on to hold them."""
    full.store.write("_exports/events.json", b"damaged")
    with full.untouched(StorageError, "is damaged, so it is not known what has been exported"):
        full.remove(GONE, settings=SETTINGS)
    export(full)
    full.remove(GONE, settings=SETTINGS)

    assert not {name for name in files_with(full) if name[0] != "_" and "before" not in name}
