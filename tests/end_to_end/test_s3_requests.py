"""How many requests a run makes: pages of the listing, one read per new object, a handful more.

The handful, in the order of a run: the checkpoint's tail, the digests of its files, the ledger that
it names (two files where one is a delta), the rejects; where something is to be committed, the
checkpoint as a whole, the new ledger, the digests, the checkpoint, the rejects where they changed,
with a look at the list of the withheld before and after, and the list of the ledgers, of which old
ones are deleted.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from checkpoint_core import (
    Host,
    Observer,
)
from checkpoint_lambda.handler import RunFailedError
from checkpoint_storage.local import local_host
from tests.checkpoint_lambda.invoking import object_key
from tests.end_to_end.s3_worlds import (
    CHECKPOINT,
    LEDGERS,
    REJECTS,
    SOURCE,
    TARGET,
    World,
    serving_world,
)
from tests.fake_s3 import LoggedRequest, SyntheticEvents

PREFIX = "prod/"
LIST = "out/_withheld/events.json"
_RESTORE_STATES = "x-amz-optional-object-attributes"
Requests = dict[tuple[str, str], int]

TAIL = ("GetObject", CHECKPOINT)
COPY = ("GetObject", CHECKPOINT)
DIGESTS = ("GetObject", "digests")
LEDGER = ("GetObject", LEDGERS)
LOADED_REJECTS = ("GetObject", REJECTS)
LOADED_LIST = ("GetObject", LIST)
PAGE = ("ListObjectsV2", SOURCE)
READ = ("GetObject", SOURCE)
HEAD = ("HeadObject", SOURCE)
WRITTEN_LEDGER = ("PutObject", LEDGERS)
WRITTEN_DIGESTS = ("PutObject", "digests")
WRITTEN_CHECKPOINT = ("PutObject", CHECKPOINT)
WRITTEN_REJECTS = ("PutObject", REJECTS)
LISTED_LEDGERS = ("ListObjectsV2", TARGET)


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    """One server for all tests of this module, whose function reads as many at a time as usual."""
    with serving_world() as world, pytest.MonkeyPatch.context() as patch:
        patch.delenv("READ_CONCURRENCY")
        yield world


def invoke(world: World, **changed: Any) -> tuple[dict[str, Any], Requests, list[LoggedRequest]]:
    """Invoke once; return the response, how many requests of each kind there were, and all."""
    world.s3.log.clear()
    response = world.invoke(**changed)
    requests = list(world.s3.log.requests)
    return response, dict(Counter(map(kind_of, requests))), requests


def kind_of(request: LoggedRequest) -> tuple[str, str]:
    """Return the operation with what it concerns: a file of the checkpoint's, or a bucket."""
    if request.key.startswith(LEDGERS) and request.key.endswith(".json"):
        return request.operation, "digests"
    for what in (CHECKPOINT, LEDGERS, REJECTS, LIST):
        if request.key.startswith(what):
            return request.operation, what
    return request.operation, request.bucket


def keys_read(requests: list[LoggedRequest]) -> list[str]:
    """Return the keys of the event objects that were read, sorted."""
    return sorted(each.key for each in requests if kind_of(each) == READ)


def test_a_first_run_reads_each_object_once(world: World) -> None:
    """Eleven requests for the checkpoint, one page of the listing, one GET per object.

    Four find out that there is neither a checkpoint nor a ledger without one, nor a list of the
    withheld, nor rejects. Then the ledger, the digests, the checkpoint and the rejects are written,
    between two looks for the list, and the ledgers are listed to delete old ones.
    """
    world.write(*range(199))
    world.put(199, b"{}")
    response, made, requests = invoke(world)

    assert 199 == response["new_events_processed"]
    assert made == {
        TAIL: 1,
        LOADED_REJECTS: 1,
        LOADED_LIST: 1 + 2,
        PAGE: 1,
        READ: 200,
        WRITTEN_LEDGER: 1,
        WRITTEN_DIGESTS: 1,
        WRITTEN_CHECKPOINT: 1,
        WRITTEN_REJECTS: 1,
        LISTED_LEDGERS: 2,
    }
    assert world.s3.keys(SOURCE) == keys_read(requests)


def test_a_source_without_events_is_only_looked_at(world: World) -> None:
    """No checkpoint is made: four look for what there is, one lists."""
    _, made, _ = invoke(world)

    assert made == {TAIL: 1, LISTED_LEDGERS: 1, LOADED_REJECTS: 1, LOADED_LIST: 1, PAGE: 1}


def test_a_run_with_nothing_new_reads_no_object_and_writes_nothing(world: World) -> None:
    """Six: the checkpoint's tail, digests, ledger, list, rejects, and one page of the listing.

    Also where there are rejects: under the same rules they are not read again.
    """
    world.write(*range(20))
    world.put(20, b"{}")
    world.s3.put_object(SOURCE, "prod/readme.txt", b"not an event")
    world.invoke()
    response, made, _ = invoke(world)

    assert 0 == response["new_events_processed"]
    assert made == {TAIL: 1, DIGESTS: 1, LEDGER: 1, LOADED_REJECTS: 1, LOADED_LIST: 1, PAGE: 1}


def test_what_is_new_is_all_that_is_read(world: World, deltas: None) -> None:
    """Of new, rewritten and touched objects, each once; the checkpoint is copied to be merged.

    Afterwards, with nothing new, there is one request more: the ledger has become a delta. Of a
    listing that is divided among threads, each learns only from a page that it has come to the end
    of its part: there are as many pages more as there are parts, a few for each thread.
    """
    world.s3.page_size = 2
    world.write(*range(200))
    world.invoke()
    world.write(3, packet="F")
    world.write(4)
    world.write(500, 501)
    response, made, requests = invoke(world)
    pages = made.pop(PAGE)

    assert (3, 1) == (response["new_events_processed"], response["counts"]["touched"])
    assert made == {
        TAIL: 1 + 1,  # and the copy
        DIGESTS: 1,
        LEDGER: 1,
        LOADED_REJECTS: 1,
        LOADED_LIST: 1,
        READ: 4,
        WRITTEN_LEDGER: 1,
        WRITTEN_DIGESTS: 1,
        WRITTEN_CHECKPOINT: 1,
        LISTED_LEDGERS: 2,  # of four files
    }
    assert [object_key(number) for number in (3, 4, 500, 501)] == keys_read(requests)
    assert 101 <= pages <= 101 + 4 * 32

    _, made, _ = invoke(world)
    assert 101 <= made.pop(PAGE) <= 101 + 4 * 32
    assert made == {TAIL: 1, DIGESTS: 1, LEDGER: 2, LOADED_REJECTS: 1, LOADED_LIST: 1}


def test_archived_objects_cost_one_failing_request_each_and_then_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until they are restored, and then one GET each; the others of the archive stay unread.

    What the refusal means is asked by a HEAD, which does not fail. The run after, and one a day,
    asks for restore states with the listing, which costs no request more.
    """
    world.s3.generate(SOURCE, SyntheticEvents(40, prefix=PREFIX, archived=30))
    asked = world.s3.plan.on_request(
        lambda _: None, where=lambda request: _RESTORE_STATES in request.headers
    )
    first, made, requests = invoke(world)

    assert (10, 30) == (first["new_events_processed"], first["counts"]["archived"])
    assert (40, 30) == (made[READ], made[HEAD])
    assert {READ: 30} == dict(
        Counter(kind_of(each) for each in requests if each.status >= 400 and each.bucket == SOURCE)
    )
    assert world.s3.keys(SOURCE) == keys_read(requests)

    archived = sorted(each.key for each in requests if each.operation == "HeadObject")
    for times_asked in (1, 1, 1):
        again, made, _ = invoke(world)
        assert 30 == again["counts"]["rejected_before"]
        # They keep when restore states were last asked for.
        looks = 2 * made.pop(WRITTEN_REJECTS, 0)
        assert made.pop(LOADED_LIST) == 1 + looks
        assert made == {TAIL: 1, DIGESTS: 1, LEDGER: 1, LOADED_REJECTS: 1, PAGE: 1}
        assert times_asked == asked.fired

    for key in archived[:7]:
        world.s3.restore(SOURCE, key, until=datetime.now(UTC) + timedelta(days=7))
    assert (0, READ in made) == (invoke(world)[0]["new_events_processed"], False)
    let_a_day_go_by(monkeypatch)
    after, made, requests = invoke(world)

    assert (7, 23) == (after["new_events_processed"], after["counts"]["rejected_before"])
    assert (archived[:7], 2) == (keys_read(requests), asked.fired)
    assert (1, False) == (made[PAGE], HEAD in made)
    assert {200} == {each.status for each in requests if kind_of(each) == READ}


def let_a_day_go_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the coming runs take place tomorrow."""

    def tomorrow(workdir: Path, observer: Observer) -> Host:
        return structs.replace(
            local_host(workdir, observer), now=lambda: datetime.now(UTC) + timedelta(days=1)
        )

    monkeypatch.setattr("checkpoint_lambda._invocation.local_host", tomorrow)


def test_a_refused_object_costs_three_requests_in_each_run(world: World) -> None:
    """GET is refused; HEAD would tell an archived one; only boto3's GET learns the code."""
    world.write(*range(20))
    world.s3.deny(SOURCE, object_key(3), "GetObject")
    for others in (19, 0):
        world.s3.log.clear()
        with pytest.raises(RunFailedError, match="DeniedObjectsError"):
            world.invoke()
        made = list(world.s3.log.requests)

        refused = [each.operation for each in made if each.key == object_key(3)]
        assert ["GetObject", "HeadObject", "GetObject"] == refused
        assert others + 2 == len(keys_read(made))
