"""The S3 look-alike answers real clients as S3 does, and goes wrong only as planned."""

import base64
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
import zlib
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
from obstore.exceptions import PermissionDeniedError, PreconditionError
from obstore.store import S3Store

from nacc_event_model import decode, make_object_name
from tests.fake_s3 import FakeS3, Fault, Request, Server, SyntheticEvents, serve

WRITTEN = datetime(2026, 10, 1, 12, 0, 0, 987_654, tzinfo=UTC)


@pytest.fixture
def s3() -> FakeS3:
    """A store with one bucket, in which it is always the same time."""
    s3 = FakeS3(clock=lambda: WRITTEN)
    s3.create_bucket("events")
    return s3


@pytest.fixture
def server(s3: FakeS3) -> Iterator[Server]:
    """The store behind a port."""
    with serve(s3) as server:
        yield server


Connect = Callable[..., Any]


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Make boto3 clients that try once and do not wait for long."""
    clients = []

    def make(*, region: str = "us-east-1", attempts: int = 1, timeout_s: float = 5.0) -> Any:
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint_url,
            region_name=region,
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(
                retries={"total_max_attempts": attempts, "mode": "standard"},
                connect_timeout=timeout_s,
                read_timeout=timeout_s,
            ),
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Connect) -> Any:
    """One such client, where nothing special is asked of it."""
    return connect()


@pytest.fixture
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


# Objects


def test_an_object_comes_back_as_it_was_written(client: Any) -> None:
    """Content, content type, metadata, length, etag and a time to the second."""
    client.put_object(
        Bucket="events",
        Key="prod/ä b+c&d.json",
        Body=b"hello",
        ContentType="application/json",
        Metadata={"run": "7"},
    )

    answer = client.get_object(Bucket="events", Key="prod/ä b+c&d.json")

    assert answer["Body"].read() == b"hello"
    assert answer["ContentType"] == "application/json"
    assert answer["Metadata"] == {"run": "7"}
    assert answer["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    assert answer["LastModified"] == WRITTEN.replace(microsecond=0)


def test_a_large_object_comes_back_whole(client: Any, store: S3Store) -> None:
    """64 MB through a socket, neither cut nor slow."""
    content = os.urandom(1 << 20) * 64

    client.put_object(Bucket="events", Key="large", Body=content)

    assert bytes(obstore.get(store, "large").bytes()) == content


def test_obstore_writes_reads_and_lists(store: S3Store) -> None:
    """The other client of the project understands every answer, too."""
    obstore.put(store, "prod/é&1.json", b"one", use_multipart=False)

    listed = obstore.list(store, prefix="prod").collect()
    read = obstore.get(store, "prod/é&1.json")

    assert [item["path"] for item in listed] == ["prod/é&1.json"]
    assert listed[0]["e_tag"] == read.meta["e_tag"]
    assert bytes(read.bytes()) == b"one"


def test_missing_objects_and_buckets_have_their_own_errors(client: Any, s3: FakeS3) -> None:
    """404 each, told apart by the code; a HEAD has no code."""
    assert refusal(client.get_object, Bucket="events", Key="no") == (404, "NoSuchKey")
    assert refusal(client.get_object, Bucket="no", Key="no") == (404, "NoSuchBucket")
    assert refusal(client.list_objects_v2, Bucket="no") == (404, "NoSuchBucket")
    assert refusal(client.head_object, Bucket="events", Key="no") == (404, "404")


def test_ranges_are_parts_of_an_object(client: Any, store: S3Store, s3: FakeS3) -> None:
    """From, from-to, the last n, beyond the end; and 416 where nothing is left."""
    s3.put_object("events", "k", b"0123456789")

    def part(byte_range: str) -> tuple[bytes, str]:
        answer = client.get_object(Bucket="events", Key="k", Range=byte_range)
        return answer["Body"].read(), answer["ContentRange"]

    assert part("bytes=2-4") == (b"234", "bytes 2-4/10")
    assert part("bytes=8-") == (b"89", "bytes 8-9/10")
    assert part("bytes=8-99") == (b"89", "bytes 8-9/10")
    assert part("bytes=-3") == (b"789", "bytes 7-9/10")
    assert part("bytes=-99") == (b"0123456789", "bytes 0-9/10")
    assert bytes(obstore.get_range(store, "k", start=1, end=3)) == b"12"
    assert bytes(obstore.get(store, "k", options={"range": {"suffix": 2}}).bytes()) == b"89"
    assert refusal(client.get_object, Bucket="events", Key="k", Range="bytes=10-") == (
        416,
        "InvalidRange",
    )


def test_a_read_can_be_tied_to_a_version(client: Any, s3: FakeS3) -> None:
    """If-Match on another content is 412, If-None-Match on the same one 304."""
    etag = s3.put_object("events", "k", b"one").etag

    answer = client.get_object(Bucket="events", Key="k", IfMatch=f'"{etag}"')

    assert answer["Body"].read() == b"one"
    assert refusal(client.get_object, Bucket="events", Key="k", IfMatch='"0"') == (
        412,
        "PreconditionFailed",
    )
    assert refusal(client.get_object, Bucket="events", Key="k", IfNoneMatch=f'"{etag}"') == (
        304,
        "304",
    )


def test_a_deleted_object_is_gone_and_deleting_again_is_no_error(client: Any, s3: FakeS3) -> None:
    """DELETE of one, of several, and of what does not exist."""
    s3.load("events", {"a": b"", "b": b"", "c": b"", "d": b""})

    client.delete_object(Bucket="events", Key="a")
    client.delete_object(Bucket="events", Key="a")
    client.delete_objects(Bucket="events", Delete={"Objects": [{"Key": "b"}, {"Key": "d"}]})

    assert s3.keys("events") == ["c"]


# Conditional writes


def test_a_write_under_if_none_match_wins_only_where_there_is_nothing(
    client: Any, store: S3Store
) -> None:
    """412 where the key exists, for both clients, and the object stays."""
    client.put_object(Bucket="events", Key="k", Body=b"first", IfNoneMatch="*")

    with pytest.raises(PreconditionError):
        obstore.put(store, "k", b"second", mode={"e_tag": '"0"'})

    assert refusal(
        client.put_object, Bucket="events", Key="k", Body=b"second", IfNoneMatch="*"
    ) == (412, "PreconditionFailed")
    assert client.get_object(Bucket="events", Key="k")["Body"].read() == b"first"


def test_a_write_under_if_match_wins_only_over_that_version(client: Any) -> None:
    """412 over another version, 404 where there is none."""
    first = client.put_object(Bucket="events", Key="k", Body=b"first")["ETag"]

    client.put_object(Bucket="events", Key="k", Body=b"second", IfMatch=first)

    put = client.put_object
    assert refusal(put, Bucket="events", Key="k", Body=b"third", IfMatch=first) == (
        412,
        "PreconditionFailed",
    )
    assert refusal(put, Bucket="events", Key="no", Body=b"", IfMatch=first) == (404, "NoSuchKey")
    assert client.get_object(Bucket="events", Key="k")["Body"].read() == b"second"


@pytest.mark.parametrize("header", ["if-match", "if-none-match"])
def test_a_condition_that_is_ignored_is_no_condition(client: Any, s3: FakeS3, header: str) -> None:
    """As on servers that do not know the header; the other one is judged as ever."""
    s3.put_object("events", "k", b"first")
    s3.ignored_conditions = {header}
    wrong: dict[str, Any] = {"if-match": {"IfMatch": '"0"'}, "if-none-match": {"IfNoneMatch": "*"}}

    client.put_object(Bucket="events", Key="k", Body=b"second", **wrong.pop(header))

    [judged] = wrong.values()
    assert s3.get_object("events", "k").data == b"second"
    assert refusal(client.put_object, Bucket="events", Key="k", Body=b"third", **judged) == (
        412,
        "PreconditionFailed",
    )


def test_of_many_racing_writers_one_wins(client: Any, s3: FakeS3) -> None:
    """The comparison and the write are one step."""
    etag = s3.put_object("events", "k", b"start").etag

    def write(number: int) -> bool:
        try:
            client.put_object(Bucket="events", Key="k", Body=b"%d" % number, IfMatch=etag)
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, range(24)))

    assert won.count(True) == 1
    assert s3.get_object("events", "k").data == b"%d" % won.index(True)


def test_etags_need_not_be_computable(client: Any, s3: FakeS3) -> None:
    """With KMS, or everywhere where it is switched on: the same content, another etag."""
    plain = [client.put_object(Bucket="events", Key="k", Body=b"x")["ETag"] for _ in range(2)]
    kms = [
        client.put_object(
            Bucket="events", Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="key"
        )
        for _ in range(2)
    ]
    s3.opaque_etags = True
    opaque = client.put_object(Bucket="events", Key="k", Body=b"x")["ETag"]

    assert len({*plain, *(answer["ETag"] for answer in kms), opaque}) == 4
    assert [answer["SSEKMSKeyId"] for answer in kms] == ["key", "key"]


def test_bodies_in_aws_chunks_are_unpacked_and_checked(server: Server, s3: FakeS3) -> None:
    """As clients send them over HTTPS: with a trailing checksum, chunked by HTTP once more."""
    checksum = base64.b64encode(zlib.crc32(b"hello world").to_bytes(4, "big")).decode()

    def put(trailer: str) -> int:
        inner = f"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:{trailer}\r\n\r\n".encode()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        headers = {
            "Content-Encoding": "aws-chunked",
            "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "X-Amz-Decoded-Content-Length": "11",
            "X-Amz-Trailer": "x-amz-checksum-crc32",
        }
        pieces = iter([inner[:7], inner[7:]])
        connection.request("PUT", "/events/k", body=pieces, headers=headers, encode_chunked=True)
        status = connection.getresponse().status
        connection.close()
        return status

    assert put(checksum) == 200
    assert s3.get_object("events", "k").data == b"hello world"
    assert put("AAAAAA==") == 400


def test_a_versioned_bucket_keeps_what_was_overwritten_and_deleted(client: Any, s3: FakeS3) -> None:
    """Each write is a version; deleting hides them."""
    s3.create_bucket("kept", versioned=True)
    first = client.put_object(Bucket="kept", Key="k", Body=b"first")["VersionId"]
    client.put_object(Bucket="kept", Key="k", Body=b"second")
    deleted = client.delete_object(Bucket="kept", Key="k")

    answer = client.get_object(Bucket="kept", Key="k", VersionId=first)

    assert answer["Body"].read() == b"first"
    assert deleted["DeleteMarker"]
    assert refusal(client.get_object, Bucket="kept", Key="k") == (404, "NoSuchKey")
    assert s3.keys("kept") == []


# Listings


def test_a_listing_is_in_the_order_of_utf8_bytes_on_pages(client: Any, s3: FakeS3) -> None:
    """Pages of two, also where keys need quoting; a surrogate pair sorts behind U+FFFD."""
    keys = ["a b&<c>", "a+b", "a/b", "aé", "a\ufffd", "a\U0001f600"]
    s3.load("events", {key: key.encode() for key in reversed(keys)} | {"b": b""})
    s3.page_size = 2

    pages = client.get_paginator("list_objects_v2").paginate(Bucket="events", Prefix="a")
    listed = [[item["Key"] for item in page["Contents"]] for page in pages]

    assert listed == [keys[:2], keys[2:4], keys[4:]]
    assert s3.log.count("ListObjectsV2") == 3


def test_start_after_is_exclusive(client: Any, store: S3Store, s3: FakeS3) -> None:
    """The key itself is not listed; it need not exist."""
    s3.load("events", dict.fromkeys(["p/a", "p/b", "p/c"], b""))

    def after(key: str) -> list[str]:
        answer = client.list_objects_v2(Bucket="events", StartAfter=key)
        return [item["Key"] for item in answer["Contents"]]

    assert after("p/a") == ["p/b", "p/c"]
    assert after("p/aa") == ["p/b", "p/c"]
    assert [item["path"] for item in obstore.list(store, "p", offset="p/b").collect()] == ["p/c"]


def test_a_delimiter_rolls_keys_up_across_pages(client: Any, s3: FakeS3) -> None:
    """A common prefix counts as one key, and is on one page only."""
    s3.load("events", dict.fromkeys(["p/a", "p/d/1", "p/d/2", "p/d/3", "p/e", "p/f/1"], b""))
    s3.page_size = 1

    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket="events", Prefix="p/", Delimiter="/"
    )
    listed = [
        [item["Key"] for item in page.get("Contents", [])]
        + [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        for page in pages
    ]

    assert listed == [["p/a"], ["p/d/"], ["p/e"], ["p/f/"]]


def test_a_listing_tells_of_each_object_what_is_known(client: Any, s3: FakeS3) -> None:
    """Etag, size and time as a HEAD tells them; milliseconds only where switched on."""
    s3.put_object("events", "k1", b"hello")
    s3.whole_seconds = False
    s3.put_object("events", "k2", b"hello")

    first, second = client.list_objects_v2(Bucket="events")["Contents"]

    head = client.head_object(Bucket="events", Key="k1")
    assert (first["ETag"], first["Size"]) == (head["ETag"], 5)
    assert first["LastModified"] == head["LastModified"]
    assert second["LastModified"] == WRITTEN.replace(microsecond=987_000)


# Archives and permissions


def test_an_archived_object_is_listed_but_not_read_until_it_is_restored(
    client: Any, store: S3Store, s3: FakeS3
) -> None:
    """403 InvalidObjectState, while HEAD goes on working; restored for a time."""
    s3.put_object("events", "k", b"old")
    s3.archive("events", "k", "DEEP_ARCHIVE")

    with pytest.raises(PermissionDeniedError):
        obstore.get(store, "k")

    assert refusal(client.get_object, Bucket="events", Key="k") == (403, "InvalidObjectState")
    assert client.head_object(Bucket="events", Key="k")["StorageClass"] == "DEEP_ARCHIVE"

    s3.restore("events", "k", until=None)

    assert refusal(client.get_object, Bucket="events", Key="k") == (403, "InvalidObjectState")

    s3.restore("events", "k", until=WRITTEN + timedelta(days=1))
    head = client.head_object(Bucket="events", Key="k")

    assert client.get_object(Bucket="events", Key="k")["Body"].read() == b"old"
    assert head["Restore"] == (
        'ongoing-request="false", expiry-date="Fri, 02 Oct 2026 12:00:00 GMT"'
    )


def test_a_listing_tells_storage_classes_and_restore_states_when_asked(
    client: Any, s3: FakeS3
) -> None:
    """The class always, the state only on request."""
    s3.load("events", dict.fromkeys(["cold", "thawed", "thawing", "warm"], b""))
    for key in ["cold", "thawed", "thawing"]:
        s3.archive("events", key)
    s3.restore("events", "thawing", until=None)
    s3.restore("events", "thawed", until=WRITTEN)

    def states(**asked: Any) -> list[tuple[str, str, Any]]:
        contents = client.list_objects_v2(Bucket="events", **asked)["Contents"]
        return [
            (item["Key"], item["StorageClass"], item.get("RestoreStatus", {})) for item in contents
        ]

    expiry = {
        "IsRestoreInProgress": False,
        "RestoreExpiryDate": WRITTEN.replace(microsecond=987_000),
    }
    assert [state for _, _, state in states()] == [{}] * 4
    assert states(OptionalObjectAttributes=["RestoreStatus"]) == [
        ("cold", "GLACIER", {}),
        ("thawed", "GLACIER", expiry),
        ("thawing", "GLACIER", {"IsRestoreInProgress": True}),
        ("warm", "STANDARD", {}),
    ]


def test_access_can_be_denied_by_key_and_operation(client: Any, store: S3Store, s3: FakeS3) -> None:
    """403 AccessDenied; If-Match needs the right to read."""
    s3.load("events", {"k": b"", "sealed/k": b""})
    s3.deny("events", "k", "GetObject")
    s3.deny("events", lambda key: key.startswith("sealed/"))

    with pytest.raises(PermissionDeniedError):
        obstore.get(store, "k")

    put = client.put_object
    denied = (403, "AccessDenied")
    assert refusal(client.get_object, Bucket="events", Key="k") == denied
    assert refusal(put, Bucket="events", Key="k", Body=b"", IfMatch="*") == denied
    assert refusal(put, Bucket="events", Key="sealed/k", Body=b"") == denied
    assert put(Bucket="events", Key="k", Body=b"")["ETag"]


def test_without_the_right_to_list_a_bucket_is_denied_and_its_region_told(
    client: Any, s3: FakeS3
) -> None:
    """As S3 does for whoever may not ask for the bucket as a whole."""
    s3.create_bucket("closed", region="us-east-1").may_list = False

    with pytest.raises(ClientError) as caught:
        client.head_bucket(Bucket="closed")

    answer = caught.value.response["ResponseMetadata"]
    assert answer["HTTPStatusCode"] == 403
    assert answer["HTTPHeaders"]["x-amz-bucket-region"] == "us-east-1"


def test_without_the_right_to_list_a_missing_key_is_denied(client: Any, s3: FakeS3) -> None:
    """403 instead of 404, and no listing."""
    s3.bucket("events").may_list = False

    assert refusal(client.get_object, Bucket="events", Key="no") == (403, "AccessDenied")
    assert refusal(client.list_objects_v2, Bucket="events") == (403, "AccessDenied")


@pytest.mark.parametrize(
    "code, status", [("AuthorizationHeaderMalformed", 400), ("PermanentRedirect", 301)]
)
def test_a_request_for_the_wrong_region_is_told_the_right_one(
    server: Server, s3: FakeS3, code: str, status: int
) -> None:
    """The region is in the answer's headers."""
    s3.create_bucket("far", region="eu-west-1").wrong_region_code = code
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    signature = "AWS4-HMAC-SHA256 Credential=any/20261001/us-east-1/s3/aws4_request"

    connection.request("GET", "/far?list-type=2", headers={"Authorization": signature})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()

    assert answer.status == status
    assert answer.headers["x-amz-bucket-region"] == "eu-west-1"
    assert f"<Code>{code}</Code>" in body


def test_boto3_finds_the_right_region_by_itself(connect: Connect, s3: FakeS3) -> None:
    """It signs anew with the region that it was told; obstore does not."""
    s3.create_bucket("far", region="eu-west-1")

    client = connect(region="us-east-1")
    client.put_object(Bucket="far", Key="k", Body=b"here")

    assert s3.keys("far") == ["k"]
    assert s3.log.count("PutObject", status=400) >= 1


# Faults

BEFORE = [Fault.FAIL_BEFORE, Fault.THROTTLED, Fault.CONFLICT, Fault.RESET, Fault.TIMEOUT]
AFTER = [Fault.FAIL_AFTER, Fault.RESPONSE_LOST, Fault.SLOW, Fault.CUT_SHORT, Fault.STALLED]
WAITING = [Fault.TIMEOUT, Fault.SLOW, Fault.STALLED]
SEEN: dict[Fault, type[Exception] | tuple[int, str]] = {
    Fault.FAIL_BEFORE: (500, "InternalError"),
    Fault.FAIL_AFTER: (500, "InternalError"),
    Fault.THROTTLED: (503, "SlowDown"),
    Fault.CONFLICT: (409, "ConditionalRequestConflict"),
    Fault.RESET: ConnectionClosedError,
    Fault.RESPONSE_LOST: ConnectionClosedError,
    Fault.CUT_SHORT: ConnectionClosedError,
    Fault.TIMEOUT: ReadTimeoutError,
    Fault.SLOW: ReadTimeoutError,
    Fault.STALLED: ReadTimeoutError,
}


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER])
def test_a_write_goes_wrong_as_planned_and_once(connect: Connect, s3: FakeS3, fault: Fault) -> None:
    """The client sees each fault as what it is; whether the object is there is the fault's."""
    planned = s3.plan.add(fault, operation="PutObject", key="k", delay_s=2.0)

    with pytest.raises((BotoCoreError, ClientError)) as caught:
        connect(timeout_s=0.5 if fault in WAITING else 5.0).put_object(
            Bucket="events", Key="k", Body=b"first"
        )
    effect = s3.keys("events") == ["k"]
    connect().put_object(Bucket="events", Key="k", Body=b"second")

    error = caught.value
    seen: object = type(error)
    if isinstance(error, ClientError):
        seen = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    assert seen == SEEN[fault]
    assert effect == (fault in AFTER)
    assert (planned.fired, planned.matched) == (1, 2)
    assert s3.get_object("events", "k").data == b"second"


def test_a_late_write_takes_place_after_the_client_has_given_up(
    connect: Connect, s3: FakeS3
) -> None:
    """Its condition is judged then: the rival that came before it wins."""
    client = connect(timeout_s=0.2)
    s3.plan.add(Fault.LATE, operation="PutObject", times=2, delay_s=1.5)

    for key in ["unrivalled", "rivalled"]:
        with pytest.raises(ReadTimeoutError):
            client.put_object(Bucket="events", Key=key, Body=b"late", IfNoneMatch="*")
    before = s3.keys("events")
    s3.put_object("events", "rivalled", b"rival", if_none_match="*")
    deadline = time.monotonic() + 10
    while s3.log.count("PutObject") < 2 and time.monotonic() < deadline:
        time.sleep(0.01)

    assert before == []
    assert s3.get_object("events", "unrivalled").data == b"late"
    assert s3.get_object("events", "rivalled").data == b"rival"


@pytest.mark.parametrize(
    "fault, errors",
    [
        (Fault.CUT_SHORT, (IncompleteReadError, ResponseStreamingError)),
        (Fault.STALLED, (ReadTimeoutError, HTTPClientError)),
    ],
)
def test_a_read_can_end_in_the_middle_of_the_body(
    connect: Connect, s3: FakeS3, fault: Fault, errors: tuple[type[Exception], ...]
) -> None:
    """The head announces all of it."""
    s3.put_object("events", "k", b"0123456789")
    s3.plan.add(fault, operation="GetObject")

    client = connect(timeout_s=0.5 if fault is Fault.STALLED else 5.0)
    body = client.get_object(Bucket="events", Key="k")["Body"]

    with pytest.raises(errors):
        body.read()


@pytest.mark.parametrize(
    "fault", [Fault.FAIL_BEFORE, Fault.THROTTLED, Fault.RESET, Fault.CUT_SHORT, Fault.RESPONSE_LOST]
)
def test_obstore_sees_each_fault_of_a_read_and_reads_again(
    store: S3Store, s3: FakeS3, fault: Fault
) -> None:
    """An error, never a short body; the next read is whole."""
    s3.put_object("events", "k", b"0123456789")
    planned = s3.plan.add(fault, operation="GetObject")

    with pytest.raises(Exception, match=r"."):
        obstore.get(store, "k").bytes()

    assert bytes(obstore.get(store, "k").bytes()) == b"0123456789"
    assert planned.fired == 1


def test_throttling_that_ends_is_outlived_by_retries(connect: Connect, s3: FakeS3) -> None:
    """Twice SlowDown, then the object: three requests for one call."""
    s3.put_object("events", "k", b"x")
    s3.plan.add(Fault.THROTTLED, operation="GetObject", times=2)

    body = connect(attempts=3).get_object(Bucket="events", Key="k")["Body"].read()

    assert body == b"x"
    assert [asked.status for asked in s3.log.requests] == [503, 503, 200]


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


# Hooks and the log


def test_a_hook_can_change_the_world_before_a_request_is_handled(client: Any, s3: FakeS3) -> None:
    """Such as a rewrite between listing and reading, made through the same server."""
    s3.put_object("events", "k", b"listed")

    def rewrite(request: Request) -> None:
        client.put_object(Bucket=request.bucket, Key=request.key, Body=b"rewritten")

    s3.plan.on_request(rewrite, operation="GetObject", key="k", times=1)

    assert client.get_object(Bucket="events", Key="k")["Body"].read() == b"rewritten"
    assert s3.log.operations() == {"PutObject": 1, "GetObject": 1}


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


def test_the_log_counts_requests_and_can_be_switched_off(client: Any, s3: FakeS3) -> None:
    """By operation, key and status."""
    s3.put_object("events", "k", b"")
    client.head_object(Bucket="events", Key="k")
    refusal(client.head_object, Bucket="events", Key="no")
    s3.log.enabled = False
    client.head_object(Bucket="events", Key="k")

    assert s3.log.count("HeadObject") == 2
    assert s3.log.count(key="k") == 1
    assert s3.log.count(status=404) == 1


def test_requests_sent_at_once_are_answered_in_their_order(s3: FakeS3) -> None:
    """Pipelined on one connection, with latency, and cut anywhere by the network."""
    s3.load("events", {"a": b"first", "b": b"second"})
    sent = b"GET /events/a HTTP/1.1\r\n\r\nPUT /events/c HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    sent += b"GET /events/b HTTP/1.1\r\nConnection: close\r\n\r\n"

    with (
        serve(s3, latency_s={"GetObject": 0.05}) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection,
    ):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(sent), 7):
            connection.sendall(sent[at : at + 7])
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert answer.index(b"first") < answer.index(b"second")
    assert s3.get_object("events", "c").data == b"abc"


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


def test_what_is_not_there_is_not_answered_as_something_else(client: Any) -> None:
    """A copy is no empty write."""
    assert refusal(
        client.copy_object, Bucket="events", Key="k", CopySource={"Bucket": "events", "Key": "j"}
    ) == (501, "NotImplemented")


def test_what_is_no_http_is_refused(server: Server) -> None:
    """With 400, and the connection is closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"hello\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_stopped_server_leaves_no_thread(s3: FakeS3) -> None:
    """Also when a client is still connected and waits for an answer."""
    s3.plan.add(Fault.TIMEOUT)

    with serve(s3) as server:
        waiting = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        waiting.sendall(b"HEAD /events HTTP/1.1\r\n\r\n")
        while not s3.log.requests:
            time.sleep(0.01)
    waiting.close()

    assert [thread for thread in threading.enumerate() if "fake-s3" in thread.name] == []


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
