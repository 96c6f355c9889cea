"""Writes that come late, and two runs at once, on S3: nothing is lost, and nothing there twice.

Over HTTP, with boto3 and libcurl, through the function. The rows are compared as multisets with
what was written, which also an undisturbed history ends with. What every pair of calls of two or
three runs can do to each other is enumerated in the core's tests, on a store in memory.
"""

from collections import Counter

import pytest

from checkpoint_lambda.handler import RunFailedError
from tests.checkpoint_core.world import Row
from tests.checkpoint_storage.s3.serving import impatient
from tests.end_to_end.s3_worlds import (
    POINTS,
    SOURCE,
    Undisturbed,
    World,
    before_a_first_run,
    before_an_incremental_run,
    late,
    undisturbed,
)
from tests.fake_s3 import Fault, Request

pytestmark = [pytest.mark.on_one_python, pytest.mark.usefixtures("deltas")]

SCENARIOS = {"first": before_a_first_run, "incremental": before_an_incremental_run}


@pytest.fixture(scope="module")
def prepared(served: World, deltas: None) -> dict[str, Undisturbed]:
    """Every scenario, and what an undisturbed run makes of it."""
    return {name: undisturbed(served, prepare, World.invoke) for name, prepare in SCENARIOS.items()}


def settle(world: World, expected: Counter[Row], where: object) -> None:
    """Run once more, undisturbed: the rows are what was written, and nothing is left to do."""
    world.s3.plan.clear()
    response = world.invoke()

    assert expected == world.rows(), where
    assert [] == world.ledger_problems(), where
    assert len(world.s3.keys(SOURCE)) == sum(response["counts"].values()), where
    assert response["complete"], where


def test_a_deciding_write_that_is_late_each_time_took_place_once(
    world: World, prepared: dict[str, Undisturbed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt is given up before it takes effect; the first one wins, and is found."""
    plain = prepared["incremental"]
    world.restore(plain.before)
    deciding = POINTS["write the checkpoint"].aim(times=None)
    planned = world.s3.plan.add(Fault.LATE, delay_s=0.6, **deciding)
    with impatient(monkeypatch):
        response = world.invoke()

    assert planned.fired > 1
    world.await_late(planned)
    assert (plain.rows, plain.result["counts"]) == (world.rows(), response["counts"])
    settle(world, plain.rows, None)


def test_a_write_of_a_failed_run_may_take_place_at_any_moment_of_the_next(
    world: World, prepared: dict[str, Undisturbed]
) -> None:
    """Exhaustively: before each request of the run that makes good, the network delivers it.

    Both writes of the checkpoint hold the same events, and only one of them may count.
    """
    plain = prepared["incremental"]
    world.restore(plain.before)
    kept: list[Request] = []
    deciding = POINTS["write the checkpoint"].aim(times=None)
    world.s3.plan.on_request(kept.append, **deciding)
    world.s3.plan.add(Fault.FAIL_BEFORE, **deciding)
    with pytest.raises(RunFailedError):
        world.invoke()
    failed = world.save()
    statuses = set()
    for nth in range(1, len(plain.requests) + 1):
        world.restore(failed)
        world.s3.plan.on_request(lambda _: statuses.add(late(world.s3, kept[0])), nth=nth, times=1)

        world.invoke()

        assert plain.rows == world.rows(), nth
        settle(world, plain.rows, nth)
    # The condition of the late write holds until the next run has written the checkpoint.
    assert {200, 412} == statuses


def change(world: World) -> None:
    """The second run sees newer versions of what the first has listed, and an object more."""
    for number in (1, 2, 4):
        world.write(number, module="SECOND")
    world.write(9)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_second_invocation_inside_of_any_request_of_the_first_doubles_nothing(
    world: World, prepared: dict[str, Undisturbed], scenario: str
) -> None:
    """Exhaustively: the whole of it while the first waits for one answer. No row is lost.

    Of a version that is overwritten meanwhile there is a row if one of both has taken it.
    """
    plain = prepared[scenario]
    for nth, request in enumerate(plain.requests, start=1):
        world.restore(plain.before)

        def rival(_: Request) -> None:
            change(world)
            world.invoke()

        planned = world.s3.plan.on_request(rival, nth=nth, times=1)
        world.invoke()

        assert 1 == planned.fired, request
        assert plain.old_rows <= world.rows() <= world.every_version(), request
        world.s3.plan.clear()
        world.invoke()
        assert plain.old_rows | world.newest_versions() <= world.rows(), request
        assert world.rows() <= world.every_version(), request
        assert [] == world.ledger_problems(), request
    settle(world, world.rows(), None)
    assert [] == world.problems()
