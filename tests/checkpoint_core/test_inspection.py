"""Looking at a checkpoint without changing it."""

import io
from collections.abc import Callable

import polars as pl
import pytest

from checkpoint_core import CheckpointError, Settings, StorageError
from checkpoint_core.inspection import describe, verify
from nacc_event_model import EventFormat
from tests.checkpoint_core.memory import Fault
from tests.checkpoint_core.world import CHECKPOINT, LEDGERS, SETTINGS, World, document, key, named


def test_a_checkpoint_is_described(world: World) -> None:
    """What it holds by center and action, and what it lacks."""
    world.write(1, 2)
    world.write(3, action="pass-qc")
    world.write(4, center_label="beta")
    world.source.write(key(5), b"{}")
    world.source.write(key(6), b"{}")
    world.write(7)
    world.source.outcomes[key(7)] = "denied"
    report = world.run()

    description = describe(world.store, world.workdir())

    assert description is not None
    assert description.events.rows() == [
        ("alpha", "pass-qc", 1),
        ("alpha", "submit", 2),
        ("beta", "submit", 1),
    ]
    assert description.rejects == {"invalid": 2, "denied": 1}
    assert (description.objects, description.size_bytes) == (4, report.size_bytes)
    assert description.metadata.commit_id == report.commit_id
    assert description.metadata.event_format is EventFormat.V1_0


def test_without_a_checkpoint_there_is_nothing_to_describe(world: World) -> None:
    """And nothing to verify."""
    checks = verify(world.store, world.source, SETTINGS, world.workdir())

    assert describe(world.store, world.workdir()) is None
    assert [(check.name, check.passed, check.detail) for check in checks] == [
        ("pair", False, "there is no checkpoint")
    ]


def test_looking_changes_nothing(world: World) -> None:
    """No put, no delete, and no object is read."""
    world.write(1)
    world.run()
    writes = world.writes()
    world.source.answers.clear()

    describe(world.store, world.workdir())
    verify(world.store, world.source, SETTINGS, world.workdir())

    assert world.writes() == writes
    assert world.source.reads == []


def test_a_sound_checkpoint_passes_every_check(world: World) -> None:
    """And each check says what it found."""
    world.write(1, 2)
    world.source.write(key(3), b"{}")
    world.source.write("readme.txt", b"")
    world.write(4)
    world.source.outcomes[key(4)] = "unreadable"
    world.run()

    checks = verify(world.store, world.source, SETTINGS, world.workdir())

    assert [(check.name, check.passed, check.detail) for check in checks] == [
        ("pair", True, "commit 00000001-run0001, its ledger accounts for 2 objects"),
        ("digests", True, "every byte of checkpoint and ledger is as it was committed"),
        ("rows", True, "2 rows of event format 1.0, sorted by timestamp"),
        ("content", True, "every page of every column can be read"),
        ("ledger", True, "2 objects, each with a row of its time, center and participant"),
        (
            "source",
            True,
            "4 objects: 2 in the ledger, 2 in the rejects, 1 not named like events".replace(
                "4 objects", "5 objects"
            ),
        ),
    ]


def test_what_waits_for_the_next_run_is_found(world: World) -> None:
    """New objects and changed ones."""
    world.write(1, 2)
    world.run()
    world.write(3)
    world.source.touch(key(1))

    assert world.problems() == []
    assert world.problems(source=True) == [
        "source: 2 of 3 objects are neither in the ledger nor in the rejects as they are now; the next run looks at them"
    ]


def test_an_empty_listing_does_not_account_for_a_ledger(world: World) -> None:
    """Nothing is missing from nothing, so it has to be asked for."""
    world.write(1, 2)
    world.run()
    for number in (1, 2):
        world.source.objects.pop(key(number))

    assert world.problems() == []
    assert world.problems(source=True) == [
        "source: no objects are listed, although the ledger knows 2; the source is another one, or they were removed"
    ]


def test_rejects_that_other_settings_would_try_again_do_not_wait(world: World) -> None:
    """They are accounted for until that run."""
    world.source.write(key(1), document(EventFormat.V1_1, ptid="a-1"))
    world.write(2)
    world.run()

    assert world.problems(Settings(event_format=EventFormat.V1_1), source=True) == []


def replace_checkpoint(
    world: World,
    rows: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows,
    ledger: Callable[[pl.DataFrame], pl.DataFrame] = lambda ledger: ledger,
) -> None:
    """Change rows and ledger by hand, and keep what they say about themselves."""
    for name, change in (
        (CHECKPOINT, rows),
        (f"{LEDGERS}{world.metadata()['commit_id']}.parquet", ledger),
    ):
        data = world.store.data(name)
        pairs = {"nacc.checkpoint": pl.read_parquet_metadata(data)["nacc.checkpoint"]}
        target = io.BytesIO()
        change(pl.read_parquet(data)).write_parquet(target, metadata=pairs)
        world.store.write(name, target.getvalue())
    world.lose_digests()


@pytest.mark.parametrize(
    "rows, problem",
    [
        (lambda rows: rows.head(1), "rows: it has 1 rows and says 2"),
        (
            lambda rows: rows.with_columns(pl.col("timestamp").dt.offset_by("1s")),
            "rows: its first and last timestamps are not those that it says",
        ),
        (lambda rows: rows.reverse(), "rows: its rows are not sorted by timestamp"),
        (
            lambda rows: rows.with_columns(ptid=pl.lit("OTHER")),
            "ledger: 2 objects of the ledger have no row in the checkpoint",
        ),
    ],
)
def test_rows_that_were_changed_are_found(
    world: World, rows: Callable[[pl.DataFrame], pl.DataFrame], problem: str
) -> None:
    """By what the metadata or the ledger says of them."""
    world.write(1, timestamp="2024-01-15T10:00:00Z")
    world.write(2, timestamp="2024-01-15T11:00:00Z")
    world.run()
    replace_checkpoint(world, rows=rows)

    assert problem in world.problems()


@pytest.mark.parametrize(
    "ledger",
    [
        lambda ledger: ledger.reverse(),
        lambda ledger: ledger.with_columns(key=pl.lit("same")),
    ],
)
def test_a_ledger_out_of_order_is_found(
    world: World, ledger: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    """Each key once, sorted."""
    world.write(1, 2)
    world.run()
    replace_checkpoint(world, ledger=ledger)

    assert "ledger: the ledger's keys are not sorted, or not each there once" in world.problems()


def test_adopted_objects_need_no_row_of_their_own(world: World) -> None:
    """It is not known which of the rows is theirs."""
    name = named(document())
    world.source.write(name, document())
    world.run()
    for ledger in [each for each in world.store.files if each.startswith(LEDGERS)]:
        del world.store.files[ledger]
    world.source.outcomes[name] = "archived"
    world.run(mode="adopt")

    assert world.ledger()["state"].to_list() == ["adopted"]
    assert world.problems(source=True) == []


def test_a_pair_that_does_not_load_is_found(world: World) -> None:
    """Later checks are left out."""
    world.write(1)
    world.run()
    world.store.write(CHECKPOINT, b"damaged")
    checks = verify(world.store, None, SETTINGS, world.workdir())

    assert [(check.name, check.passed) for check in checks] == [("pair", False)]
    assert "is not a whole Parquet file" in checks[0].detail
    with pytest.raises(CheckpointError):
        describe(world.store, world.workdir())


def test_a_checkpoint_that_is_replaced_meanwhile_cannot_be_verified(world: World) -> None:
    """What was loaded is no longer there; that says nothing about its soundness."""
    world.write(1)
    world.run()
    world.store.before_call = lambda call: (
        world.store.write(CHECKPOINT, world.store.data(CHECKPOINT))
        if call == f"fetch {CHECKPOINT}"
        else None
    )
    with pytest.raises(StorageError):
        world.problems()
    world.store.before_call = lambda call: (
        world.store.files.pop(CHECKPOINT) if call == f"fetch {CHECKPOINT}" else None
    )
    with pytest.raises(StorageError, match="it was removed meanwhile"):
        world.problems()


def test_a_failing_store_is_no_finding(world: World) -> None:
    """It raises."""
    world.write(1)
    world.run()
    for number in range(3):
        world.store.faults = {len(world.store.calls) + number: Fault.BEFORE}
        with pytest.raises(StorageError):
            world.problems()


def test_a_damaged_checkpoint_cannot_be_described(world: World) -> None:
    """The error is one of ours, and says where."""
    world.write(1, 2)
    world.run()
    data = bytearray(world.store.data(CHECKPOINT))
    data[4:600] = b"\xff" * 596
    world.store.write(CHECKPOINT, bytes(data))

    with pytest.raises(CheckpointError, match=r"events\.parquet"):
        describe(world.store, world.workdir())


def test_a_pair_that_keeps_changing_is_given_up_on(world: World) -> None:
    """Other runs are at work; nobody waits for ever."""
    world.write(1)
    world.run()

    def replace_and_remove(call: str) -> None:
        if call.startswith(f"fetch {LEDGERS}"):
            world.store.write(CHECKPOINT, world.store.data(CHECKPOINT))
            for name in [name for name in world.store.files if name.startswith(LEDGERS)]:
                del world.store.files[name]

    world.store.before_call = replace_and_remove

    with pytest.raises(StorageError, match="it keeps being replaced"):
        world.problems()


def test_a_checkpoint_that_is_replaced_while_it_is_loaded_is_loaded_again(world: World) -> None:
    """Its ledger may be gone by then, with the pair that it belonged to."""
    world.write(1)
    world.run()
    other = world.copy()
    other.write(2)
    other.run()
    newer = other.store.files
    old = [name for name in world.store.files if name.startswith(LEDGERS)]

    def replace(call: str) -> None:
        if call == f"fetch {old[0]}":
            world.store.files = {name: newer[name] for name in newer if name not in old}

    world.store.before_call = replace

    assert world.problems() == []
