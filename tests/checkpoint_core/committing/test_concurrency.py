"""Two and three runs at work at once, on one checkpoint."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from checkpoint_core import CheckpointError, RunReport, Settings
from checkpoint_core.errors import CommitConflictError, NothingToAdoptError
from checkpoint_format.errors import ChangedWhileReadingError
from tests.checkpoint_core.oracle import Oracle
from tests.checkpoint_core.scenarios import Prepared, before_a_first_run
from tests.checkpoint_core.scheduling import Scheduler
from tests.checkpoint_core.world import CHECKPOINT, World, key

pytestmark = [pytest.mark.on_one_python, pytest.mark.usefixtures("deltas")]

MEETINGS = (CommitConflictError, NothingToAdoptError, ChangedWhileReadingError)
"""How a rewrite may fail when it meets another run."""
USUAL = ["first", "incremental", "upon a delta"]


def leave_alone(world: World) -> None:
    """Both runs see the same objects."""


def rewrite(world: World) -> None:
    """The second run sees newer versions of objects that the first has listed."""
    world.write(1, module="SECOND")
    world.write(4, module="SECOND")
    world.write(6, module="SECOND")


def change_all(world: World) -> None:
    """The second run sees other objects, and some gone, broken or touched."""
    world.write(11)
    world.source.delete(key(2))
    world.source.touch(key(1))
    world.spoil(3)
    world.write(4, project_label="other")


def before_the_call(world: World, number: int, act: Callable[[], object]) -> None:
    """Do something just before the n-th call from now."""
    at = len(world.store.calls) + number

    def hook(_call: str) -> None:
        if len(world.store.calls) == at + 1:
            act()

    world.store.before_call = hook


@pytest.mark.parametrize("between", [leave_alone, rewrite, change_all])
@pytest.mark.parametrize("scenario", USUAL)
def test_a_whole_run_inside_another_costs_no_row_and_doubles_none(
    prepared: Prepared, scenario: str, between: Callable[[World], None]
) -> None:
    """Exhaustively: the second run's whole execution before each call of the first."""
    undisturbed, _ = prepared.after(scenario)
    for number in range(len(undisturbed.store.calls)):
        world = prepared.before(scenario)
        oracle = Oracle(world)
        inner: list[RunReport] = []

        def rival(world: World = world, inner: list[RunReport] = inner) -> None:
            between(world)
            inner.append(world.run())

        before_the_call(world, number, rival)
        outer = world.run()

        assert len(inner) == 1
        assert {outer.listed, inner[0].listed} == set(world.source.listed)
        assert outer.counts.listed == outer.listed
        oracle.check()

        world.run()

        oracle.check_complete()
        assert world.problems(source=True) == [], number


@pytest.mark.parametrize(
    "outer, inner",
    [
        ("adopt", "adopt"),
        ("adopt", "rebuild"),
        ("rebuild", "rebuild"),
        ("rebuild", "incremental"),
        ("incremental", "rebuild"),
    ],
)
def test_a_rewrite_that_meets_another_run_costs_no_row(
    world: World, outer: str, inner: str
) -> None:
    """Exhaustively: one of them may fail, with an error that says so; then the rows are right."""
    before_a_first_run(world)
    world.run()
    world.write(8, 9)
    if outer == "adopt":
        world.lose_ledgers()
    undisturbed = world.copy()
    undisturbed.run(mode=outer)
    for number in range(len(undisturbed.store.calls)):
        other = world.copy()
        before_the_call(other, number, partial(other.run, mode=inner))
        with suppress(*MEETINGS):
            other.run(mode=outer)
        other.store.before_call = lambda _call: None
        other.run()

        assert other.rows() == undisturbed.rows(), number
        assert other.problems(source=True) == [], number


@pytest.mark.parametrize("scenario, step", [("first", 2), ("upon a delta", 1)])
def test_two_runs_may_take_turns_at_any_two_calls(
    prepared: Prepared, scenario: str, step: int
) -> None:
    """So many steps of the first, so many of the second, then both to their ends."""
    for first in range(1, 8, step):
        # Where nothing is there yet, the runs differ only in who writes first.
        for second in range(1, 8, 3):
            world = prepared.before(scenario)
            oracle = Oracle(world)
            scheduler = Scheduler()
            world.store.before_call = scheduler.step

            reports = scheduler.run([world.run, world.run], [0] * first + [1] * second)

            assert [type(report) for report in reports] == [RunReport, RunReport]
            oracle.check()
            world.run()
            oracle.check_complete()


@hypothesis_settings(max_examples=hypothesis_settings().max_examples // 3)
@given(st.data())
def test_three_runs_may_take_turns_in_any_order(prepared: Prepared, data: st.DataObject) -> None:
    """The source changes meanwhile, also between the reading of one object and the next."""
    world = prepared.before(data.draw(st.sampled_from(USUAL)))
    oracle = Oracle(world)
    scheduler = Scheduler()
    world.store.before_call = world.source.before_reading = scheduler.step
    changes = iter(data.draw(st.permutations([leave_alone, rewrite, change_all])))
    schedule = data.draw(st.lists(st.integers(0, 2), min_size=10, max_size=60))
    at = data.draw(st.lists(st.integers(0, len(schedule)), min_size=3, max_size=3))

    def turns() -> Iterator[int]:
        for number, turn in enumerate(schedule):
            if number in at:
                next(changes, leave_alone)(world)
            yield turn

    results = scheduler.run([world.run] * 3, turns())

    # Three rivals are fewer than the attempts of each, so nobody may fail.
    assert [type(result) for result in results] == [RunReport] * 3
    oracle.check()
    world.run()
    oracle.check_complete()


def test_an_object_that_a_rebuild_dropped_meanwhile_is_deferred(world: World) -> None:
    """What was touched has no row any more, so it must not count as touched."""
    world.write(1, 2)
    world.run()
    world.source.touch(key(1))
    world.write(3)

    def rival() -> None:
        world.source.outcomes[key(1)] = "archived"
        world.run(mode="rebuild", allow_loss=True)
        world.source.outcomes.clear()

    before_the_call(world, 4, rival)

    report = world.run()
    before = world.gears()
    world.run(list_restores=True)

    assert (report.counts.touched, report.counts.deferred, report.counts.accepted) == (0, 2, 0)
    assert before == ["gear-2", "gear-3"]
    assert sorted(world.gears()) == ["gear-1", "gear-2", "gear-3"]


def test_a_run_gives_up_after_a_bounded_number_of_lost_races(world: World) -> None:
    """Nothing of it is committed, and it has waited longer each time."""
    world.write(1)
    world.run()
    world.write(2)
    rivals = iter(range(100, 200))

    def always_lose(call: str) -> None:
        if call.startswith("put_if"):
            world.store.write(CHECKPOINT, world.store.data(CHECKPOINT))
            next(rivals)

    world.store.before_call = always_lose
    with pytest.raises(CommitConflictError, match="during each of 3 attempts") as raised:
        world.run(Settings(commit_attempts=3))

    assert raised.value.attempts == 3
    assert next(rivals) == 103
    assert world.pauses == pytest.approx([0.1, 0.2, 0.4])
    assert world.gears() == ["gear-1"]


def test_a_checkpoint_that_is_removed_meanwhile_is_not_made_anew(world: World) -> None:
    """Its rows would be lost; a person has to look. Removed at the very end, it is just gone."""
    world.write(1)
    world.run()
    world.write(2)
    undisturbed = world.copy()
    undisturbed.run()
    deciding = undisturbed.store.calls.index(f"put_if {CHECKPOINT}")
    for number in range(1, deciding + 1):
        other = world.copy()
        before_the_call(other, number, partial(other.store.files.pop, CHECKPOINT))
        with pytest.raises(CheckpointError):
            other.run()

        assert CHECKPOINT not in other.store.files
