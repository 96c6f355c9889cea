"""Verifying: that checkpoint, ledger and source agree, and what is found where they do not."""

from collections.abc import Callable

import polars as pl
import pytest

from checkpoint_core import CheckpointError, Settings, StorageError
from checkpoint_core.verifying import verify
from checkpoint_format.inspection import describe
from nacc_event_model import EventFormat
from tests.checkpoint_core.memory import Fault
from tests.checkpoint_core.world import CHECKPOINT, LEDGERS, REJECTS, SETTINGS, World, document, key


def test_a_sound_checkpoint_passes_every_check(world: World) -> None:
    """And each check says what it found; looking writes nothing, and reads no object."""
    world.write(1, 2)
    world.spoil(3)
    world.source.write("readme.txt", b"")
    world.write(4)
    world.source.outcomes[key(4)] = "unreadable"
    world.run()
    writes = world.writes()
    world.source.answers.clear()

    checks = verify(world.store, world.source, SETTINGS, world.workdir())
    describe(world.store, world.workdir())

    assert [(check.name, check.passed, check.detail) for check in checks] == [
        ("pair", True, "commit 00000001-run0001, its ledger accounts for 2 objects"),
        ("digests", True, "every byte of checkpoint and ledger is as it was committed"),
        ("rows", True, "2 rows of event format 1.0, sorted by timestamp"),
        ("content", True, "every page of every column can be read"),
        ("ledger", True, "2 objects, each with a row of its time, center and participant"),
        (
            "source",
            True,
            "5 objects: 2 in the ledger, 2 in the rejects, 1 not named like events",
        ),
    ]
    assert (world.writes(), world.source.reads) == (writes, [])


@pytest.mark.parametrize(
    "change, problem",
    [
        (
            lambda world: world.store.write(REJECTS, b"damaged"),
            "the rejects file is damaged; the next run makes it anew",
        ),
        (
            # A new object and a changed one.
            lambda world: (world.write(4), world.source.touch(key(1))),
            "2 of 4 objects are neither in the ledger nor in the rejects as they are now; the next run looks at them",
        ),
        (
            # Nothing is missing from nothing, so it has to be asked for.
            lambda world: world.source.objects.clear(),
            "no objects are listed, although the ledger knows 2; the source is another one, or they were removed",
        ),
    ],
)
def test_what_does_not_agree_with_the_source_is_found(
    world: World, change: Callable[[World], None], problem: str
) -> None:
    """By the check that asks the source, and by no other."""
    world.write(1, 2)
    world.spoil(3)
    world.run()
    change(world)

    assert world.problems() == []
    assert world.problems(source=True) == [f"source: {problem}"]


def test_rejects_that_other_settings_would_try_again_do_not_wait(world: World) -> None:
    """They are accounted for until that run."""
    world.source.write(key(1), document(EventFormat.V1_1, ptid="a-1"))
    world.write(2)
    world.run()

    assert world.problems(Settings(event_format=EventFormat.V1_1), source=True) == []


@pytest.mark.parametrize(
    "file, change, problem",
    [
        ("checkpoint", lambda rows: rows.head(1), "rows: it has 1 rows and says 2"),
        (
            "checkpoint",
            lambda rows: rows.with_columns(pl.col("timestamp").dt.offset_by("1s")),
            "rows: its first and last timestamps are not those that it says",
        ),
        (
            "checkpoint",
            lambda rows: rows.reverse(),
            "rows: its rows are not sorted by timestamp",
        ),
        (
            "checkpoint",
            lambda rows: rows.with_columns(ptid=pl.lit("OTHER")),
            "ledger: 2 objects of the ledger have no row in the checkpoint",
        ),
        (
            "ledger",
            lambda ledger: ledger.reverse(),
            "ledger: the ledger's keys are not sorted, or not each there once",
        ),
        (
            "ledger",
            lambda ledger: ledger.with_columns(key=pl.lit("same")),
            "ledger: the ledger's keys are not sorted, or not each there once",
        ),
    ],
)
def test_what_was_changed_by_hand_is_found(
    world: World, file: str, change: Callable[[pl.DataFrame], pl.DataFrame], problem: str
) -> None:
    """By what the metadata says of the rows, or the ledger; each key is there once, sorted."""
    world.write(1, timestamp="2024-01-15T10:00:00Z")
    world.write(2, timestamp="2024-01-15T11:00:00Z")
    world.run()
    world.rewrite(CHECKPOINT if file == "checkpoint" else LEDGERS + world.ledger_name(), change)
    world.lose_digests()

    assert problem in world.problems()


def test_a_pair_that_does_not_load_is_found(world: World) -> None:
    """Later checks are left out."""
    world.commit_each(1)
    world.store.write(CHECKPOINT, b"damaged")
    checks = verify(world.store, None, SETTINGS, world.workdir())

    assert [(check.name, check.passed) for check in checks] == [("pair", False)]
    assert "is not a whole Parquet file" in checks[0].detail
    with pytest.raises(CheckpointError):
        describe(world.store, world.workdir())


def test_a_failing_store_is_no_finding(world: World) -> None:
    """It raises; so does a checkpoint that is replaced or removed between load and fetch."""
    world.commit_each(1)
    for number in range(3):
        world.store.faults = {len(world.store.calls) + number: Fault.BEFORE}
        with pytest.raises(StorageError):
            world.problems()

    data = world.store.data(CHECKPOINT)
    world.before(f"fetch {CHECKPOINT}", lambda: world.store.write(CHECKPOINT, data))
    with pytest.raises(StorageError):
        world.problems()
    world.before(f"fetch {CHECKPOINT}", lambda: world.store.files.pop(CHECKPOINT))
    with pytest.raises(StorageError, match="it was removed meanwhile"):
        world.problems()


def test_a_pair_that_keeps_changing_is_given_up_on(world: World) -> None:
    """Other runs are at work; nobody waits for ever."""
    world.commit_each(1)

    def replace_and_remove(call: str) -> None:
        if call.startswith(f"fetch {LEDGERS}"):
            world.store.write(CHECKPOINT, world.store.data(CHECKPOINT))
            world.lose_ledgers()

    world.store.before_call = replace_and_remove

    with pytest.raises(StorageError, match="it keeps being replaced"):
        world.problems()
