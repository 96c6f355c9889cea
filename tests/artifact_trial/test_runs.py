"""The built function on an S3 look-alike: starts, runs, failures and ends."""

import json
from collections.abc import Iterator

import polars as pl
import pytest
from msgspec import Struct

from tests.artifact_trial.sandbox import Function, Sandbox
from tests.fake_s3 import FakeS3, Fault, SyntheticEvents, serve

EVENTS, CHECKPOINTS, KEY = "events", "checkpoints", "out/events.parquet"
OBJECTS, BATCH = 500, 50
# What a run keeps for its commit, and what one has beside that: enough to start on a slow machine.
RESERVE_S, HARDLY_S = 60, 5
VARIABLES = {
    "BATCH_OBJECTS": str(BATCH),
    "CHECKPOINT_BUCKET": CHECKPOINTS,
    "CHECKPOINT_KEY": KEY,
    "RESERVE_SECONDS": str(RESERVE_S),
    "SOURCE_BUCKET": EVENTS,
}


class World(Struct, frozen=True):
    """Buckets, and the address that they are at."""

    s3: FakeS3
    endpoint_url: str

    def rows(self) -> int:
        """Return how many rows the checkpoint has."""
        return pl.read_parquet(self.s3.get_object(CHECKPOINTS, KEY).data).height


@pytest.fixture
def world() -> Iterator[World]:
    """Give event objects and no checkpoint."""
    s3 = FakeS3()
    for bucket in (EVENTS, CHECKPOINTS):
        s3.create_bucket(bucket)
    s3.generate(EVENTS, SyntheticEvents(OBJECTS))
    with serve(s3) as server:
        yield World(s3, server.endpoint_url)


@pytest.fixture
def function(sandbox: Sandbox, world: World) -> Iterator[Function]:
    """Give the function, just started."""
    with sandbox.function(world.endpoint_url, VARIABLES) as started:
        yield started


def test_a_cold_start_and_a_warm_invocation_take_what_is_new(
    world: World, function: Function
) -> None:
    """The second one, in the same process, only what has come since."""
    first = function.invoke()
    world.s3.generate(EVENTS, SyntheticEvents(OBJECTS + 7))
    second = function.invoke()
    third = function.invoke()
    starts = [line["cold_start"] for line in function.logged("run_completed")]

    assert [OBJECTS, 7, 0] == [each["new_events_processed"] for each in (first, second, third)]
    assert [False, True, True] == [each["incremental"] for each in (first, second, third)]
    assert [True, False, False] == starts
    assert OBJECTS + 7 == world.rows() == third["total_events"]


def test_a_run_that_runs_out_of_time_commits_what_it_has_and_the_next_takes_the_rest(
    world: World, function: Function
) -> None:
    """It says that there is more."""
    # The first object of the second batch arrives when the time for reading is over.
    late = world.s3.plan.add(
        Fault.SLOW, operation="GetObject", bucket=EVENTS, nth=BATCH + 1, delay_s=HARDLY_S
    )
    first = function.invoke(remaining_s=RESERVE_S + HARDLY_S)
    committed = world.rows()
    second = function.invoke()

    assert 1 == late.fired
    assert not first["complete"]
    assert 0 < committed < OBJECTS
    assert second["complete"]
    assert OBJECTS == world.rows()


def test_a_run_that_fails_is_an_error_to_lambda_and_the_function_goes_on(
    world: World, function: Function
) -> None:
    """The error's message is the error document."""
    error = function.fail({"source_bucket": "no-such-bucket"})
    document = json.loads(error["errorMessage"])
    response = function.invoke()

    assert "RunFailedError" == error["errorType"]
    assert (500, "StorageError") == (document["statusCode"], document["error"])
    assert OBJECTS == world.rows() == response["total_events"]


def test_without_its_layers_the_function_does_not_start(sandbox: Sandbox, world: World) -> None:
    """So what is in them is not in the function, nor found anywhere else."""
    with sandbox.function(world.endpoint_url, VARIABLES, has_layers=False) as function:
        error = function.fail_to_start()

    assert "Runtime.ImportModuleError" == error["errorType"]


def test_nothing_is_compiled_while_it_runs(sandbox: Sandbox, function: Function) -> None:
    """Every module came compiled: in Lambda, where nothing is kept, it would be at each start."""
    if not sandbox.layout.has_bytecode:
        pytest.skip("built with --no-bytecode")
    function.invoke()

    assert frozenset() == sandbox.layout.added()
