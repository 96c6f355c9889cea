"""How many requests a run makes: pages of the listing, one read per new object, a handful more.

The handful, in the order of a run: the checkpoint's tail, the digests of its files, the ledger that
it names (two files where one is a delta), the rejects; where something is to be committed, the
checkpoint as a whole, the new ledger, the digests, the checkpoint, the rejects where they changed,
and the list of the ledgers, of which old ones are deleted.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec import structs

from checkpoint_core import (
    LISTING_SCHEMA,
    Content,
    Host,
    Observer,
    Request,
    Settings,
    run,
)
from checkpoint_core.stores import QuietObserver, unlimited
from checkpoint_lambda.handler import RunFailedError
from checkpoint_storage.local import local_host
from checkpoint_storage.s3._store import S3Store
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
_RESTORE_STATES = "x-amz-optional-object-attributes"
Requests = dict[tuple[str, str], int]

TAIL = ("GetObject", CHECKPOINT)
COPY = ("GetObject", CHECKPOINT)
DIGESTS = ("GetObject", "digests")
LEDGER = ("GetObject", LEDGERS)
LOADED_REJECTS = ("GetObject", REJECTS)
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
    for what in (CHECKPOINT, LEDGERS, REJECTS):
        if request.key.startswith(what):
            return request.operation, what
    return request.operation, request.bucket


def keys_read(requests: list[LoggedRequest]) -> list[str]:
    """Return the keys of the event objects that were read, sorted."""
    return sorted(each.key for each in requests if kind_of(each) == READ)


def test_a_first_run_reads_each_object_once(world: World) -> None:
    """Seven requests for the checkpoint, one page of the listing, one GET per object.

    Three find out that there is neither a checkpoint nor a ledger without one, nor rejects. Then
    the ledger, the digests and the checkpoint are written, and the ledgers are listed to delete
    old ones.
    """
    world.write(*range(700))
    response, made, requests = invoke(world)

    assert 700 == response["new_events_processed"]
    assert made == {
        TAIL: 1,
        LOADED_REJECTS: 1,
        PAGE: 1,
        READ: 700,
        WRITTEN_LEDGER: 1,
        WRITTEN_DIGESTS: 1,
        WRITTEN_CHECKPOINT: 1,
        LISTED_LEDGERS: 2,
    }
    assert world.s3.keys(SOURCE) == keys_read(requests)


def test_a_first_run_with_rejects_writes_them_too(world: World) -> None:
    """One request more."""
    world.write(1, 2)
    world.put(3, b"{}")
    _, made, _ = invoke(world)

    assert made == {
        TAIL: 1,
        LOADED_REJECTS: 1,
        PAGE: 1,
        READ: 3,
        WRITTEN_LEDGER: 1,
        WRITTEN_DIGESTS: 1,
        WRITTEN_CHECKPOINT: 1,
        WRITTEN_REJECTS: 1,
        LISTED_LEDGERS: 2,
    }


def test_a_source_without_events_is_only_looked_at(world: World) -> None:
    """No checkpoint is made: three look for what there is, one lists."""
    _, made, _ = invoke(world)

    assert made == {TAIL: 1, LISTED_LEDGERS: 1, LOADED_REJECTS: 1, PAGE: 1}


def test_a_run_with_nothing_new_reads_no_object_and_writes_nothing(world: World) -> None:
    """Five: the checkpoint's tail, the digests, the ledger, the rejects, one page of the listing.

    Also where there are rejects: under the same rules they are not read again.
    """
    world.write(*range(200))
    world.put(200, b"{}")
    world.s3.put_object(SOURCE, "prod/readme.txt", b"not an event")
    world.invoke()
    response, made, _ = invoke(world)

    assert 0 == response["new_events_processed"]
    assert made == {TAIL: 1, DIGESTS: 1, LEDGER: 1, LOADED_REJECTS: 1, PAGE: 1}


def test_what_is_new_is_all_that_is_read(world: World) -> None:
    """Of new, rewritten and touched objects, each once; the checkpoint is copied to be merged."""
    world.write(*range(200))
    world.invoke()
    world.write(3, packet="F")
    world.write(4)
    world.write(500, 501)
    response, made, requests = invoke(world)

    assert (3, 1) == (response["new_events_processed"], response["counts"]["touched"])
    assert made == {
        TAIL: 1 + 1,  # and the copy
        DIGESTS: 1,
        LEDGER: 1,
        LOADED_REJECTS: 1,
        PAGE: 1,
        READ: 4,
        WRITTEN_LEDGER: 1,
        WRITTEN_DIGESTS: 1,
        WRITTEN_CHECKPOINT: 1,
        LISTED_LEDGERS: 1,
    }
    assert [object_key(number) for number in (3, 4, 500, 501)] == keys_read(requests)


class Loaded:
    """The synthetic events as a source that costs no request, as the server lists them."""

    location = f"s3://{SOURCE}/{PREFIX}"

    def __init__(self, events: SyntheticEvents) -> None:
        self._events = events

    def list_objects(self, *, restore_states: bool) -> pl.DataFrame:
        keys = [self._events.keys[position] for position in range(len(self._events.keys))]
        found = [self._find(key) for key in keys]
        return pl.DataFrame(
            {
                "key": keys,
                "etag": [each.etag for each in found],
                "size": [len(each.data) for each in found],
                "last_modified": [each.last_modified for each in found],
                "archived": [None] * len(keys),
            },
            schema=LISTING_SCHEMA,
        )

    def read(
        self,
        keys: Sequence[str],
        *,
        max_size_bytes: int,
        remaining_s: Callable[[], float] = unlimited,
    ) -> Iterator[Content]:
        for key in keys:
            each = self._find(key)
            yield Content(key=key, data=each.data, etag=each.etag, last_modified=each.last_modified)

    def _find(self, key: str) -> Any:
        return self._events.find(key)


def test_a_thousand_new_among_a_hundred_thousand(world: World) -> None:
    """Ten requests for the checkpoint, 1,000 reads, and little more than 101 pages.

    The listing is divided among threads, each of which learns only from a page that it has come
    to the end of its part: there are as many pages more as there are parts, a few for each thread.
    Afterwards, with nothing new, five and the pages are left: the ledger has become a delta.
    """
    world.s3.generate(SOURCE, SyntheticEvents(101_000, prefix=PREFIX))
    before = SyntheticEvents(100_000, prefix=PREFIX)
    with tempfile.TemporaryDirectory() as folder:
        taken = run(
            Loaded(before),
            S3Store(TARGET, CHECKPOINT),
            settings=Settings(),
            request=Request(),
            host=local_host(Path(folder), QuietObserver()),
        )
    response, made, requests = invoke(world)
    pages = made.pop(PAGE)

    assert (100_000, 1_000, 101_000) == (
        taken.counts.accepted,
        response["new_events_processed"],
        response["total_events"],
    )
    assert made == {
        TAIL: 1 + 1,  # and the copy
        DIGESTS: 1,
        LEDGER: 1,
        LOADED_REJECTS: 1,
        READ: 1_000,
        WRITTEN_LEDGER: 1,
        WRITTEN_DIGESTS: 1,
        WRITTEN_CHECKPOINT: 1,
        LISTED_LEDGERS: 1,
    }
    new = set(world.s3.keys(SOURCE)) - {before.keys[number] for number in range(100_000)}
    assert sorted(new) == keys_read(requests)
    assert 101 <= pages <= 101 + 4 * 32

    _, made, _ = invoke(world)
    assert 101 <= made.pop(PAGE) <= 101 + 4 * 32
    assert made == {TAIL: 1, DIGESTS: 1, LEDGER: 2, LOADED_REJECTS: 1}


def test_archived_objects_cost_one_failing_request_each_and_then_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until they are restored, and then one GET each; the others of the archive stay unread.

    What the refusal means is asked by a HEAD, which does not fail. The run after, and one a day,
    asks for restore states with the listing, which costs no request more.
    """
    world.s3.generate(SOURCE, SyntheticEvents(400, prefix=PREFIX, archived=300))
    asked = world.s3.plan.on_request(
        lambda _: None, where=lambda request: _RESTORE_STATES in request.headers
    )
    first, made, requests = invoke(world)

    assert (100, 300) == (first["new_events_processed"], first["counts"]["archived"])
    assert (400, 300) == (made[READ], made[HEAD])
    assert {READ: 300} == dict(
        Counter(kind_of(each) for each in requests if each.status >= 400 and each.bucket == SOURCE)
    )
    assert world.s3.keys(SOURCE) == keys_read(requests)

    archived = [key for key in world.s3.keys(SOURCE) if is_archived(world, key)]
    for times_asked in (1, 1, 1):
        again, made, _ = invoke(world)
        assert 300 == again["counts"]["rejected_before"]
        assert {TAIL: 1, DIGESTS: 1, LEDGER: 1, LOADED_REJECTS: 1, PAGE: 1} == without_writes(made)
        assert times_asked == asked.fired

    for key in archived[:7]:
        world.s3.restore(SOURCE, key, until=datetime.now(UTC) + timedelta(days=7))
    assert (0, READ in made) == (invoke(world)[0]["new_events_processed"], False)
    let_a_day_go_by(monkeypatch)
    after, made, requests = invoke(world)

    assert (7, 293) == (after["new_events_processed"], after["counts"]["rejected_before"])
    assert (archived[:7], 2) == (keys_read(requests), asked.fired)
    assert (1, False) == (made[PAGE], HEAD in made)
    assert {200} == {each.status for each in requests if kind_of(each) == READ}


def is_archived(world: World, key: str) -> bool:
    """Say whether an object is in an archive class."""
    return world.s3.head_object(SOURCE, key).storage_class == "GLACIER"


def without_writes(made: Requests) -> Requests:
    """Leave out the rejects, which keep when restore states were last asked for."""
    return {kind: count for kind, count in made.items() if kind != WRITTEN_REJECTS}


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
