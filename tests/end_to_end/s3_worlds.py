"""A function whose objects and checkpoint are in the S3 look-alike, which never waits in vain.

The pauses between attempts are left out: everything else, boto3 and obstore included, is real.
"""

import copy
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec import Struct, structs

from checkpoint_core import Host, Observer, Settings
from checkpoint_core.verifying import verify
from checkpoint_lambda.handler import lambda_handler
from checkpoint_storage.local import local_host
from checkpoint_storage.s3._source import S3Source
from checkpoint_storage.s3._store import S3Store
from nacc_event_model import InvalidEvent
from tests.checkpoint_core.oracle import digest_of
from tests.checkpoint_core.world import Row, ledger_rows, multiset, read_json_metadata, row
from tests.checkpoint_lambda.invoking import EVENT, Context, document, object_key
from tests.checkpoint_storage.s3.serving import serving
from tests.fake_s3 import FakeS3, Fault, LoggedRequest, PlannedFault, Request
from tests.fake_s3.operations import handle

SOURCE = "events"
TARGET = "checkpoints"
CHECKPOINT = "out/events.parquet"
REJECTS = "out/_rejects/events.parquet"
LEDGERS = "out/_ledger/events/"
OLD_LEDGER = f"{LEDGERS}00000001-old.parquet"
Saved = tuple[Any, dict[str, list[bytes]]]


@contextmanager
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave out every pause: of botocore, of the adapters and of the core."""
    monkeypatch.setattr("checkpoint_storage.s3._retrying.backoff", lambda *_: 0.0)
    monkeypatch.setattr("checkpoint_lambda._invocation.local_host", host_without_pauses)
    yield


def host_without_pauses(workdir: Path, observer: Observer) -> Host:
    """Return this machine, with nothing that it waits for."""
    return structs.replace(local_host(workdir, observer), pause=lambda _: None)


@contextmanager
def serving_world() -> Iterator["World"]:
    """Give a world behind a server, to be cleared between tests: clients cost more than runs.

    Etags are not of the content, as with KMS. Objects are read one after the other, so that the
    n-th request of a run is the same one each time.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        hurried(patch),
        serving(patch) as s3,
        tempfile.TemporaryDirectory() as folder,
    ):
        patch.setenv("READ_CONCURRENCY", "1")
        patch.setenv("LOG_LEVEL", "ERROR")
        patch.setattr("tempfile.tempdir", folder)
        s3.opaque_etags = True
        yield World(s3)


def rows_of(documents: Iterable[bytes]) -> Counter[Row]:
    """Return the rows of those documents that are valid events."""
    found: Counter[Row] = Counter()
    for data in documents:
        with suppress(InvalidEvent):
            found[row(data)] += 1
    return found


class World:
    """Two buckets, and the function; `versions` is what was ever written, by key."""

    def __init__(self, s3: FakeS3) -> None:
        self.s3 = s3
        self.versions: dict[str, list[bytes]] = {}

    def clear(self) -> None:
        """Begin anew: two empty buckets, nothing planned."""
        self.s3._buckets.clear()
        self.s3.plan.clear()
        self.s3.log.clear()
        self.s3.page_size = 1000
        self.s3.create_bucket(SOURCE)
        self.s3.create_bucket(TARGET)
        self.versions.clear()

    def save(self) -> Saved:
        """Return the state of both buckets."""
        with self.s3.lock:
            return copy.deepcopy((self.s3._buckets, self.versions))

    def restore(self, saved: Saved) -> None:
        """Go back to a state, with nothing planned and nothing logged."""
        with self.s3.lock:
            self.s3._buckets, self.versions = copy.deepcopy(saved)
            self.s3.plan.clear()
            self.s3.log.clear()

    def put(self, number: int, data: bytes) -> None:
        """Write an object, whatever it holds."""
        self.versions.setdefault(object_key(number), []).append(data)
        self.s3.put_object(SOURCE, object_key(number), data)

    def write(self, *numbers: int, **changed: Any) -> None:
        """Write the usual event under these keys, told apart by gear_name."""
        for number in numbers:
            self.put(number, document(**({"gear_name": f"gear-{number}"} | changed)))

    def delete(self, number: int) -> None:
        """Remove an object."""
        self.s3.delete_object(SOURCE, object_key(number))

    def invoke(self, **changed: Any) -> dict[str, Any]:
        """Invoke the function once and return its response. Raises RunFailedError."""
        return lambda_handler({**EVENT, **changed}, Context())

    def requests(self, act: Callable[[], object]) -> list[LoggedRequest]:
        """Return the requests that something makes."""
        self.s3.log.clear()
        act()
        return list(self.s3.log.requests)

    def await_late(self, planned: PlannedFault) -> None:
        """Return when all writes that were to be late have taken place, before anything else."""
        while self.landed() < planned.fired:
            time.sleep(0.01)

    def landed(self) -> int:
        """Return how many late requests have been carried out."""
        return sum(each.fault is Fault.LATE for each in list(self.s3.log.requests))

    def checkpoint(self) -> bytes | None:
        """Return the checkpoint file, None without one."""
        if CHECKPOINT not in self.s3.keys(TARGET):
            return None
        return bytes(self.s3.get_object(TARGET, CHECKPOINT).data)

    def rows(self) -> Counter[Row]:
        """Return the multiset of the checkpoint's rows."""
        data = self.checkpoint()
        return Counter() if data is None else multiset(pl.read_parquet(data))

    def ledger(self) -> pl.DataFrame:
        """Return the ledger in force."""
        data = self.checkpoint()
        assert data is not None
        return ledger_rows(
            read_json_metadata(data), lambda name: self.s3.get_object(TARGET, LEDGERS + name).data
        )

    def every_version(self) -> Counter[Row]:
        """Return the rows of all that was ever written; what was only touched counts once."""
        distinct = [dict.fromkeys(versions) for versions in self.versions.values()]
        return rows_of(data for versions in distinct for data in versions)

    def newest_versions(self) -> Counter[Row]:
        """Return the rows of the objects as they are now."""
        return rows_of(self.s3.get_object(SOURCE, key).data for key in self.s3.keys(SOURCE))

    def ledger_problems(self) -> list[str]:
        """Return which valid objects are not in the ledger as they are now, and wrong numbers."""
        ledger = self.ledger()
        digests = dict(ledger.select("key", "digest").iter_rows())
        objects = {key: self.s3.get_object(SOURCE, key).data for key in self.s3.keys(SOURCE)}
        found = [
            f"{key}: not the newest version"
            for key, data in objects.items()
            if rows_of([data]) and digests.get(key) != digest_of(data)
        ]
        versions = ledger["versions"].sum()
        if versions != self.rows().total():
            found.append(f"{versions} versions, {self.rows().total()} rows")
        return found

    def problems(self) -> list[str]:
        """Return what `verify` finds wrong with checkpoint, ledger and source."""
        with tempfile.TemporaryDirectory() as folder:
            checks = verify(
                S3Store(TARGET, CHECKPOINT),
                S3Source(SOURCE, "prod"),
                Settings(),
                workdir=Path(folder),
            )
        return [f"{check.name}: {check.detail}" for check in checks if not check.passed]


class Point(Struct, frozen=True):
    """A point of a run, named by its requests: from the `nth` of them on."""

    operation: str
    bucket: str
    prefix: str = ""
    nth: int = 1

    def aim(self, *, times: int | None = 1) -> Any:
        """Return what a plan needs to know."""
        return {
            "operation": self.operation,
            "bucket": self.bucket,
            "where": lambda request: request.key.startswith(self.prefix),
            "nth": self.nth,
            "times": times,
        }

    def places(self, world: World) -> list[int]:
        """Return the places of such requests among those that were carried out."""
        return [
            place
            for place, request in enumerate(world.s3.log.requests)
            if (self.operation, self.bucket) == (request.operation, request.bucket)
            and request.key.startswith(self.prefix)
        ][self.nth - 1 :]


POINTS = {
    "load the checkpoint": Point("GetObject", TARGET, CHECKPOINT),
    "load the ledger": Point("GetObject", TARGET, LEDGERS),
    "load the rejects": Point("GetObject", TARGET, REJECTS),
    "list the objects": Point("ListObjectsV2", SOURCE),
    "read any object": Point("GetObject", SOURCE),
    "read an object": Point("GetObject", SOURCE, object_key(5)),
    "copy the checkpoint": Point("GetObject", TARGET, CHECKPOINT, nth=2),
    "write the ledger": Point("PutObject", TARGET, LEDGERS),
    "write the checkpoint": Point("PutObject", TARGET, CHECKPOINT),
    "write the rejects": Point("PutObject", TARGET, REJECTS),
    "list the ledgers": Point("ListObjectsV2", TARGET),
    "delete a ledger": Point("DeleteObject", TARGET, OLD_LEDGER),
}
"""The points of an incremental run, in their order."""


class Undisturbed(Struct, frozen=True):
    """A scenario before the run that goes wrong, and what that run does when nothing does."""

    before: Saved
    old_rows: Counter[Row]
    old_checkpoint: bytes | None
    rows: Counter[Row]
    result: Any
    requests: list[LoggedRequest]


def undisturbed(
    world: World, prepare: Callable[[World], object], run: Callable[[World], object]
) -> Undisturbed:
    """Prepare a scenario, and run once with nothing going wrong."""
    world.clear()
    prepare(world)
    before, old_rows, old_checkpoint = world.save(), world.rows(), world.checkpoint()
    results: list[object] = []
    requests = world.requests(lambda: results.append(run(world)))

    assert world.every_version() == world.rows()
    assert [] == world.problems()
    return Undisturbed(before, old_rows, old_checkpoint, world.rows(), results[0], requests)


def before_a_first_run(world: World) -> None:
    """Three events and an invalid one, and no checkpoint yet."""
    world.write(1, 2, 3)
    world.put(4, b"{}")


def before_an_incremental_run(world: World) -> None:
    """New, late, rewritten, touched, repaired and deleted objects, and a ledger to be deleted.

    Where small ledgers have deltas, the next one is a delta: it changes no more objects than there
    were.
    """
    before_a_first_run(world)
    world.write(7, 8)
    world.invoke()
    usual, world.s3.clock = world.s3.clock, lambda: datetime.now(UTC) - timedelta(days=60)
    world.s3.put_object(TARGET, OLD_LEDGER, b"")
    world.s3.clock = usual
    world.write(5)
    world.write(6, timestamp="2020-01-01T00:00:00Z")
    world.write(1, module="FTLD")
    world.write(2)
    world.delete(3)
    world.write(4)


def late(s3: FakeS3, request: Request) -> int:
    """Let a write that nobody waits for any more take its effect, if its condition still holds.

    Returns the status that nobody sees.
    """
    return handle(s3, request, None).status
