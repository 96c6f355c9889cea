"""Every store call of a removal goes wrong in every way; doing it again, or a run, completes it."""

from collections.abc import Iterator

import pytest

from checkpoint_core import CheckpointError
from checkpoint_core.removal import purge
from tests.checkpoint_core.memory import CrashError, Fault
from tests.checkpoint_core.removing.history import (
    GONE,
    PTID,
    SETTINGS,
    before_a_removal,
    export,
    files_with,
)
from tests.checkpoint_core.world import CHECKPOINT, LIST, REJECTS, World, scratch

pytestmark = [pytest.mark.on_one_python, pytest.mark.usefixtures("deltas")]

ONLY_DECIDING = {Fault.CONFLICT, Fault.DENIED, Fault.LATE, Fault.LATER}
READS = ("read_tail", "fetch", "list")


@pytest.fixture(scope="module")
def before(deltas: None) -> Iterator[World]:
    """Give a world with everything that may hold the participant; to be copied."""
    with scratch() as folder:
        world = World(folder)
        before_a_removal(world)
        yield world


def assert_gone(world: World) -> None:
    """Fail unless what is in force is sound and without the participant, as is what names them."""
    assert world.problems(SETTINGS) == []
    assert not files_with(world) & {CHECKPOINT, REJECTS, LIST}
    assert world.metadata()["withheld"] == world.revision()


@pytest.mark.parametrize("fault", Fault)
def test_whatever_goes_wrong_with_a_removal_it_can_be_completed(
    before: World, fault: Fault
) -> None:
    """By another removal, or by a run; and where it ended well, it was complete."""
    undisturbed = before.copy()
    undisturbed.remove(GONE, settings=SETTINGS)
    states = set()
    for number, call in enumerate(undisturbed.store.calls):
        if call.startswith(READS) and fault is not Fault.BEFORE:
            continue
        if not call.startswith("put_if") and fault in ONLY_DECIDING:
            continue
        world = before.copy()
        world.store.faults = {number: fault}
        try:
            world.remove(GONE, settings=SETTINGS)
        except (CheckpointError, CrashError):
            pass
        else:
            assert_gone(world)
        world.store.faults = {}
        state = frozenset((name, data) for name, (data, *_) in world.store.files.items())
        if state in states:
            continue
        states.add(state)
        is_listed = LIST in world.store.files

        other = world.copy()
        other.run(SETTINGS)
        world.remove(GONE, settings=SETTINGS)

        assert_gone(world)
        assert world.rows() == undisturbed.rows(), call
        if is_listed:
            assert_gone(other)
            assert other.rows() == undisturbed.rows(), call


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.CRASH_AFTER])
def test_a_purge_that_was_interrupted_goes_on(before: World, fault: Fault) -> None:
    """What is in force is untouched at every point, and in the end nothing else is left."""
    ready = before.copy()
    ready.remove(GONE, settings=SETTINGS)
    ready.run(SETTINGS)
    export(ready)
    undisturbed = ready.copy()
    purge(undisturbed.store, host=undisturbed.host(), dry_run=False)
    for number, call in enumerate(undisturbed.store.calls):
        if call.startswith(READS):
            continue
        world = ready.copy()
        world.store.faults = {number: fault}
        with pytest.raises((CheckpointError, CrashError)):
            purge(world.store, host=world.host(), dry_run=False)
        world.store.faults = {}
        assert world.store.data(CHECKPOINT) == ready.store.data(CHECKPOINT), call
        assert world.problems(SETTINGS) == [], call

        purge(world.store, host=world.host(), dry_run=False)

        assert files_with(world) == set(), call
        assert PTID not in repr(world.store.versions), call
