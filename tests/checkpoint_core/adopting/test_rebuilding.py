"""Making a checkpoint anew from its source alone."""

from collections.abc import Callable

import pytest

from checkpoint_core import Settings
from checkpoint_core.errors import CommitConflictError, EmptySourceError, WouldLoseRowsError
from checkpoint_format.errors import ChangedWhileReadingError
from nacc_event_model import EventFormat
from tests.checkpoint_core.world import CHECKPOINT, SANDBOX, SETTINGS, V11, World, document, key


def test_a_rebuild_that_loses_nothing_needs_no_leave(world: World) -> None:
    """New objects come in, rejects are judged again, and the replaced file is kept."""
    world.write(1, 2)
    world.spoil(3)
    world.run()
    replaced = world.store.data(CHECKPOINT)
    world.write(4)

    report = world.run(mode="rebuild")

    assert world.gears() == ["gear-1", "gear-2", "gear-4"]
    assert (report.counts.accepted, report.counts.invalid, report.listed) == (3, 1, 4)
    assert report.commit_id == "00000002-run0002"
    assert world.store.data("_previous/events/00000002-run0002.parquet") == replaced
    assert world.problems(source=True) == []
    assert world.run().counts.unchanged == 3


@pytest.mark.parametrize(
    "change, settings",
    [
        (lambda world: world.source.delete(key(1)), SETTINGS),
        # Only the newest version is still there.
        (lambda world: world.write(1, module="FTLD"), SETTINGS),
        (lambda world: world.source.outcomes.update({key(1): "archived"}), SETTINGS),
        (lambda world: world.spoil(1), SETTINGS),
        # Its project is excluded now.
        (lambda _world: None, SANDBOX),
    ],
)
def test_a_rebuild_that_would_lose_rows_says_how_many(
    world: World, change: Callable[[World], None], settings: Settings
) -> None:
    """And changes nothing, unless the loss is accepted."""
    world.write(1, project_label="sandbox-form")
    world.write(2)
    world.run()
    change(world)
    with world.untouched(WouldLoseRowsError, "would lose 1 rows") as raised:
        world.run(settings, mode="rebuild")
    assert raised.value.rows == 1

    world.run(settings, mode="rebuild", allow_loss=True)

    assert "gear-2" in world.gears()
    assert world.metadata()["rows"] == world.store.rows().height
    assert world.problems(settings, source=True) == []


@pytest.mark.parametrize("data", [b"", b"damaged", None])
def test_what_cannot_be_read_might_be_lost(world: World, data: bytes | None) -> None:
    """A damaged checkpoint, or one that is gone while its ledgers are there."""
    world.commit_each(1, 2)
    if data is None:
        del world.store.files[CHECKPOINT]
    else:
        world.store.write(CHECKPOINT, data)
    with pytest.raises(WouldLoseRowsError, match="may lose rows") as raised:
        world.run(mode="rebuild")
    assert raised.value.rows is None

    report = world.run(mode="rebuild", allow_loss=True)

    assert report.commit_id is not None
    assert report.commit_id.startswith("00000003-")
    assert world.gears() == ["gear-1", "gear-2"]
    assert [name for name in world.store.files if "_previous" in name] == (
        [] if data is None else [f"_previous/events/{report.commit_id}.parquet"]
    )


def test_a_rebuild_may_be_the_first_run(world: World) -> None:
    """There is nothing to lose, and nothing to keep."""
    empty = world.run(mode="rebuild")
    world.write(1)
    first = world.run(mode="rebuild")

    assert (empty.checkpoint, empty.commit_id) == (None, None)
    assert (first.total_events, first.incremental) == (1, False)
    assert not [name for name in world.store.files if "_previous" in name]


def test_a_rebuild_may_leave_no_rows(world: World) -> None:
    """If that is wanted, twice over."""
    world.commit_each(1)
    world.source.delete(key(1))
    with pytest.raises(EmptySourceError):
        world.run(mode="rebuild", allow_loss=True)

    report = world.run(mode="rebuild", allow_loss=True, accept_empty_source=True)

    assert (report.total_events, report.first_timestamp, report.last_timestamp) == (0, None, None)
    assert world.store.rows().height == 0
    assert world.problems() == []
    world.write(2)
    assert world.run().total_events == 1


def test_a_rebuild_in_format_1_1_compares_what_both_have(world: World) -> None:
    """A row that has gained a value in a new column is not lost."""
    world.source.write(key(1), document(EventFormat.V1_1))
    world.run()

    report = world.run(V11, mode="rebuild")

    assert report.total_events == 1
    assert world.store.rows()["naccid"].to_list() == ["NACC000001"]


@pytest.mark.parametrize("mode", ["adopt", "rebuild"])
def test_a_rewrite_does_not_begin_again_after_a_lost_race(world: World, mode: str) -> None:
    """Somebody else is at work: the file that was read is no longer the one that is there."""
    world.commit_each(1)
    if mode == "adopt":
        world.lose_ledgers()
    other = world.store.data(CHECKPOINT)
    world.before("put_if", lambda: world.store.write(CHECKPOINT, other))

    with pytest.raises(CommitConflictError, match="during each of 1 attempts"):
        world.run(mode=mode)

    assert world.store.data(CHECKPOINT) == other


def test_a_checkpoint_that_is_removed_while_it_is_rebuilt_is_not_forgotten(world: World) -> None:
    """It was there a moment ago, so this is no first run."""
    world.commit_each(1)
    world.before(f"fetch {CHECKPOINT}", lambda: world.store.files.pop(CHECKPOINT))

    with pytest.raises(ChangedWhileReadingError, match="it was removed meanwhile"):
        world.run(mode="rebuild")

    assert CHECKPOINT not in world.store.files


def test_a_rebuild_spares_the_ledger_of_what_it_replaced(world: World) -> None:
    """So that the kept file can be put back, however old it is."""
    world.commit_each(1)
    world.clock.current = world.clock.current.replace(year=2030)

    world.run(Settings(ledger_retention_days=0), mode="rebuild")

    assert world.ledgers() == ["00000001-run0001.parquet", "00000002-run0002.parquet"]
