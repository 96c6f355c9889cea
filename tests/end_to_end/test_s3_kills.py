"""A process that is killed at any named point of a run on S3, and started again.

The server is in the test's process: before it handles a request, it kills the one that has sent
it. The point is named by that request. `unsent` is as if the process had been killed just before
it sent the request, `sent` just after.
"""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from tests.end_to_end.commands import Forks, Started
from tests.end_to_end.s3_worlds import (
    CHECKPOINT,
    OLD_LEDGER,
    POINTS,
    SOURCE,
    TARGET,
    Point,
    World,
    before_a_first_run,
    before_an_incremental_run,
)
from tests.fake_s3 import Fault, Request

pytestmark = pytest.mark.on_one_python

COMMAND = ("run", f"s3://{SOURCE}/prod", f"s3://{TARGET}/{CHECKPOINT}")
HANDLER = ()


def start_here(forks: Forks, command: tuple[str, ...]) -> Started:
    """Start a process with this one's way to the server."""
    leading = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return forks.start(*command, environment=leading)


def kill_at(
    world: World, forks: Forks, point: Point, command: tuple[str, ...], *, sent: bool
) -> None:
    """Run a process until the point is reached, and see it killed there."""
    before = len(point.places(world))
    is_known, is_dead = threading.Event(), threading.Event()
    processes: list[Started] = []
    statuses: list[int] = []

    def kill(_: Request) -> None:
        assert is_known.wait(60)
        os.kill(processes[0].number, signal.SIGKILL)
        statuses.append(forks.finish(processes[0]).status)
        is_dead.set()

    hook = world.s3.plan.on_request(kill, **point.aim())
    if not sent:
        world.s3.plan.add(Fault.FAIL_BEFORE, **point.aim())
    processes.append(start_here(forks, command))
    is_known.set()
    assert is_dead.wait(60)

    assert (1, [-signal.SIGKILL]) == (hook.fired, statuses)
    # The server goes on with the request that it was killed over; writes come one at a time.
    world.s3.log.wait_for(lambda: len(point.places(world)) > before)
    world.s3.plan.clear()


WRITES = ("write the ledger", "write the checkpoint", "write the rejects", "delete a ledger")
# Waiting for an answer, of which it does not matter whether it was on its way.
READS = ("load the ledger", "list the objects", "read an object", "copy the checkpoint")


@pytest.mark.parametrize(
    "prepare, command, name, sent",
    [
        *(
            (before_an_incremental_run, COMMAND, name, sent)
            for name in WRITES
            for sent in (False, True)
        ),
        *(
            (before_an_incremental_run, COMMAND, name, True)
            for name in (*READS, "list the ledgers")
        ),
        # The function itself; a ledger without a checkpoint does not stop the next one.
        *((before_a_first_run, HANDLER, name, True) for name in ("read any object", *WRITES[:3])),
        (before_a_first_run, HANDLER, "write the checkpoint", False),
    ],
)
def test_a_run_that_is_killed_is_made_good_by_the_next(
    world: World,
    forks: Forks,
    prepare: Callable[[World], None],
    command: tuple[str, ...],
    name: str,
    *,
    sent: bool,
) -> None:
    """Until the deciding write the old rows are there, or none, from then on the new ones."""
    prepare(world)
    before = world.checkpoint()

    kill_at(world, forks, POINTS[name], command, sent=sent)

    is_decided = name in {"write the rejects", "list the ledgers", "delete a ledger"} or (
        name == "write the checkpoint" and sent
    )
    if is_decided:
        assert world.every_version() == world.rows()
    else:
        assert before == world.checkpoint()
    check_next_run(world)
    # Old ledgers are deleted after a commit, so one that this has missed waits for the next.
    if prepare is before_an_incremental_run:
        assert (OLD_LEDGER in world.s3.keys(TARGET)) == (
            is_decided and not (name == "delete a ledger" and sent)
        )


def check_next_run(world: World) -> None:
    """Run twice: after the first all is there and right, the second has nothing to do."""
    world.invoke()

    assert world.every_version() == world.rows()
    assert [] == world.problems()
    again = world.requests(world.invoke)
    assert {"GetObject", "ListObjectsV2"} == {each.operation for each in again}
    assert not any(each.operation == "GetObject" and each.bucket == SOURCE for each in again)


def test_a_process_that_is_not_killed_ends_as_the_function_does(world: World, forks: Forks) -> None:
    """Both commands reach every one of the points above, in the order of a run."""
    before_an_incremental_run(world)
    world.s3.log.clear()
    ended = forks.finish(start_here(forks, COMMAND))

    assert (0, world.every_version()) == (ended.status, world.rows()), ended.stderr
    reached = [POINTS[name].places(world)[0] for name in POINTS if name != "read an object"]
    assert reached == sorted(reached)
