"""The S3 look-alike answers as moto does, which others keep true to S3; goes wrong only as planned.

What clients can ask is enumerated and asked of both. Archives that are restored, permissions and
regions, of which moto knows less, are shown where the storage package is tested against them.
"""

import http.client
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import obstore
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from obstore.exceptions import PreconditionError
from obstore.store import S3Store

from nacc_event_model import decode, make_object_name
from tests.checkpoint_storage.s3.serving import emptied
from tests.fake_s3 import FakeS3, Fault, Request, Server, SyntheticEvents, serve
from tests.moto_serving import empty_moto, serving_moto

WRITTEN = datetime(2026, 10, 1, 12, 0, 0, 987_654, tzinfo=UTC)
TEN = b"0123456789"
ETAG_OF_TEN = '"781e5e245d69b566979b86e28d23f2c7"'


def client_of(endpoint_url: str, *, timeout_s: float = 5.0) -> Any:
    """Make a boto3 client that tries once."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=timeout_s,
            read_timeout=timeout_s,
        ),
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all tests of this module."""
    with serve(FakeS3()) as server:
        yield server


@pytest.fixture
def s3(server: Server) -> FakeS3:
    """Its store with one empty bucket, in which it is always the same time."""
    s3 = emptied(server.s3)
    s3.clock = lambda: WRITTEN
    return s3


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Any]:
    """A client that waits as long as it must."""
    client = client_of(server.endpoint_url)
    yield client
    client.close()


@pytest.fixture(scope="module")
def hasty(server: Server) -> Iterator[Any]:
    """A client that does not wait for long."""
    client = client_of(server.endpoint_url, timeout_s=0.3)
    yield client
    client.close()


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    """A client of moto."""
    with serving_moto() as endpoint_url:
        client = client_of(endpoint_url)
        yield client
        client.close()


@pytest.fixture
def both(moto: Any, client: Any, s3: FakeS3) -> list[Any]:
    """A client of moto, where the same empty bucket is, and one of ours."""
    empty_moto(moto.meta.endpoint_url)
    moto.create_bucket(Bucket="events")
    return [moto, client]


@pytest.fixture(scope="module")
def store(server: Server) -> S3Store:
    """The bucket as obstore sees it, trying once."""
    return S3Store(
        "events",
        endpoint=server.endpoint_url,
        region="us-east-1",
        access_key_id="any",
        secret_access_key="any",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=5)},
    )


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
    """Return status and code of the error that a call of boto3 ends with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


# Held against moto

TOLD = [
    *("ContentLength", "ContentRange", "ContentType", "ETag", "Metadata", "StorageClass"),
    *("AcceptRanges", "IsTruncated", "KeyCount", "MaxKeys", "Name", "Prefix", "Delimiter"),
    *("EncodingType", "CommonPrefixes"),
]
CONDITIONS: list[dict[str, str]] = [
    {},
    {"IfMatch": ETAG_OF_TEN},
    {"IfMatch": '"0"'},
    {"IfNoneMatch": ETAG_OF_TEN},
    {"IfNoneMatch": '"0"'},
]


def told_by(response: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer says, apart from times and identifiers."""
    told: dict[str, Any] = {name: response[name] for name in TOLD if name in response}
    told["status"] = response["ResponseMetadata"]["HTTPStatusCode"]
    told["code"] = response.get("Error", {}).get("Code")
    if "Body" in response:
        told["content"] = response["Body"].read()
    told["listed"] = [
        [each[name] for name in ("Key", "Size", "ETag", "StorageClass")]
        for each in response.get("Contents", [])
    ]
    return told


def check_same(both: list[Any], operation: str, **arguments: Any) -> int:
    """Ask both the same, and return the status that both gave."""
    told = []
    for client in both:
        try:
            response = getattr(client, operation)(**({"Bucket": "events"} | arguments))
        except ClientError as error:
            response = error.response
        told.append(told_by(response))

    assert told[0] == told[1], (operation, arguments)
    status: int = told[0]["status"]
    return status


def pages_of(client: Any, **arguments: Any) -> list[dict[str, Any]]:
    """Return what every page of a listing says."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="events", **arguments)
    return [told_by(page) for page in pages]


def test_objects_are_read_as_in_moto(both: list[Any]) -> None:
    """Whole, in every kind of part, on every condition; missing, archived, in no such bucket."""
    described: dict[str, Any] = {"ContentType": "application/json", "Metadata": {"run": "7"}}
    check_same(both, "put_object", Key="k", Body=TEN, **described)
    check_same(both, "put_object", Key="cold", Body=b"old", StorageClass="DEEP_ARCHIVE")

    statuses = {
        check_same(both, operation, **({"Key": "k"} | where), **condition)
        for operation in ("get_object", "head_object")
        for where in ({}, {"Bucket": "nobodys"}, {"Key": "no"}, {"Key": "cold"})
        for condition in (CONDITIONS if "cold" not in where.values() else [{}])
    } | {
        check_same(both, "get_object", Key="k", Range=f"bytes={part}")
        for part in ("2-4", "8-", "8-99", "-3", "-99", "10-", "4-2")
    }

    assert {200, 206, 304, 403, 404, 412, 416} == statuses


def test_objects_are_written_and_deleted_as_in_moto(both: list[Any]) -> None:
    """Where there is one and where there is none, on every condition that a write may have."""
    statuses = set()
    for there, condition in itertools.product(
        (False, True), (*CONDITIONS[:3], {"IfNoneMatch": "*"})
    ):
        if there:
            check_same(both, "put_object", Key="w", Body=TEN)
        statuses.add(check_same(both, "put_object", Key="w", Body=b"new", **condition))
        for operation in ("get_object", "delete_object", "delete_object", "head_object"):
            check_same(both, operation, Key="w")
    for operation in ("put_object", "delete_object"):
        check_same(both, operation, Bucket="nobodys", Key="w")
    for bucket in ("events", "nobodys"):
        check_same(both, "head_bucket", Bucket=bucket)
        check_same(both, "list_objects_v2", Bucket=bucket)

    assert {200, 404, 412} == statuses


def test_keys_are_listed_as_in_moto(both: list[Any]) -> None:
    """In UTF-8's order, also where they need quoting, on pages of any size, rolled up or not."""
    keys = ["a b&<c>", "a+b", "aé", "a\ufffd", "a\U0001f600", "p/a"]
    keys += ["p/d/1", "p/d/2", "p/d/3", "p/dd", "p/f/1"]
    for client, key in itertools.product(both, keys):
        client.put_object(Bucket="events", Key=key, Body=key.encode())

    for prefix, options, page_size in itertools.product(
        ("", "p/", "p/d", "none"),
        ({}, {"Delimiter": "/"}, {"StartAfter": "p/d/1"}, {"StartAfter": "p/da"}),
        (1, 3, 100),
    ):
        asked = {"Prefix": prefix, "PaginationConfig": {"PageSize": page_size}, **options}
        expected, listed = (pages_of(client, **asked) for client in both)

        assert expected == listed, asked


# What moto does not show


def test_obstore_writes_reads_and_lists(store: S3Store, s3: FakeS3) -> None:
    """The other client of the project understands every answer, too; 4 MB come back whole."""
    content = os.urandom(1 << 22)
    obstore.put(store, "prod/é&1.json", content, use_multipart=False)

    [listed] = obstore.list(store, prefix="prod").collect()
    read = obstore.get(store, "prod/é&1.json")

    assert (listed["path"], listed["e_tag"]) == ("prod/é&1.json", read.meta["e_tag"])
    assert bytes(read.bytes()) == content
    assert bytes(obstore.get_range(store, listed["path"], start=1, end=3)) == content[1:3]
    with pytest.raises(PreconditionError):
        obstore.put(store, "prod/é&1.json", b"second", mode={"e_tag": '"0"'})


def test_a_body_that_was_changed_on_its_way_is_refused(client: Any, s3: FakeS3) -> None:
    """By the checksum that came with it."""
    refused = refusal(
        client.put_object, Bucket="events", Key="k", Body=b"x", ChecksumCRC32="AAAAAA=="
    )

    assert refused == (400, "BadDigest")
    assert s3.keys("events") == []


# Faults

SEEN: dict[Fault, tuple[type[Exception] | tuple[int, str], bool]] = {
    Fault.FAIL_BEFORE: ((500, "InternalError"), False),
    Fault.THROTTLED: ((503, "SlowDown"), False),
    Fault.CONFLICT: ((409, "ConditionalRequestConflict"), False),
    Fault.RESET: (ConnectionClosedError, False),
    Fault.TIMEOUT: (ReadTimeoutError, False),
    Fault.FAIL_AFTER: ((500, "InternalError"), True),
    Fault.RESPONSE_LOST: (ConnectionClosedError, True),
    Fault.CUT_SHORT: (ConnectionClosedError, True),
    Fault.SLOW: (ReadTimeoutError, True),
    Fault.STALLED: (ReadTimeoutError, True),
}
"""What a client sees of each, and whether the effect takes place."""


@pytest.mark.parametrize("fault", SEEN)
def test_a_write_goes_wrong_as_planned_and_once(
    client: Any, hasty: Any, s3: FakeS3, fault: Fault
) -> None:
    """The client sees each fault as what it is; whether the object is there is the fault's."""
    expected, has_effect = SEEN[fault]
    planned = s3.plan.add(fault, operation="PutObject", key="k", delay_s=1.0)
    waits = expected is not ReadTimeoutError

    with pytest.raises((BotoCoreError, ClientError)) as caught:
        (client if waits else hasty).put_object(Bucket="events", Key="k", Body=b"first")
    effect = s3.keys("events") == ["k"]
    client.put_object(Bucket="events", Key="k", Body=b"second")

    error = caught.value
    seen: object = type(error)
    if isinstance(error, ClientError):
        seen = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    assert (seen, effect) == (expected, has_effect)
    assert (planned.fired, planned.matched) == (1, 2)
    assert s3.get_object("events", "k").data == b"second"


def test_a_late_write_takes_place_after_the_client_has_given_up(hasty: Any, s3: FakeS3) -> None:
    """Its condition is judged then: the rival that came before it wins."""
    s3.plan.add(Fault.LATE, operation="PutObject", delay_s=1.0)

    with pytest.raises(ReadTimeoutError):
        hasty.put_object(Bucket="events", Key="k", Body=b"late", IfNoneMatch="*")
    s3.put_object("events", "k", b"rival", if_none_match="*")
    s3.log.wait_for(lambda: s3.log.count("PutObject", status=412) == 1)

    assert s3.get_object("events", "k").data == b"rival"


@pytest.mark.parametrize(
    "fault, errors",
    [
        (Fault.CUT_SHORT, (IncompleteReadError, ResponseStreamingError)),
        (Fault.STALLED, (ReadTimeoutError, HTTPClientError)),
    ],
)
def test_a_read_can_end_in_the_middle_of_the_body(
    hasty: Any, s3: FakeS3, fault: Fault, errors: tuple[type[Exception], ...]
) -> None:
    """The head announces all of it."""
    s3.put_object("events", "k", b"0123456789")
    s3.plan.add(fault, operation="GetObject")

    body = hasty.get_object(Bucket="events", Key="k")["Body"]

    with pytest.raises(errors):
        body.read()


def test_faults_can_be_aimed(client: Any, s3: FakeS3) -> None:
    """By ordinal among the requests that fit, by predicate, and for ever."""
    s3.load("events", {"a": b"", "b": b"", "c": b""})
    s3.plan.add(Fault.FAIL_BEFORE, key="a", nth=2)
    s3.plan.add(Fault.FAIL_BEFORE, where=lambda request: request.key > "b", times=None)

    def status(key: str) -> int:
        try:
            answer = client.head_object(Bucket="events", Key=key)
        except ClientError as error:
            answer = error.response
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])

    assert [status(key) for key in "aabaccc"] == [200, 500, 200, 200, 500, 500, 500]

    s3.plan.clear()

    assert status("c") == 200


# Hooks, the log and the server


def test_what_a_hook_raises_is_raised_where_the_server_is_stopped(s3: FakeS3) -> None:
    """An assertion in a hook must not go missing in a thread."""

    def fail(request: Request) -> None:
        raise AssertionError(f"{request.operation} was not expected")

    s3.plan.on_request(fail)

    def ask() -> None:
        with serve(s3) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
            connection.request("HEAD", "/events")
            connection.getresponse().read()
            connection.close()

    with pytest.raises(AssertionError, match="HeadBucket was not expected"):
        ask()


def test_latency_does_not_limit_concurrency(s3: FakeS3) -> None:
    """Thirty reads that wait 0.2 s each take far less than 6 s."""
    s3.put_object("events", "k", b"")

    def read(port: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/events/k")
        status = connection.getresponse().status
        connection.close()
        return status

    started = time.monotonic()
    with serve(s3, latency_s={"GetObject": 0.2}) as server, ThreadPoolExecutor(30) as pool:
        statuses = list(pool.map(read, [server.port] * 30))

    assert statuses == [200] * 30
    assert 0.2 <= time.monotonic() - started < 3


def test_what_is_not_there_is_not_answered_as_something_else(client: Any, s3: FakeS3) -> None:
    """A copy is no empty write."""
    assert refusal(
        client.copy_object, Bucket="events", Key="k", CopySource={"Bucket": "events", "Key": "j"}
    ) == (501, "NotImplemented")


def test_what_is_no_http_is_refused(server: Server) -> None:
    """With 400, and the connection is closed; so is a body of a length that nobody knows."""
    for sent in (b"hello", b"PUT /events/k HTTP/1.1\r\nTransfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.sendall(sent + b"\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))

        assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_stopped_server_leaves_no_thread() -> None:
    """Also when a client is still connected and waits for an answer."""
    before = threading.active_count()
    s3 = FakeS3()
    s3.plan.add(Fault.TIMEOUT)

    with serve(s3) as server:
        waiting = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        waiting.sendall(b"HEAD /events HTTP/1.1\r\n\r\n")
        s3.log.wait_for(lambda: s3.log.requests != [])
    waiting.close()

    assert before == threading.active_count()


# Synthetic events


def test_synthetic_events_are_valid_and_named_after_their_content() -> None:
    """In S3's order, each found by its key, and the same in a larger set."""
    events, more = SyntheticEvents(1000, prefix="prod/"), SyntheticEvents(1500, prefix="prod/")
    keys = [events.keys[position] for position in range(1000)]

    named = [make_object_name(decode(_content(events, key)), prefix="prod/") for key in keys]

    assert named == keys
    assert sorted(set(keys)) == keys
    assert [_content(more, key) for key in keys] == [_content(events, key) for key in keys]


def _content(events: SyntheticEvents, key: str) -> bytes:
    found = events.find(key)
    assert found is not None
    return found.data


def test_a_listing_of_synthetic_events_agrees_with_reading_them(client: Any, s3: FakeS3) -> None:
    """Also where some were rewritten or deleted, others added, and pages end anywhere."""
    s3.generate("events", SyntheticEvents(500, prefix="prod/", archived=4))
    keys = s3.keys("events")
    client.delete_object(Bucket="events", Key=keys[260])
    client.put_object(Bucket="events", Key=keys[0], Body=b"{}")
    client.put_object(Bucket="events", Key="prod/zebra", Body=b"")
    s3.page_size = 37

    pages = client.get_paginator("list_objects_v2").paginate(Bucket="events", Prefix="prod/")
    listed = [item for page in pages for item in page["Contents"]]

    assert [item["Key"] for item in listed] == [*keys[:260], *keys[261:], "prod/zebra"]
    assert sum(item["StorageClass"] == "GLACIER" for item in listed) == 3
    for item in listed[::10]:
        head = client.head_object(Bucket="events", Key=item["Key"])
        assert (item["ETag"], item["Size"]) == (head["ETag"], head["ContentLength"])
        assert item["LastModified"] == head["LastModified"]


def test_the_server_runs_as_a_process_of_its_own_and_ends_by_itself() -> None:
    """It prints where it listens, and is gone when its time is over."""
    command = [sys.executable, "-m", "tests.fake_s3", "--objects", "1000000", "--prefix", "prod/"]
    with subprocess.Popen(
        [*command, "--seconds", "1"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url, port = process.stdout.readline().strip(), process.stdout.readline().strip()
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
        connection.request("GET", "/events?list-type=2&prefix=prod/&max-keys=3")
        listing = connection.getresponse().read()
        connection.close()
        code = process.wait(timeout=10)

    assert url == f"http://127.0.0.1:{port}"
    assert listing.count(b"<Contents>") == 3
    assert code == 0
