"""Every store call of every kind of run goes wrong in every way; the next run makes it good."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec import structs

from checkpoint_core import CheckpointError, RunReport, StorageError
from checkpoint_core.errors import (
    CommitConflictError,
    CommitOutcomeUnknownError,
    NothingToAdoptError,
)
from tests.checkpoint_core.memory import CrashError, Fault
from tests.checkpoint_core.world import CHECKPOINT, REJECTS, World, key, scratch

pytestmark = [pytest.mark.on_one_python, pytest.mark.usefixtures("deltas")]

FAULTS = {
    "read_tail": {Fault.BEFORE},
    "list_files": {Fault.BEFORE},
    "fetch": {Fault.BEFORE, Fault.AFTER},
    "put": {Fault.BEFORE, Fault.AFTER, Fault.CRASH_BEFORE, Fault.CRASH_AFTER},
    "delete": {Fault.BEFORE, Fault.AFTER, Fault.CRASH_BEFORE, Fault.CRASH_AFTER},
}
"""The faults of each call that can differ in what they leave behind; of the deciding write, all."""


def before_a_first_run(world: World) -> None:
    """Three events and an invalid one, and no checkpoint yet."""
    world.write(1, 2, 3)
    world.source.write(key(4), b"{}")


def before_an_incremental_run(world: World) -> None:
    """New, late, rewritten, touched, repaired, broken and deleted objects."""
    world.write(1, 2, 3, 4, 5)
    world.source.write(key(6), b"{}")
    world.source.write(key(7), b"{}")
    world.run()
    world.write(8)
    world.write(9, timestamp="2020-01-01T00:00:00Z")
    world.write(1, module="FTLD")
    world.source.touch(key(2))
    world.source.delete(key(3))
    world.source.write(key(4), b"{")
    world.write(6)


def before_a_run_upon_a_delta(world: World) -> None:
    """A full ledger and a delta, of both of which objects are rewritten, and a new one."""
    world.write(1, 2, 3, 4, 5)
    world.run()
    world.write(1, gear_name="in the delta")
    world.write(6)
    world.run()
    assert ".upon." in world.ledger_name()
    world.write(1, gear_name="again")
    world.write(2, gear_name="in the full one")
    world.source.touch(key(6))
    world.write(7)


def before_a_run_that_ends_a_delta(world: World) -> None:
    """So many changes that the next ledger is a full one again."""
    before_a_run_upon_a_delta(world)
    world.write(8, 9)


def before_a_rewrite(world: World) -> None:
    """A checkpoint without its ledger, to which two versions of one object gave rows."""
    before_an_incremental_run(world)
    world.run()
    for name in [name for name in world.store.files if name.startswith("_ledger/")]:
        del world.store.files[name]
    world.write(10)


def before_a_rebuild(world: World) -> None:
    """A checkpoint that can be made again, and more."""
    before_a_first_run(world)
    world.run()
    world.write(5)


def before_adopting_a_foreign_file(world: World) -> None:
    """Rows of another tool, one of which has no object, and an object without a row."""
    before_a_first_run(world)
    world.run()
    rows = world.store.rows()
    world.store.files.clear()
    target = io.BytesIO()
    rows.write_parquet(target)
    world.store.write(CHECKPOINT, target.getvalue())
    world.source.delete(key(2))
    world.write(5)


def before_a_rebuild_over_damage(world: World) -> None:
    """A checkpoint of which nothing can be read."""
    before_a_first_run(world)
    world.store.write(CHECKPOINT, b"damaged")


SCENARIOS: dict[str, tuple[Callable[[World], None], dict[str, Any]]] = {
    "first": (before_a_first_run, {}),
    "incremental": (before_an_incremental_run, {}),
    "upon a delta": (before_a_run_upon_a_delta, {}),
    "ending a delta": (before_a_run_that_ends_a_delta, {}),
    "adopt": (before_a_rewrite, {"mode": "adopt"}),
    "adopt a foreign file": (before_adopting_a_foreign_file, {"mode": "adopt"}),
    "rebuild": (before_a_rebuild, {"mode": "rebuild"}),
    "rebuild over a damaged file": (
        before_a_rebuild_over_damage,
        {"mode": "rebuild", "allow_loss": True},
    ),
}


@pytest.fixture(scope="module")
def prepared(deltas: None) -> Iterator[dict[str, World]]:
    """Every scenario, as it is before the run that goes wrong."""
    with scratch() as folder:
        worlds = {}
        for name, (prepare, _) in SCENARIOS.items():
            (folder / name).mkdir()
            worlds[name] = World(folder / name)
            prepare(worlds[name])
        yield worlds


def run_again(world: World, request: dict[str, Any]) -> RunReport:
    """Do what a person would do: the same again, and a usual run where that has no more to do."""
    try:
        return world.run(**request)
    except NothingToAdoptError:
        return world.run()


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_whatever_goes_wrong_with_a_call_the_next_run_makes_it_good(
    prepared: dict[str, World], scenario: str, fault: Fault
) -> None:
    """For every call: the old or the new pair is in force, and then the undisturbed rows.

    The deciding write may go wrong without even failing the run, unless it is refused for good.
    """
    request = SCENARIOS[scenario][1]
    undisturbed = prepared[scenario].copy()
    expected = undisturbed.run(**request)
    before = prepared[scenario].store.files.get(CHECKPOINT)
    tried = 0
    for number, call in enumerate(undisturbed.store.calls):
        is_deciding = call == f"put_if {CHECKPOINT}"
        if not is_deciding and fault not in FAULTS[call.partition(" ")[0]]:
            continue
        tried += 1
        world = prepared[scenario].copy()
        world.store.faults = {number: fault}
        try:
            report = world.run(**request)
        except CrashError:
            assert fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}
        except CheckpointError:
            assert not is_deciding or fault is Fault.DENIED, call
        else:
            assert report.counts == expected.counts
            assert report.commit_id == world.metadata()["commit_id"]
        if fault is Fault.DENIED:
            assert world.store.files.get(CHECKPOINT) == before
            assert world.ledgers() == prepared[scenario].ledgers()
        if world.store.files.get(CHECKPOINT) != before:
            assert world.rows() == undisturbed.rows(), call
            assert world.problems() == [], call

        world.store.faults = {}
        report = run_again(world, request)

        assert world.rows() == undisturbed.rows(), call
        assert world.problems(source=True) == [], call
        assert report.counts.listed == len(world.source.objects), call
        assert world.reasons() == undisturbed.reasons(), call
    assert tried > 0


@pytest.mark.parametrize("first", [Fault.BEFORE, Fault.AFTER, Fault.LATE, Fault.LATER])
@pytest.mark.parametrize("second", [Fault.BEFORE, Fault.AFTER])
def test_two_faults_in_one_run_are_no_worse_than_one(
    prepared: dict[str, World], first: Fault, second: Fault
) -> None:
    """The deciding write has an unknown outcome, and then one of the next calls fails too."""
    undisturbed = prepared["incremental"].copy()
    undisturbed.run()
    deciding = undisturbed.store.calls.index(f"put_if {CHECKPOINT}")
    for distance in range(1, 5):
        world = prepared["incremental"].copy()
        world.store.faults = {deciding: first, deciding + distance: second}
        try:
            world.run()
        except CheckpointError:
            pass
        else:
            assert world.rows() == undisturbed.rows(), distance
        world.store.faults = {}

        world.run()

        assert world.rows() == undisturbed.rows(), distance
        assert world.problems(source=True) == [], distance


def fail_writes(world: World, *faults: Fault) -> None:
    """Let the coming deciding writes go wrong, one after the other."""
    coming = iter(faults)

    def hook(call: str) -> None:
        if call == f"put_if {CHECKPOINT}":
            fault = next(coming, None)
            world.store.faults = {} if fault is None else {len(world.store.calls) - 1: fault}

    world.store.before_call = hook


@pytest.mark.parametrize("conflicts", [1, 2, 3, 4, 9])
def test_conflicts_without_a_rival_are_tried_again(
    prepared: dict[str, World], conflicts: int
) -> None:
    """The store may refuse a write whose condition holds; that costs time only."""
    world = prepared["incremental"].copy()
    undisturbed = prepared["incremental"].copy()
    expected = undisturbed.run()
    fail_writes(world, *[Fault.CONFLICT] * conflicts)

    report = world.run()

    assert report.counts == expected.counts
    assert world.rows() == undisturbed.rows()
    assert len(world.pauses) >= conflicts


def test_a_rewrite_gives_up_after_three_conflicts(prepared: dict[str, World]) -> None:
    """It does not begin again by itself."""
    world = prepared["adopt"].copy()
    rows = world.rows()
    fail_writes(world, *[Fault.CONFLICT] * 3)

    with pytest.raises(CommitConflictError):
        world.run(mode="adopt")

    assert world.rows() == rows


def test_a_refused_write_that_cannot_be_looked_into_changed_nothing(world: World) -> None:
    """The write was refused, so the outcome is known; what failed is the reading."""
    world.write(1)
    deciding = 5
    world.store.faults = {deciding: Fault.CONFLICT, deciding + 1: Fault.BEFORE}

    with pytest.raises(StorageError, match="read_tail"):
        world.run()

    assert world.store.calls[deciding] == f"put_if {CHECKPOINT}"
    assert CHECKPOINT not in world.store.files


def test_a_local_disk_that_fails_is_a_storage_error(world: World) -> None:
    """The message says where; the store is untouched."""
    world.write(1)
    host = structs.replace(world.host(), workdir=world.folder / "not there")

    with pytest.raises(StorageError, match=r"not there.*Make room there"):
        world.run(host=host)

    assert world.writes() == []


def test_an_undisturbed_history_has_the_calls_that_are_disturbed(
    prepared: dict[str, World],
) -> None:
    """Loading, the ledger, the checkpoint, the rejects and the kept original are among them."""
    called = set()
    for scenario, (_, request) in SCENARIOS.items():
        world = prepared[scenario].copy()
        world.run(**request)
        called |= {tuple(call.split(" ")) for call in world.store.calls}
    kinds = {call for call, _ in called}

    assert kinds >= {"read_tail", "fetch", "put", "put_if", "list_files"}
    assert ("put_if", CHECKPOINT) in called
    assert ("put", REJECTS) in called
    assert any(name.startswith("_previous/events/") for call, name in called if call == "put")


def test_a_run_that_gives_up_deletes_nothing(world: World) -> None:
    """Where the outcome is not known, the ledgers of both outcomes stay, and old ones too."""
    for number in (1, 2, 3):
        world.write(number)
        world.run()
    world.write(4)
    world.clock.current = world.clock.current.replace(year=2030)
    fail_writes(world, *[Fault.BEFORE] * 3)

    with pytest.raises(
        CommitOutcomeUnknownError,
        match=r"whether commit 00000004-run0004 took place is not known: put_if events\.parquet ",
    ):
        world.run()

    assert world.writes()[-3:] == [f"put_if {CHECKPOINT}"] * 3
    assert [int(name.partition("-")[0]) for name in world.ledgers()] == [1, 2, 3, 4]
