"""Every store call of every kind of run goes wrong in every way; the next run makes it good."""

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
from tests.checkpoint_core.scenarios import SCENARIOS, Prepared, Scenario
from tests.checkpoint_core.world import CHECKPOINT, LEDGERS, REJECTS, World

pytestmark = [pytest.mark.on_one_python, pytest.mark.usefixtures("deltas")]

FAULTS = {
    "read_tail": {Fault.BEFORE},
    "list_files": {Fault.BEFORE},
    "fetch": {Fault.BEFORE, Fault.AFTER},
    "put": {Fault.BEFORE, Fault.AFTER, Fault.CRASH_BEFORE, Fault.CRASH_AFTER},
    "delete": {Fault.BEFORE, Fault.AFTER, Fault.CRASH_BEFORE, Fault.CRASH_AFTER},
}
"""The faults of each call that can differ in what they leave behind; of the deciding write, all."""


def run_again(world: World, scenario: Scenario) -> RunReport:
    """Do what a person would do: the same again, and a usual run where that has no more to do."""
    try:
        return scenario.run(world)
    except NothingToAdoptError:
        return world.run(scenario.settings)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_goes_wrong_with_a_call_the_next_run_makes_it_good(
    prepared: Prepared, name: str, fault: Fault
) -> None:
    """For every call: the old or the new pair is in force, and then the undisturbed rows.

    The deciding write may go wrong without even failing the run, unless it is refused for good.
    """
    scenario = SCENARIOS[name]
    undisturbed, expected = prepared.after(name)
    tried = 0
    for number, call in enumerate(undisturbed.store.calls):
        is_deciding = call == f"put_if {CHECKPOINT}"
        if not is_deciding and fault not in FAULTS[call.partition(" ")[0]]:
            continue
        tried += 1
        world = prepared.before(name)
        before = dict(world.store.files)
        world.store.faults = {number: fault}
        try:
            report = scenario.run(world)
        except CrashError:
            assert fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}
        except CheckpointError:
            assert not is_deciding or fault is Fault.DENIED, call
        else:
            assert report.counts == expected.counts
            assert report.commit_id == world.metadata()["commit_id"]
        if fault is Fault.DENIED:
            assert names_in_force(world.store.files) == names_in_force(before)
        if not is_deciding and prepared.is_known(name, world):
            continue  # What follows was seen already.
        if world.store.files.get(CHECKPOINT) != before.get(CHECKPOINT):
            assert world.store.rows().equals(undisturbed.store.rows()), call
            assert world.problems(scenario.settings) == [], call

        world.store.faults = {}
        report = run_again(world, scenario)

        assert world.store.rows().equals(undisturbed.store.rows()), call
        assert world.metadata()["adopted_rows"] == undisturbed.metadata()["adopted_rows"], call
        assert world.problems(scenario.settings, source=True) == [], call
        assert report.counts.listed == len(world.source.objects), call
        assert report.awaiting_upgrade == 0, call
        assert world.reasons() == undisturbed.reasons(), call
    assert tried > 0


def names_in_force(files: dict[str, Any]) -> set[str]:
    """Return the names of the files that a commit may need, with what tells its version."""
    kept = {name for name in files if name.startswith(LEDGERS)}
    return kept | {files[name][1] for name in files if name == CHECKPOINT}


@pytest.mark.parametrize(
    "name, first",
    [
        ("incremental", Fault.BEFORE),
        ("incremental", Fault.AFTER),
        ("incremental", Fault.LATE),
        ("incremental", Fault.LATER),
        ("claim", Fault.AFTER),
    ],
)
@pytest.mark.parametrize("second", [Fault.BEFORE, Fault.AFTER])
def test_two_faults_in_one_run_are_no_worse_than_one(
    prepared: Prepared, name: str, first: Fault, second: Fault
) -> None:
    """The deciding write has an unknown outcome, and then one of the next calls fails too."""
    scenario = SCENARIOS[name]
    undisturbed, _ = prepared.after(name)
    deciding = undisturbed.store.calls.index(f"put_if {CHECKPOINT}")
    for distance in range(1, 5):
        world = prepared.before(name)
        world.store.faults = {deciding: first, deciding + distance: second}
        try:
            scenario.run(world)
        except CheckpointError:
            pass
        else:
            assert world.rows() == undisturbed.rows(), distance
        world.store.faults = {}

        scenario.run(world)

        assert world.rows() == undisturbed.rows(), distance
        assert world.problems(scenario.settings, source=True) == [], distance


@pytest.mark.parametrize("conflicts", [1, 2, 9])
def test_conflicts_without_a_rival_are_tried_again(prepared: Prepared, conflicts: int) -> None:
    """The store may refuse a write whose condition holds; that costs time only."""
    world = prepared.before("incremental")
    undisturbed, expected = prepared.after("incremental")
    world.disturb("put_if", *[Fault.CONFLICT] * conflicts)

    report = world.run()

    assert report.counts == expected.counts
    assert world.rows() == undisturbed.rows()
    assert len(world.pauses) >= conflicts


def test_a_rewrite_gives_up_after_three_conflicts(prepared: Prepared) -> None:
    """It does not begin again by itself."""
    world = prepared.before("adopt")
    rows = world.rows()
    world.disturb("put_if", *[Fault.CONFLICT] * 3)

    with pytest.raises(CommitConflictError):
        world.run(mode="adopt")

    assert world.rows() == rows


def test_a_refused_write_that_cannot_be_looked_into_changed_nothing(world: World) -> None:
    """The write was refused, so the outcome is known; what failed is the reading."""
    world.write(1)
    deciding = 6
    world.store.faults = {deciding: Fault.CONFLICT, deciding + 1: Fault.BEFORE}

    with pytest.raises(StorageError, match="read_tail"):
        world.run()

    assert world.store.calls[deciding] == f"put_if {CHECKPOINT}"
    assert CHECKPOINT not in world.store.files


def test_a_local_disk_that_fails_is_a_storage_error(world: World) -> None:
    """The message says where; the store is untouched."""
    world.write(1)
    host = structs.replace(world.host(), workdir=world.folder / "not there")

    with world.untouched(StorageError, r"not there.*Make room there"):
        world.run(host=host)


def test_an_undisturbed_history_has_the_calls_that_are_disturbed(prepared: Prepared) -> None:
    """Loading, the ledger, the checkpoint, the rejects and the kept original are among them."""
    called = {call for name in SCENARIOS for call in prepared.after(name)[0].store.calls}
    kinds = {call.partition(" ")[0] for call in called}

    assert kinds >= {"read_tail", "fetch", "put", "put_if", "list_files"}
    assert {f"put_if {CHECKPOINT}", f"put {REJECTS}"} <= called
    assert any(call.startswith("put _previous/events/") for call in called)
    assert any(call.startswith(f"put {LEDGERS}unclaimed-") for call in called)


def test_a_run_that_gives_up_deletes_nothing(world: World) -> None:
    """Where the outcome is not known, the ledgers of both outcomes stay, and old ones too."""
    world.commit_each(1, 2, 3)
    world.write(4)
    world.clock.current = world.clock.current.replace(year=2030)
    world.disturb("put_if", *[Fault.BEFORE] * 3)

    with pytest.raises(
        CommitOutcomeUnknownError,
        match=r"whether commit 00000004-run0004 took place is not known: put_if events\.parquet ",
    ):
        world.run()

    assert world.writes()[-3:] == [f"put_if {CHECKPOINT}"] * 3
    assert world.generations() == [1, 2, 3, 4]


def test_a_ledger_stays_where_an_earlier_answer_was_unclear(world: World) -> None:
    """The first attempt may still take place, so what it names must be there."""
    world.commit_each(1)
    world.write(2)
    world.disturb("put_if", Fault.BEFORE, Fault.DENIED)

    with pytest.raises(CommitOutcomeUnknownError):
        world.run()

    assert world.generations() == [1, 2]
