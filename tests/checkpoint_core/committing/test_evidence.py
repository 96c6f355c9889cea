"""Evidence that expires is not evidence: what may be concluded from absence, and what may not."""

from datetime import timedelta

import pytest
from msgspec import structs

from checkpoint_core import Settings
from checkpoint_core.errors import CommitOutcomeUnknownError
from checkpoint_format.errors import MissingCheckpointError
from tests.checkpoint_core.memory import CrashError, Fault
from tests.checkpoint_core.world import CHECKPOINT, LEDGERS, REJECTS, World, document, key

_LINEAGE = 6
"""Shorter than it is, which takes less time."""
NO_RETENTION = Settings(ledger_retention_days=0)


@pytest.mark.parametrize(
    "fault, others, is_settled",
    [
        (Fault.AFTER, _LINEAGE - 1, True),
        (Fault.AFTER, _LINEAGE, False),
        (Fault.BEFORE, _LINEAGE, True),
        (Fault.BEFORE, _LINEAGE + 1, False),
    ],
)
def test_a_lineage_that_does_not_reach_back_settles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, *, fault: Fault, others: int, is_settled: bool
) -> None:
    """The answer to our commit is lost, and others commit until the lineage has forgotten it.

    While it reaches back to our generation, the run knows; afterwards it says that it does not, and
    leaves its ledger: that may be in force, or below the delta that is.
    """
    monkeypatch.setattr("checkpoint_core._committing.preparation.LINEAGE_LENGTH", _LINEAGE)
    world.commit_each(1)
    world.write(2)

    def lose_the_answer() -> None:
        world.store.faults = {len(world.store.calls) - 1: fault}
        world.before("read_tail", lambda: world.commit_each(*range(100, 100 + others)))

    world.before("put_if", lose_the_answer)

    if is_settled:
        world.run()
    else:
        with pytest.raises(CommitOutcomeUnknownError, match="00000002-run0002"):
            world.run()
        assert "00000002-run0002.parquet" in world.ledgers()
        assert "00000002-run0002.json" in world.digests()
    world.run()

    assert world.rows().total() == others + 2
    assert world.problems(source=True) == []


@pytest.mark.parametrize("retention_days", [0, 30])
def test_tidying_up_spares_what_a_rival_has_written_and_not_yet_committed(
    world: World, retention_days: float
) -> None:
    """However old it looks, and whatever the clocks say."""
    world.commit_each(1, 2, 3)
    rival = f"{LEDGERS}00000005-rival"
    names = {f"{rival}.parquet", f"{rival}.upon.00000004-run0004.parquet", f"{rival}.json"}
    for name in names:
        old = world.clock.current - timedelta(days=400)
        world.store.write(name, b"", last_modified=old)
    world.write(4)

    world.run(Settings(ledger_retention_days=retention_days))

    assert names <= world.store.files.keys()


def test_tidying_up_goes_by_what_is_in_force_then(world: World) -> None:
    """A rival commits upon ours before we tidy up, and somebody puts an earlier version back."""
    world.commit_each(1, 2, 3)
    earlier = world.store.data(CHECKPOINT)
    world.write(4)
    world.run(Settings())
    world.write(5)
    world.before("list_files", lambda: world.store.write(CHECKPOINT, earlier))

    world.run(NO_RETENTION)

    assert world.generations() == [2, 3, 4, 5]
    assert world.run().total_events == 5
    assert world.problems(source=True) == []


@pytest.mark.parametrize("left", [b"damaged", None])
def test_tidying_up_beside_a_checkpoint_that_cannot_be_read_deletes_nothing(
    world: World, left: bytes | None
) -> None:
    """It may be put back, and nobody knows which version."""
    world.commit_each(1, 2, 3)
    world.write(4)

    world.before(
        "list_files",
        lambda: (
            world.store.files.pop(CHECKPOINT)
            if left is None
            else world.store.write(CHECKPOINT, left)
        ),
    )
    ledgers = world.ledgers()

    world.run(NO_RETENTION)

    assert world.ledgers() == [*ledgers, "00000004-run0004.parquet"]


def test_how_old_a_ledger_is_goes_by_the_store_where_our_clock_is_ahead(world: World) -> None:
    """A machine whose clock is a year ahead deletes nothing that is young."""
    world.commit_each(1, 2, 3)
    world.write(4)
    host = world.host()
    ahead = structs.replace(host, now=lambda: world.clock.now() + timedelta(days=365))

    world.run(host=ahead)

    assert len(world.ledgers()) == 4


def test_raising_the_size_limit_lets_in_what_was_too_large(world: World) -> None:
    """And nothing else is read again; nor is anything when it is lowered."""
    small, large = document(), document(gear_name="g" * 300)
    limit = len(small)
    world.source.write(key(1), small)
    world.source.write(key(2), large)
    world.spoil(3)
    first = world.run(Settings(max_object_size_bytes=limit))
    world.source.answers.clear()
    still = world.run(Settings(max_object_size_bytes=limit + 1))
    lower = world.run(Settings(max_object_size_bytes=1))
    assert world.source.reads == []

    raised = world.run(Settings(max_object_size_bytes=len(large)))

    assert (first.counts.accepted, first.counts.invalid) == (1, 2)
    assert (still.counts.rejected_before, lower.counts.rejected_before) == (2, 2)
    assert world.source.reads == [key(2)]
    assert (raised.counts.accepted, raised.counts.rejected_before, raised.rejects) == (1, 1, 1)


def test_a_checkpoint_that_is_gone_after_its_first_commit_is_told(world: World) -> None:
    """It may have been removed, or never been there: the run says what it saw, and goes on."""
    world.write(1, 2)
    world.run()
    del world.store.files[CHECKPOINT]

    first = world.run()
    second = world.run()

    [warning] = first.warnings
    assert "there was no checkpoint, but the ledger of a first commit" in warning
    assert "If it was removed, restore it" in warning
    assert (first.counts.accepted, second.counts.unchanged, second.warnings) == (2, 2, ())


def test_a_first_run_that_was_interrupted_is_no_obstacle(world: World) -> None:
    """Nor is one that was made by a rebuild, as often as it happens: there never was a checkpoint."""
    world.write(1)
    for mode in ("incremental", "rebuild", "rebuild", "incremental"):
        world.disturb("put_if", Fault.CRASH_BEFORE)
        with pytest.raises(CrashError):
            world.run(mode=mode)
    assert len(world.ledgers()) == 4

    report = world.run()

    assert (report.counts.accepted, world.metadata()["generation"]) == (1, 1)
    assert world.problems(source=True) == []


def test_a_checkpoint_that_is_gone_after_later_commits_is_refused(world: World) -> None:
    """Only upon a checkpoint is a second generation written; it may not have been committed."""
    world.commit_each(1)
    world.write(2)
    world.disturb("put_if", Fault.CRASH_BEFORE)
    with pytest.raises(CrashError):
        world.run()
    del world.store.files[CHECKPOINT]

    with pytest.raises(
        MissingCheckpointError, match=r"there was one, of generation 2 or the one before.*--rebuild"
    ):
        world.run()


def test_rejects_that_say_a_time_to_come_do_not_keep_restored_objects_out(world: World) -> None:
    """Restore states are asked for, as if they never had been."""
    world.write(1)
    world.source.outcomes[key(1)] = "archived"
    world.clock.current += timedelta(days=800)
    world.run(list_restores=True)
    world.clock.current -= timedelta(days=800)
    world.source.outcomes.clear()

    assert world.run().counts.accepted == 1
    assert REJECTS in world.store.files


@pytest.mark.parametrize("unique", ["", "a/b", "a b", "\u00e9", "x" * 91, "a\n"])
def test_a_run_whose_id_nobody_could_read_writes_nothing(world: World, unique: str) -> None:
    """What a commit is named must be understood by the next load."""
    world.write(1)
    host = structs.replace(world.host(), new_id=lambda: unique)

    with world.untouched(ValueError, "no /"):
        world.run(host=host)


@pytest.mark.parametrize("mode", ["incremental", "rebuild"])
def test_files_that_are_no_ledgers_are_not_taken_for_some(world: World, mode: str) -> None:
    """Whatever lies in the folder; from an absurd generation a rebuild would count on."""
    odd = ["readme.txt", "-1.parquet", "x-1.parquet", "²-1.parquet", ".parquet"]
    for name in [*odd, f"{'9' * 18}-x.parquet", f"{'9' * 500}-x.parquet"]:
        world.store.write(f"{LEDGERS}{name}", b"")
    world.write(1)

    assert world.run(mode=mode).total_events == 1
    assert world.run().counts.unchanged == 1
