"""Whatever goes wrong with any request of a run on S3, the next run ends as if nothing had.

Over HTTP, with boto3 and obstore, through the function. The rows are compared as multisets with
what was written, which also an undisturbed history ends with. What every pair of calls of two or
three runs can do to each other is enumerated in the core's tests, on a store in memory.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import Struct

from checkpoint_lambda.handler import RunFailedError
from tests.checkpoint_core.world import Row
from tests.checkpoint_lambda.invoking import document, object_key
from tests.checkpoint_storage.s3.serving import impatient
from tests.end_to_end.s3_worlds import (
    CHECKPOINT,
    LEDGERS,
    REJECTS,
    SOURCE,
    TARGET,
    Saved,
    World,
    late,
    rows_of,
)
from tests.fake_s3 import Fault, LoggedRequest, Request

pytestmark = [pytest.mark.on_one_python, pytest.mark.usefixtures("deltas")]

GOOD_BY_ITSELF = [
    Fault.FAIL_BEFORE,
    Fault.FAIL_AFTER,
    Fault.RESPONSE_LOST,
    Fault.THROTTLED,
    Fault.RESET,
    Fault.CUT_SHORT,
]
"""What a run makes good by asking again; of a read, FAIL_AFTER is the same as FAIL_BEFORE."""

OLD = timedelta(days=60)


class Undisturbed(Struct, frozen=True):
    """A scenario before the run that goes wrong, and what that run does when nothing does."""

    before: Saved
    old_rows: Counter[Row]
    old_checkpoint: bytes | None
    rows: Counter[Row]
    counts: dict[str, int]
    requests: list[LoggedRequest]


def before_a_first_run(world: World) -> None:
    """Three events and an invalid one, and no checkpoint yet."""
    world.write(1, 2, 3)
    world.put(4, b"{}")


def before_an_incremental_run(world: World) -> None:
    """New, late, rewritten, touched, repaired and deleted objects, and a ledger to be deleted.

    The next ledger is a delta: it changes no more objects than there were.
    """
    before_a_first_run(world)
    world.write(7, 8)
    world.invoke()
    usual, world.s3.clock = world.s3.clock, lambda: datetime.now(UTC) - OLD
    world.s3.put_object(TARGET, f"{LEDGERS}00000001-old.parquet", b"")
    world.s3.clock = usual
    world.write(5)
    world.write(6, timestamp="2020-01-01T00:00:00Z")
    world.write(1, module="FTLD")
    world.write(2)
    world.delete(3)
    world.write(4)


SCENARIOS = {"first": before_a_first_run, "incremental": before_an_incremental_run}
BOTH = pytest.mark.parametrize("scenario", SCENARIOS)


@pytest.fixture(scope="module")
def prepared(served: World, deltas: None) -> dict[str, Undisturbed]:
    """Every scenario, and what an undisturbed run makes of it."""
    return {name: undisturbed(served, prepare) for name, prepare in SCENARIOS.items()}


def undisturbed(world: World, prepare: Callable[[World], None]) -> Undisturbed:
    """Prepare a scenario, and run once with nothing going wrong."""
    world.clear()
    prepare(world)
    before, old_rows, old_checkpoint = world.save(), world.rows(), world.checkpoint()
    responses: list[dict[str, Any]] = []
    requests = world.requests(lambda: responses.append(world.invoke()))

    assert world.every_version() == world.rows()
    assert [] == world.problems()
    return Undisturbed(
        before, old_rows, old_checkpoint, world.rows(), responses[0]["counts"], requests
    )


def settle(world: World, expected: Counter[Row], where: object) -> None:
    """Run once more, undisturbed: the rows are what was written, and nothing is left to do."""
    world.s3.plan.clear()
    response = world.invoke()

    assert expected == world.rows(), where
    assert [] == world.ledger_problems(), where
    assert len(world.s3.keys(SOURCE)) == sum(response["counts"].values()), where
    assert response["complete"], where


def test_a_run_makes_every_kind_of_request(prepared: dict[str, Undisturbed]) -> None:
    """Those of the two scenarios are what the tests below disturb."""
    made = {
        (request.operation, request.bucket)
        for scenario in prepared.values()
        for request in scenario.requests
    }

    assert made == {
        ("GetObject", TARGET),
        ("ListObjectsV2", TARGET),
        ("ListObjectsV2", SOURCE),
        ("GetObject", SOURCE),
        ("PutObject", TARGET),
        ("DeleteObject", TARGET),
    }
    assert (13, 18) == tuple(len(scenario.requests) for scenario in prepared.values())
    assert any(".upon." in request.key for request in prepared["incremental"].requests)


@BOTH
@pytest.mark.parametrize("fault", GOOD_BY_ITSELF)
def test_one_fault_of_any_request_does_not_even_fail_the_run(
    world: World, prepared: dict[str, Undisturbed], scenario: str, fault: Fault
) -> None:
    """Exhaustively: the run has the same counts and rows, and after a write so has the next."""
    plain = prepared[scenario]
    for nth, disturbed in enumerate(plain.requests, start=1):
        if fault is Fault.FAIL_AFTER and disturbed.method == "GET":
            continue
        world.restore(plain.before)
        planned = world.s3.plan.add(fault, nth=nth)

        response = world.invoke()

        assert (1, plain.counts) == (planned.fired, response["counts"]), disturbed
        assert plain.rows == world.rows(), disturbed
        assert [] == world.ledger_problems(), disturbed
        if disturbed.method != "GET":
            settle(world, plain.rows, disturbed)
    assert [] == world.problems()


@BOTH
@pytest.mark.parametrize("times", [1, 2, None])
def test_a_conflict_fails_a_run_at_most(
    world: World, prepared: dict[str, Undisturbed], scenario: str, times: int | None
) -> None:
    """Of any write, however often: the old or the new rows are there, and then the new ones."""
    plain = prepared[scenario]
    writes = [request for request in plain.requests if request.operation == "PutObject"]
    assert len(writes) >= 2
    for write in writes:
        is_deciding = write.key == CHECKPOINT
        folder = write.key.rpartition("/")[0]
        world.restore(plain.before)
        planned = world.s3.plan.add(
            Fault.CONFLICT,
            operation="PutObject",
            where=lambda request, folder=folder: request.key.rpartition("/")[0] == folder,  # type: ignore[misc] # a default
            times=times,
        )
        try:
            world.invoke()
        except RunFailedError:
            assert plain.old_checkpoint == world.checkpoint(), write
            assert not is_deciding or times is None, write
        else:
            assert plain.rows == world.rows(), write

        assert planned.fired >= 1
        settle(world, plain.rows, write)


class Kind(Struct, frozen=True):
    """Which requests are meant: from the `nth` of them on."""

    operation: str
    bucket: str
    prefix: str
    nth: int = 1

    def plan(self, world: World, fault: Fault, **options: Any) -> Any:
        """Plan a fault of these requests."""
        return world.s3.plan.add(
            fault,
            operation=self.operation,
            bucket=self.bucket,
            where=lambda request: request.key.startswith(self.prefix),
            nth=self.nth,
            **options,
        )


KINDS = {
    "load the checkpoint": Kind("GetObject", TARGET, CHECKPOINT),
    "load the ledger": Kind("GetObject", TARGET, LEDGERS),
    "load the rejects": Kind("GetObject", TARGET, REJECTS),
    "list the objects": Kind("ListObjectsV2", SOURCE, ""),
    "read an object": Kind("GetObject", SOURCE, object_key(5)),
    "read any object": Kind("GetObject", SOURCE, ""),
    "copy the checkpoint": Kind("GetObject", TARGET, CHECKPOINT, 2),
    "write the ledger": Kind("PutObject", TARGET, LEDGERS),
    "write the checkpoint": Kind("PutObject", TARGET, CHECKPOINT),
    "write the rejects": Kind("PutObject", TARGET, REJECTS),
    "list the ledgers": Kind("ListObjectsV2", TARGET, ""),
    "delete a ledger": Kind("DeleteObject", TARGET, LEDGERS),
}
HARMLESS = {"write the rejects", "list the ledgers", "delete a ledger"}
"""They come after the commit: a run says that they failed, and has done its job."""
EFFECTIVE = {Fault.FAIL_AFTER, Fault.RESPONSE_LOST, Fault.CUT_SHORT}
"""Of a write, only the answer is lost."""


def lasting() -> Iterator[Any]:
    """Yield each kind of request of an incremental run with the faults that concern it."""
    for name, kind in KINDS.items():
        faults = [Fault.FAIL_BEFORE, Fault.THROTTLED, Fault.RESET]
        if kind.operation != "DeleteObject":
            # The answer to that has no body that could be cut.
            faults.append(Fault.CUT_SHORT)
        if kind.operation == "PutObject":
            faults += [Fault.FAIL_AFTER, Fault.RESPONSE_LOST]
        for fault in faults:
            yield pytest.param("incremental", name, fault, id=f"{name}, {fault.name}")
    for name in ("load the checkpoint", "list the ledgers", "write the ledger"):
        for fault in (Fault.FAIL_BEFORE, Fault.RESPONSE_LOST):
            yield pytest.param("first", name, fault, id=f"first, {name}, {fault.name}")
    yield pytest.param("first", "write the checkpoint", Fault.FAIL_BEFORE)
    yield pytest.param("first", "write the checkpoint", Fault.FAIL_AFTER)


@pytest.mark.parametrize("scenario, name, fault", list(lasting()))
def test_a_fault_that_lasts_leaves_the_checkpoint_as_it_was(
    world: World, prepared: dict[str, Undisturbed], scenario: str, name: str, fault: Fault
) -> None:
    """The run raises; without the fault the next one makes it good.

    Where only objects cannot be read, the others are taken. What comes after the commit fails no
    run, and a deciding write whose answers are lost is found out to have taken place.
    """
    plain = prepared[scenario]
    world.restore(plain.before)
    kind = KINDS[name]
    planned = kind.plan(world, fault, times=None)
    took_place = name == "write the checkpoint" and fault in EFFECTIVE
    after_the_commit = name in HARMLESS and scenario == "incremental"

    if took_place or after_the_commit:
        response = world.invoke()
        assert (plain.rows, plain.counts) == (world.rows(), response["counts"])
    elif name.startswith("read"):
        response = world.invoke()
        unread = 1 if name == "read an object" else 5
        assert unread == response["counts"]["unreadable"] == response["events_failed"]
        lost = [document(gear_name="gear-5")]
        expected = plain.old_rows if unread > 1 else plain.rows - rows_of(lost)
        assert expected == world.rows()
    else:
        with pytest.raises(RunFailedError) as raised:
            world.invoke()
        assert 500 == json.loads(str(raised.value))["statusCode"]
        assert plain.old_checkpoint == world.checkpoint()

    # Four times each: one attempt and three repetitions; the deciding write is asked for thrice.
    attempts = {"read any object": 20, "write the checkpoint": 1 if took_place else 3}
    assert attempts.get(name, 4) == planned.fired
    settle(world, plain.rows, name)


SLOW_ONES = [
    ("write the checkpoint", Fault.LATE),
    ("write the checkpoint", Fault.TIMEOUT),
    ("write the checkpoint", Fault.STALLED),
    ("write the ledger", Fault.LATE),
    ("read an object", Fault.TIMEOUT),
    ("read an object", Fault.STALLED),
    ("load the ledger", Fault.STALLED),
]


@pytest.mark.parametrize("name, fault", SLOW_ONES)
def test_an_answer_that_does_not_come_in_time_is_not_waited_for(
    world: World,
    prepared: dict[str, Undisturbed],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    fault: Fault,
) -> None:
    """A write may take effect after the client has given it up and asked again."""
    plain = prepared["incremental"]
    world.restore(plain.before)
    planned = KINDS[name].plan(world, fault, delay_s=0.6)
    with impatient(monkeypatch):
        response = world.invoke()

    assert (1, plain.counts) == (planned.fired, response["counts"])
    assert plain.rows == world.rows()
    if fault is Fault.LATE:
        world.await_late(planned)
    settle(world, plain.rows, name)


def test_a_deciding_write_that_is_late_each_time_took_place_once(
    world: World, prepared: dict[str, Undisturbed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt is given up before it takes effect; the first one wins, and is found."""
    plain = prepared["incremental"]
    world.restore(plain.before)
    planned = KINDS["write the checkpoint"].plan(world, Fault.LATE, delay_s=0.6, times=None)
    with impatient(monkeypatch):
        response = world.invoke()

    assert planned.fired > 1
    world.await_late(planned)
    assert (plain.rows, plain.counts) == (world.rows(), response["counts"])
    settle(world, plain.rows, None)


@pytest.mark.parametrize(
    "scenario, name",
    [
        ("first", "write the checkpoint"),
        ("incremental", "write the ledger"),
        ("incremental", "write the checkpoint"),
        ("incremental", "write the rejects"),
    ],
)
def test_a_write_of_a_failed_run_may_take_place_at_any_moment_of_the_next(
    world: World, prepared: dict[str, Undisturbed], scenario: str, name: str
) -> None:
    """Exhaustively: before each request of the run that makes good, the network delivers it.

    Both writes of the checkpoint hold the same events, and only one of them may count.
    """
    plain = prepared[scenario]
    kind = KINDS[name]
    world.restore(plain.before)
    kept: list[Request] = []
    world.s3.plan.on_request(
        kept.append,
        operation=kind.operation,
        bucket=kind.bucket,
        where=lambda request: request.key.startswith(kind.prefix),
    )
    kind.plan(world, Fault.FAIL_BEFORE, times=None)
    if name == "write the rejects":
        world.invoke()
    else:
        with pytest.raises(RunFailedError):
            world.invoke()
    failed = world.save()
    statuses = []
    for nth in range(1, len(plain.requests) + 1):
        world.restore(failed)
        world.s3.plan.on_request(
            lambda _: statuses.append(late(world.s3, kept[0])), nth=nth, times=1
        )

        world.invoke()

        assert plain.rows == world.rows(), nth
        settle(world, plain.rows, nth)
    # The condition of the late write holds until the next run has written the checkpoint.
    conditional = name == "write the checkpoint"
    assert {200, 412} == set(statuses) if conditional else {200} == set(statuses)


@BOTH
def test_an_object_that_is_rewritten_at_any_moment_is_recorded_as_it_was_read(
    world: World, prepared: dict[str, Undisturbed], scenario: str
) -> None:
    """Exhaustively: content and etag are of the same version, so that neither is taken twice.

    The older version is there exactly if it was read before.
    """
    plain = prepared[scenario]
    key = object_key(2)
    between = 0
    for nth in range(1, len(plain.requests) + 1):
        world.restore(plain.before)
        read_before: list[bool] = []

        def rewrite(_: Request, read_before: list[bool] = read_before) -> None:
            read_before.append(world.s3.log.count("GetObject", key=key) > 0)
            world.write(2, module="REWRITTEN")

        world.s3.plan.on_request(rewrite, nth=nth, times=1)
        world.invoke()
        listed_before = nth > [each.bucket for each in plain.requests].index(SOURCE) + 1
        world.s3.plan.clear()
        newer = world.s3.get_object(SOURCE, key).etag

        [etag] = world.ledger().filter(key=key)["etag"]
        assert (newer != etag) == read_before[0], nth
        between += listed_before and not read_before[0]
        older = rows_of([document(gear_name="gear-2")])
        was_taken = read_before[0] or scenario == "incremental"
        newest = rows_of([document(gear_name="gear-2", module="REWRITTEN")])
        expected = plain.rows + newest if was_taken else plain.rows - older + newest
        world.s3.log.clear()
        settle(world, expected, nth)
        assert read_before[0] == (world.s3.log.count("GetObject", key=key) > 0), nth
    assert between > 0


@BOTH
def test_an_object_that_is_deleted_at_any_moment_is_taken_or_missing(
    world: World, prepared: dict[str, Undisturbed], scenario: str
) -> None:
    """Exhaustively: nothing else is lost with it, and when it is written again it comes in."""
    plain = prepared[scenario]
    number = {"first": 3, "incremental": 5}[scenario]
    key = object_key(number)
    data = document(gear_name=f"gear-{number}")
    missing = 0
    for nth in range(1, len(plain.requests) + 1):
        world.restore(plain.before)
        read_before: list[bool] = []

        def delete(_: Request, read_before: list[bool] = read_before) -> None:
            read_before.append(world.s3.log.count("GetObject", key=key) > 0)
            world.delete(number)

        world.s3.plan.on_request(delete, nth=nth, times=1)
        counts = world.invoke()["counts"]
        rest = plain.rows if read_before[0] else plain.rows - rows_of([data])

        assert rest == world.rows(), nth
        assert not (read_before[0] and counts["missing"])
        missing += counts["missing"]
        settle(world, rest, nth)
        if counts["missing"]:
            world.put(number, data)
            settle(world, plain.rows, nth)
    assert missing > 0


def leave_alone(world: World) -> None:
    """Both runs see the same objects."""


def change(world: World) -> None:
    """The second run sees newer versions of what the first has listed, and an object more."""
    for number in (1, 2, 4):
        world.write(number, module="SECOND")
    world.write(9)


@BOTH
@pytest.mark.parametrize("between", [leave_alone, change])
def test_a_second_invocation_inside_of_any_request_of_the_first_doubles_nothing(
    world: World,
    prepared: dict[str, Undisturbed],
    scenario: str,
    between: Callable[[World], None],
) -> None:
    """Exhaustively: the whole of it while the first waits for one answer. No row is lost.

    Of a version that is overwritten meanwhile there is a row if one of both has taken it.
    """
    plain = prepared[scenario]
    for nth, request in enumerate(plain.requests, start=1):
        world.restore(plain.before)
        inner: list[dict[str, Any]] = []

        def rival(_: Request, inner: list[dict[str, Any]] = inner) -> None:
            between(world)
            inner.append(world.invoke())

        world.s3.plan.on_request(rival, nth=nth, times=1)
        outer = world.invoke()

        assert 1 == len(inner), request
        assert plain.old_rows <= world.rows() <= world.every_version(), request
        if between is leave_alone:
            taken = outer["new_events_processed"] + inner[0]["new_events_processed"]
            assert plain.counts["accepted"] == taken, request
        world.s3.plan.clear()
        world.invoke()
        assert plain.old_rows | world.newest_versions() <= world.rows(), request
        assert world.rows() <= world.every_version(), request
        assert [] == world.ledger_problems(), request
    settle(world, world.rows(), None)
    assert [] == world.problems()


def test_three_invocations_one_inside_of_the_other_double_nothing(
    world: World, prepared: dict[str, Undisturbed]
) -> None:
    """The third takes place while the second waits, which the first waits for."""
    plain = prepared["incremental"]
    count = len(plain.requests)
    for first in range(3, count + 1, 4):
        for second in range(2, count + 1, 5):
            world.restore(plain.before)
            at = first + second
            world.s3.plan.on_request(lambda _: world.invoke(), nth=first, times=1)
            world.s3.plan.on_request(lambda _: world.invoke(), nth=at, times=1)

            world.invoke()

            assert plain.rows == world.rows(), (first, second)
    settle(world, plain.rows, None)
    assert [] == world.problems()


@BOTH
def test_an_invocation_that_is_delivered_twice_changes_nothing_twice(
    world: World, prepared: dict[str, Undisturbed], scenario: str
) -> None:
    """The second finds nothing to do, writes nothing and reads no object."""
    plain = prepared[scenario]
    world.restore(plain.before)
    world.invoke()
    checkpoint, files = world.checkpoint(), world.s3.keys(TARGET)
    responses: list[dict[str, Any]] = []

    requests = world.requests(lambda: responses.append(world.invoke()))

    assert (checkpoint, files) == (world.checkpoint(), world.s3.keys(TARGET))
    assert {"GetObject", "ListObjectsV2"} == {each.operation for each in requests}
    assert not any(each.operation == "GetObject" and each.bucket == SOURCE for each in requests)
    assert (0, True) == (responses[0]["new_events_processed"], responses[0]["complete"])
    assert plain.rows == world.rows()
