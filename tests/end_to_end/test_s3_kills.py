"""A process that is killed at any named point of a run on S3, and started again.

The server is in the test's process: before it handles a request, it kills the one that has sent
it. The point is named by that request. `unsent` is as if the process had been killed just before
it sent the request, `sent` just after.
"""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tests.checkpoint_lambda.invoking import object_key
from tests.end_to_end.commands import finish, start
from tests.end_to_end.s3_worlds import (
    CHECKPOINT,
    LEDGERS,
    REJECTS,
    SOURCE,
    TARGET,
    World,
)
from tests.fake_s3 import Fault, Request

pytestmark = pytest.mark.on_one_python

COMMAND = ("-m", "checkpoint_cli", "run", f"s3://{SOURCE}/prod", f"s3://{TARGET}/{CHECKPOINT}")
HANDLER = (
    "-c",
    """
from checkpoint_lambda.handler import lambda_handler
from tests.checkpoint_lambda.invoking import EVENT, Context
lambda_handler(EVENT, Context())
""",
)
OLD_LEDGER = f"{LEDGERS}00000001-old.parquet"


class Point(Struct, frozen=True):
    """A point of a run: the `nth` of these requests."""

    operation: str
    bucket: str
    prefix: str = ""
    nth: int = 1

    def matching(self) -> dict[str, Any]:
        """Return what a plan needs to know."""
        return {
            "operation": self.operation,
            "bucket": self.bucket,
            "where": lambda request: request.key.startswith(self.prefix),
            "nth": self.nth,
            "times": 1,
        }

    def count(self, world: World) -> int:
        """Return how many such requests were carried out."""
        return sum(
            (self.operation, self.bucket) == (request.operation, request.bucket)
            and request.key.startswith(self.prefix)
            for request in world.s3.log.requests
        )


LOADING = Point("GetObject", TARGET, LEDGERS)
LISTING = Point("ListObjectsV2", SOURCE)
READING = Point("GetObject", SOURCE, nth=3)
COPYING = Point("GetObject", TARGET, CHECKPOINT, nth=2)
WRITING_THE_LEDGER = Point("PutObject", TARGET, LEDGERS)
DECIDING = Point("PutObject", TARGET, CHECKPOINT)
WRITING_THE_REJECTS = Point("PutObject", TARGET, REJECTS)
TIDYING = Point("ListObjectsV2", TARGET)
DELETING = Point("DeleteObject", TARGET, OLD_LEDGER)


def before_a_first_run(world: World) -> None:
    """Valid objects and an invalid one."""
    world.write(1, 2, 3)
    world.put(4, b"{}")


def before_an_incremental_run(world: World) -> None:
    """New, late, rewritten, touched, repaired and broken objects, and a ledger to be deleted."""
    before_a_first_run(world)
    world.invoke()
    usual, world.s3.clock = world.s3.clock, lambda: datetime.now(UTC) - timedelta(days=60)
    world.s3.put_object(TARGET, OLD_LEDGER, b"")
    world.s3.clock = usual
    world.write(5)
    world.write(6, timestamp="2020-01-01T00:00:00Z")
    world.write(1, module="FTLD")
    world.write(2)
    world.write(4)
    world.put(7, b"{")


def start_here(command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start a process with this one's environment, which leads to the server."""
    root = str(Path(__file__).parents[2])
    paths = os.pathsep.join([root, *filter(None, sys.path)])
    return start(before=command, env={**os.environ, "PYTHONPATH": paths})


def kill_at(world: World, point: Point, command: tuple[str, ...], *, sent: bool) -> None:
    """Run a process until the point is reached, and see it killed there."""
    before = point.count(world)
    is_known = threading.Event()
    processes: list[subprocess.Popen[bytes]] = []

    def kill(_: Request) -> None:
        is_known.wait()
        processes[0].send_signal(signal.SIGKILL)
        processes[0].wait()

    hook = world.s3.plan.on_request(kill, **point.matching())
    if not sent:
        world.s3.plan.add(Fault.FAIL_BEFORE, **point.matching())
    processes.append(start_here(command))
    is_known.set()
    ended = finish(processes[0])

    assert (1, -signal.SIGKILL) == (hook.fired, ended.status), ended.stderr
    # The server goes on with the request that it was killed over; writes come one at a time.
    world.s3.log.wait_for(lambda: point.count(world) > before)
    world.s3.plan.clear()


@pytest.mark.parametrize("sent", [False, True], ids=["unsent", "sent"])
@pytest.mark.parametrize(
    "point",
    [WRITING_THE_LEDGER, DECIDING, WRITING_THE_REJECTS, DELETING],
    ids=["writing the ledger", "deciding", "writing the rejects", "deleting an old ledger"],
)
def test_a_run_that_is_killed_at_a_write_is_made_good_by_the_next(
    world: World, point: Point, *, sent: bool
) -> None:
    """Until the deciding write the old rows are there, from then on the new ones."""
    before_an_incremental_run(world)
    before = world.checkpoint()

    kill_at(world, point, COMMAND, sent=sent)

    is_decided = point in {WRITING_THE_REJECTS, DELETING} or (point is DECIDING and sent)
    if is_decided:
        assert world.every_version() == world.rows()
    else:
        assert before == world.checkpoint()
    check_next_run(world)
    # Old ledgers are deleted after a commit, so one that this has missed waits for the next.
    assert (OLD_LEDGER in world.s3.keys(TARGET)) == (
        is_decided and not (point is DELETING and sent)
    )


@pytest.mark.parametrize(
    "point",
    [LOADING, LISTING, READING, COPYING, TIDYING],
    ids=["loading", "listing", "reading", "copying the checkpoint", "tidying"],
)
def test_a_run_that_is_killed_between_its_writes_is_made_good_by_the_next(
    world: World, point: Point
) -> None:
    """Waiting for an answer, of which it does not matter whether it was on its way."""
    before_an_incremental_run(world)
    before = world.checkpoint()

    kill_at(world, point, COMMAND, sent=True)

    assert (before == world.checkpoint()) == (point is not TIDYING)
    check_next_run(world)


@pytest.mark.parametrize(
    "point, sent",
    [
        (READING, True),
        (WRITING_THE_LEDGER, True),
        (DECIDING, False),
        (DECIDING, True),
        (WRITING_THE_REJECTS, True),
    ],
    ids=["reading", "writing the ledger", "deciding, unsent", "deciding, sent", "the rejects"],
)
def test_a_first_run_that_is_killed_is_made_good_by_the_next(
    world: World, point: Point, *, sent: bool
) -> None:
    """The function itself; a ledger without a checkpoint does not stop the next one."""
    before_a_first_run(world)

    kill_at(world, point, HANDLER, sent=sent)

    is_decided = point is WRITING_THE_REJECTS or (point is DECIDING and sent)
    assert is_decided == (CHECKPOINT in world.s3.keys(TARGET))
    check_next_run(world)


def check_next_run(world: World) -> None:
    """Run twice: after the first all is there and right, the second has nothing to do."""
    world.invoke()

    assert world.every_version() == world.rows()
    assert [] == world.problems()
    again = world.requests(world.invoke)
    assert {"GetObject", "ListObjectsV2"} == {each.operation for each in again}
    assert not any(each.operation == "GetObject" and each.bucket == SOURCE for each in again)


def test_a_process_that_is_not_killed_ends_as_the_function_does(world: World) -> None:
    """Both commands reach every one of the points above, in the order of a run."""
    before_an_incremental_run(world)
    world.s3.log.clear()
    ended = finish(start_here(COMMAND))

    assert (0, world.every_version()) == (ended.status, world.rows()), ended.stderr
    points = [LOADING, LISTING, READING, COPYING, WRITING_THE_LEDGER, DECIDING]
    points += [WRITING_THE_REJECTS, TIDYING, DELETING]
    assert points == sorted(points, key=lambda point: place_of(world, point))
    assert object_key(7) not in world.ledger()["key"].to_list()


def place_of(world: World, point: Point) -> int:
    """Return the place of a point among the requests that were made."""
    places = [
        place
        for place, each in enumerate(world.s3.log.requests)
        if (each.operation, each.bucket) == (point.operation, point.bucket)
        and each.key.startswith(point.prefix)
    ]
    return places[point.nth - 1]
