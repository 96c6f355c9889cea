"""Digests: no byte of a pair can change without being found, before anything is built on it."""

from collections.abc import Iterator
from hashlib import blake2b

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_core import CheckpointError, Settings
from checkpoint_core.errors import WouldLoseRowsError
from checkpoint_format.errors import CorruptCheckpointError
from checkpoint_format.inspection import describe, open_for_queries
from tests.checkpoint_core.scenarios import before_a_run_over_files_of_each_kind
from tests.checkpoint_core.world import CHECKPOINT, LEDGERS, REJECTS, World, key, scratch

FIRST, SECOND = "00000001-run0001", "00000002-run0002"
DIGESTS = f"{LEDGERS}{SECOND}.json"


@pytest.fixture
def delta(world: World, deltas: None) -> World:
    """Give a world whose ledger is a delta upon a full one; another object waits."""
    before_a_run_over_files_of_each_kind(world)
    return world


@pytest.fixture(scope="module")
def small(deltas: None) -> Iterator[World]:
    """Give the same to a property, which copies it."""
    with scratch() as folder:
        world = World(folder)
        before_a_run_over_files_of_each_kind(world)
        yield world


def flip(world: World, name: str, place: int, bits: int = 1) -> None:
    """Change some bits of one byte of a file."""
    data = bytearray(world.store.data(name))
    data[place] ^= bits
    world.store.write(name, bytes(data))


@given(data=st.data())
def test_a_flipped_bit_is_found_before_anything_is_built_on_it(
    small: World, data: st.DataObject
) -> None:
    """In the checkpoint, the full ledger or the delta: the run fails and changes nothing.

    In what may be lost, the digests and the rejects, a warning is all that comes of it.
    """
    world = small.copy()
    old = f"{LEDGERS}{FIRST}.json"
    name = data.draw(st.sampled_from(sorted(set(world.store.files) - {old})))
    place = data.draw(st.integers(0, len(world.store.data(name)) - 1))
    flip(world, name, place, 1 << data.draw(st.integers(0, 7)))
    before = dict(world.store.files)
    if name in {REJECTS, DIGESTS}:
        assert len(world.run().warnings) == 1
        assert world.rows().total() == 4
        assert world.reasons() == small.reasons()
    else:
        with pytest.raises(CheckpointError, match="Nothing was changed"):
            world.run()
        assert world.store.files == before
        assert world.problems() != []


@pytest.mark.parametrize("file", [CHECKPOINT, f"{LEDGERS}{FIRST}.", f"{LEDGERS}{SECOND}.upon"])
def test_a_changed_value_is_found(delta: World, file: str) -> None:
    """Although the file is a sound one; no reader of it would notice."""
    [name] = [
        each for each in delta.store.files if each.startswith(file) and each.endswith("parquet")
    ]
    delta.rewrite(name, lambda rows: rows.with_columns(ptid=pl.lit("OTHER")))

    with delta.untouched(CorruptCheckpointError, "is not as it was committed"):
        delta.run()


def test_what_is_fetched_is_checked_and_no_more(delta: World) -> None:
    """A run with nothing to do reads the end of the checkpoint, and finds damage only there."""
    delta.source.delete(key(4))
    flip(delta, CHECKPOINT, 40)
    assert delta.run().commit_id is None

    flip(delta, CHECKPOINT, len(delta.store.data(CHECKPOINT)) - 60)

    problem = "its footer is not as it was committed|is not a whole Parquet file|makes no sense"
    with delta.untouched(CorruptCheckpointError, problem):
        delta.run()


def test_nothing_is_told_of_a_damaged_checkpoint(delta: World) -> None:
    """Neither what it holds nor an answer to a question, nor what else is wrong with it."""
    flip(delta, CHECKPOINT, 40)

    assert delta.problems() == ["digests: it is not as it was committed"]
    with pytest.raises(CorruptCheckpointError):
        describe(delta.store, delta.workdir())
    for ledger in (False, True):
        with pytest.raises(CorruptCheckpointError):
            open_for_queries(delta.store, delta.workdir(), ledger=ledger)


def test_damaged_rows_are_neither_adopted_nor_compared_with(delta: World) -> None:
    """Not even where the ledger is gone; a rebuild says that it cannot count what is lost."""
    for name in delta.ledgers():
        del delta.store.files[LEDGERS + name]
    flip(delta, CHECKPOINT, 40)

    with delta.untouched(CorruptCheckpointError, "it is not as it was committed"):
        delta.run(mode="adopt")
    with pytest.raises(WouldLoseRowsError, match="cannot be read"):
        delta.run(mode="rebuild")
    assert delta.run(mode="rebuild", allow_loss=True).total_events == 3
    assert delta.problems() == []


@pytest.mark.parametrize("damage", ["gone", "damaged", "another commit's"])
def test_lost_digests_are_told_and_made_anew(delta: World, damage: str) -> None:
    """The pair is sound as far as it can be known without; nobody has to repair anything."""
    if damage == "gone":
        del delta.store.files[DIGESTS]
    elif damage == "damaged":
        flip(delta, DIGESTS, 30)
    else:
        delta.store.write(DIGESTS, delta.store.data(f"{LEDGERS}{FIRST}.json"))
    [problem] = delta.problems()
    first = delta.run()
    second = delta.run()

    assert problem.startswith(f"digests: the file of digests, {DIGESTS}, is gone or damaged")
    assert [problem] == [f"digests: {warning}" for warning in first.warnings]
    assert (first.total_events, second.warnings) == (4, ())
    assert delta.problems(source=True) == []


@pytest.mark.parametrize("which", ["digests", "ledger"])
def test_what_is_gone_because_of_a_rival_is_looked_for_again(delta: World, which: str) -> None:
    """What was replaced meanwhile is loaded anew, with its own ledger and digests."""
    name = DIGESTS if which == "digests" else LEDGERS + delta.ledger_name()
    rival = delta.copy()
    rival.runs = 50
    rival.run()

    def replace(call: str) -> None:
        if call == f"fetch {name}":
            delta.store.files = dict(rival.store.files)
            del delta.store.files[name]

    delta.store.before_call = replace

    assert delta.problems() == []
    report = delta.run()
    assert (report.counts.unchanged, report.warnings) == (3, ())


def test_digests_are_kept_as_long_as_their_ledgers(delta: World) -> None:
    """And go with them, so that an earlier version of the checkpoint finds its own."""
    earlier = delta.copy()
    data = delta.store.data(CHECKPOINT)
    delta.run()
    earlier.store.files = dict(delta.store.files)
    earlier.store.write(CHECKPOINT, data)
    assert earlier.problems() == []

    for number in (5, 6, 7, 8):
        delta.clock.current = delta.clock.current.replace(year=delta.clock.current.year + 1)
        delta.write(number)
        delta.run(Settings(ledger_retention_days=0))
        assert {name.partition(".")[0] for name in delta.ledgers()} == {
            name.partition(".")[0] for name in delta.digests()
        }
    assert len(delta.digests()) <= 4
    assert delta.problems(source=True) == []


def test_the_digests_are_what_b2sum_prints(delta: World) -> None:
    """So that they can be checked without this software."""
    text = delta.store.data(DIGESTS).decode()
    names = [CHECKPOINT, *(LEDGERS + name for name in delta.ledgers())]

    digests = [blake2b(delta.store.data(name), digest_size=16).hexdigest() for name in names]
    assert [digest for digest in digests if digest not in text] == []
    assert len(set(digests)) == 3
