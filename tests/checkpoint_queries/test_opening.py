"""From a checkpoint in its store to the answer to a question."""

from collections.abc import Callable
from datetime import datetime
from itertools import count

import polars as pl
import pytest

from checkpoint_core import StorageError
from checkpoint_format.errors import ChangedWhileReadingError, MissingLedgerError
from checkpoint_format.inspection import open_for_queries
from checkpoint_queries import ask, changes, current_status
from tests.checkpoint_core.foreign import frame, put
from tests.checkpoint_core.memory import Fault, MemoryStore
from tests.checkpoint_core.world import LEDGERS, World, document


def test_a_checkpoint_is_opened_with_its_ledger(world: World) -> None:
    """Both of one commit; the ledger only where it is asked for."""
    world.write(1, 2)
    report = world.run()

    opened = open_for_queries(world.store, world.workdir(), ledger=True)
    without = open_for_queries(world.store, world.workdir(), ledger=False)

    assert opened is not None
    assert opened.metadata.commit_id == report.commit_id
    assert ask("counts", pl.scan_parquet(opened.events), by=()).collect().item() == 2
    assert opened.ledger is not None
    assert ask("lateness", pl.scan_parquet(opened.ledger)).collect()["objects"].sum() == 2
    assert without is not None
    assert without.metadata == opened.metadata
    assert without.ledger is None


@pytest.mark.parametrize("ledger", [True, False])
def test_a_copy_without_its_ledger_is_opened(world: World, *, ledger: bool) -> None:
    """Everything but lateness can be asked."""
    world.write(1)
    world.run()
    for name in world.ledgers():
        world.store.files.pop(f"{LEDGERS}{name}")

    opened = open_for_queries(world.store, world.workdir(), ledger=ledger)

    assert opened is not None
    assert opened.ledger is None
    assert ask("latest", pl.scan_parquet(opened.events)).collect().height == 1


@pytest.mark.parametrize("ledger", [True, False])
def test_where_there_is_no_checkpoint_nothing_is_opened(world: World, *, ledger: bool) -> None:
    """And nothing is made."""
    assert open_for_queries(world.store, world.workdir(), ledger=ledger) is None
    assert world.store.files == {}


@pytest.mark.parametrize("ledger", [True, False])
def test_a_foreign_file_is_refused(world: World, *, ledger: bool) -> None:
    """What is not ours has to be adopted first."""
    put(world, frame(document()))

    with pytest.raises(MissingLedgerError, match="was not written by this software"):
        open_for_queries(world.store, world.workdir(), ledger=ledger)


@pytest.mark.parametrize("ledger", [True, False])
def test_all_that_is_opened_is_of_one_commit(world: World, *, ledger: bool) -> None:
    """Whenever a run replaces the checkpoint: it is the old one, the new one, or an error."""
    world.write(1)
    world.run()
    before = dict(world.store.files)
    world.write(2, 3)
    world.run()
    after = dict(world.store.files)
    rows = []

    for moment in range(8):
        world.store.files = dict(before)
        world.store.before_call = replacing(world.store, after, moment)
        try:
            opened = open_for_queries(world.store, world.workdir(), ledger=ledger)
        except ChangedWhileReadingError:
            rows.append(0)
            continue
        assert opened is not None
        rows.append(opened.metadata.rows)
        assert pl.read_parquet(opened.events).height == opened.metadata.rows
        assert (opened.ledger is not None) == ledger
        if opened.ledger is not None:
            assert pl.read_parquet(opened.ledger)["versions"].sum() == opened.metadata.rows

    assert {*rows} == {0, 1, 3}


def replacing(
    store: MemoryStore, files: dict[str, tuple[bytes, str, datetime]], moment: int
) -> Callable[[str], None]:
    """Return a hook that replaces all files just before so many calls have been made."""
    calls = count()

    def hook(_call: str) -> None:
        if next(calls) == moment:
            store.files = files

    return hook


def test_a_store_that_fails_is_told(world: World) -> None:
    """At each of its calls."""
    world.write(1)
    world.run()

    for ledger, calls in ((True, 3), (False, 3)):
        for number in range(calls):
            world.store.faults = {len(world.store.calls) + number: Fault.BEFORE}
            with pytest.raises(StorageError, match="fails before any effect"):
                open_for_queries(world.store, world.workdir(), ledger=ledger)


def test_a_rewritten_object_shows_what_changed(world: World) -> None:
    """The design's example: the same file and time, with more fields in the second version."""
    world.write(1, module=None, packet=None)
    world.run()
    world.write(1)
    world.write(2, action="pass-qc", timestamp="2024-01-15T10:30:00Z")
    world.run()

    opened = open_for_queries(world.store, world.workdir(), ledger=False)
    assert opened is not None
    events = pl.scan_parquet(opened.events)

    assert changes(events).select("step", "changed").collect().rows() == [
        (2, ["module", "packet"]),
        (3, ["action", "gear_name"]),
    ]
    assert current_status(events).collect().rows() == [(42, "alpha", "pass-qc", "pass-qc", 1)]
