"""How many ledgers are kept, and what a checkpoint says of its ancestors."""

from checkpoint_core import Settings
from tests.checkpoint_core.memory import Fault
from tests.checkpoint_core.world import CHECKPOINT, World


def test_deleting_old_ledgers_spares_those_that_are_needed(world: World) -> None:
    """The one in force, its predecessor, and everything younger than the retention."""
    for number in range(5):
        world.write(number)
        world.run()
        world.clock.current = world.clock.current.replace(day=number * 5 + 2)
    world.clock.current = world.clock.current.replace(month=11, day=10)
    world.write(9)
    world.run(Settings(ledger_retention_days=30))
    thirty = [int(name.partition("-")[0]) for name in world.ledgers()]
    world.write(10)
    world.clock.current = world.clock.current.replace(month=12)
    world.run(Settings(ledger_retention_days=0))

    assert thirty == [4, 5, 6]
    assert [int(name.partition("-")[0]) for name in world.ledgers()] == [6, 7]
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
    for number in range(4):
        world.write(number)
        world.run()
    world.clock.current = world.clock.current.replace(year=2030)
    world.write(9)
    world.store.before_call = lambda call: (
        world.store.faults.update({len(world.store.calls) - 1: Fault.BEFORE})
        if call.startswith("delete")
        else None
    )

    report = world.run()

    assert report.total_events == 5
    assert report.warnings == (
        (
            "old ledgers could not be deleted: delete _ledger/events/00000001-run0001.parquet "
            "fails before any effect"
        ),
    )


def test_the_lineage_is_bounded(world: World) -> None:
    """The last few dozen commits, which is more than can be in doubt."""
    for number in range(50):
        world.write(number)
        world.run()
    metadata = world.metadata()

    assert metadata["generation"] == 50
    assert len(metadata["lineage"]) == 48
    assert metadata["lineage"][-1] == metadata["commit_id"] == "00000050-run0050"
    assert CHECKPOINT in world.store.files
