"""Requests that are never answered: over HTTP, by real threads, against a real clock.

The server is the test's own for each of them: threads that wait for an answer end when it does.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from checkpoint_lambda.handler import RunFailedError, lambda_handler
from tests.checkpoint_lambda.invoking import EVENT, Context, object_key
from tests.end_to_end.commands import finish, start
from tests.end_to_end.s3_worlds import CHECKPOINT, SOURCE, TARGET, World, serving_world
from tests.fake_s3 import Fault

pytestmark = pytest.mark.on_one_python

RESERVE_S = 8.0
READING_S = 1.5
SHORT_S = 5.0  # three of which a run keeps to say so
COMMAND = ("run", f"s3://{SOURCE}/prod", f"s3://{TARGET}/{CHECKPOINT}")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give an empty world with some threads; none of them is left when its server has stopped."""
    with serving_world() as world:
        world.clear()
        monkeypatch.setenv("READ_CONCURRENCY", "8")
        monkeypatch.setenv("RESERVE_SECONDS", str(RESERVE_S))
        yield world
    end = time.monotonic() + 10
    while left := waiting_threads():
        assert time.monotonic() < end, left
        time.sleep(0.01)


def waiting_threads() -> list[str]:
    """Return the names of the threads of readers and listers that are alive."""
    names = ("reading-", "s3-listing-")
    return [each.name for each in threading.enumerate() if each.name.startswith(names)]


def silence(world: World, *numbers: int) -> None:
    """Let no request for these objects have an answer."""
    for number in numbers:
        world.s3.plan.add(Fault.TIMEOUT, operation="GetObject", key=object_key(number), times=None)


def time_left(seconds: float) -> Callable[[], int]:
    """Return what Lambda's context says when there were so many seconds a moment ago."""
    end = time.monotonic() + seconds
    return lambda: max(0, round((end - time.monotonic()) * 1000))


def time_left_after(world: World, reads: int) -> Callable[[], int]:
    """Return what it says when time is short from so many reads on, however long those take."""
    seen = world.s3.plan.on_request(lambda _request: None, operation="GetObject", bucket=SOURCE)
    ends: list[Callable[[], int]] = []

    def remaining_ms() -> int:
        if seen.fired < reads:
            return 900_000
        if not ends:
            ends.append(time_left(READING_S + RESERVE_S))
        return ends[0]()

    return remaining_ms


def invoke(remaining_ms: Callable[[], int]) -> dict[str, object]:
    """Invoke the function, which Lambda ends after this time."""
    return lambda_handler(EVENT, Context(remaining_ms))


def test_what_was_read_is_committed_although_three_never_answer(world: World) -> None:
    """Before the reserve is over; the next invocation takes the three."""
    world.write(*range(300))
    silence(world, 0, 7, 299)
    remaining_ms = time_left_after(world, 300)

    first = invoke(remaining_ms)

    assert remaining_ms() > 0
    assert (297, False) == (first["new_events_processed"], first["complete"])
    assert 297 == world.rows().total()

    world.write(300)
    second = invoke(time_left_after(world, 4))
    assert (1, False) == (second["new_events_processed"], second["complete"])

    world.s3.plan.clear()
    last = lambda_handler(EVENT, Context())
    assert (3, True) == (last["new_events_processed"], last["complete"])
    assert world.every_version() == world.rows()
    assert [] == world.problems()


def test_more_that_hang_than_threads_are_told_as_the_cause(world: World) -> None:
    """They come first each time; so it must be loud."""
    world.write(*range(12))
    silence(world, *range(8))

    with pytest.raises(RunFailedError, match="12 that were asked for did not answer"):
        invoke(time_left_after(world, 8))

    assert world.checkpoint() is None


@pytest.mark.parametrize(
    "operation, bucket, nth, stage",
    [
        ("GetObject", TARGET, 1, "load"),
        ("ListObjectsV2", SOURCE, 1, "list"),
        ("ListObjectsV2", SOURCE, 2, "list"),  # which are asked for by threads
    ],
)
def test_a_run_that_cannot_begin_to_read_ends_before_it_is_killed(
    world: World,
    capsys: pytest.CaptureFixture[str],
    operation: str,
    bucket: str,
    nth: int,
    stage: str,
) -> None:
    """With an error that says where it waited, and a line for the alarm."""
    world.invoke()  # which makes the connections
    world.s3.page_size = 2
    world.write(*range(20))
    world.s3.plan.add(Fault.TIMEOUT, operation=operation, bucket=bucket, nth=nth, times=None)
    remaining_ms = time_left(SHORT_S)
    capsys.readouterr()

    with pytest.raises(RunFailedError, match="OutOfTimeError") as raised:
        invoke(remaining_ms)

    assert remaining_ms() > 0
    assert signal.SIG_DFL == signal.getsignal(signal.SIGALRM)
    assert f"was over in or after the stage {stage}" in str(raised.value)
    assert '"RunSucceeded":0' in capsys.readouterr().out.replace(" ", "")
    assert world.checkpoint() is None


def test_an_interrupted_command_does_not_wait_for_an_answer(world: World) -> None:
    """Ctrl-C ends it in a moment, with its usual line."""
    world.write(*range(20))
    asked = threading.Event()
    silence(world, *range(20))
    world.s3.plan.on_request(
        lambda _request: asked.set(), operation="GetObject", key=object_key(5), times=1
    )
    process = start(*COMMAND, env=dict(os.environ))
    try:
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    ended = finish(process)

    assert 130 == ended.status
    assert "interrupted" in ended.stderr
    assert "Traceback" not in ended.stderr
