"""The same function against moto's server: an S3 that somebody else has written.

Shows that requests and answers have the shape that boto3 and obstore have with others. What moto
does not do is shown on our own look-alike only: it answers requests that are signed for a wrong
region, does not list restore states, and goes wrong in no other way.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import boto3
import polars as pl
import pytest
from moto.core.authorization import enable_iam_authentication
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from checkpoint_core.errors import ChangedWhileReadingError, StorageError
from checkpoint_core.stores import Condition, Content, PutOutcome, ReadFailure
from checkpoint_lambda.handler import RunFailedError, lambda_handler
from checkpoint_storage.s3._clients import close_clients
from checkpoint_storage.s3._source import S3Source
from checkpoint_storage.s3._store import S3Store
from tests.checkpoint_core.world import Row, multiset
from tests.checkpoint_lambda.invoking import EVENT, Context, document, object_key
from tests.checkpoint_storage.s3.serving import set_aws
from tests.end_to_end.s3_worlds import CHECKPOINT, SOURCE, TARGET, hurried, rows_of
from tests.moto_serving import serving_moto

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Json = dict[str, Any]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server for all tests of this module."""
    with serving_moto() as url:
        yield url


@pytest.fixture(scope="module", autouse=True)
def environment(endpoint: str) -> Iterator[None]:
    """Variables that lead to the server, and no pauses."""
    with pytest.MonkeyPatch.context() as patch, hurried(patch):
        patch.setenv("LOG_LEVEL", "ERROR")
        set_aws(
            patch,
            AWS_ACCESS_KEY_ID="key",
            AWS_SECRET_ACCESS_KEY="secret",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ENDPOINT_URL=endpoint,
        )
        yield
        close_clients()


@pytest.fixture(scope="module")
def client(environment: None) -> "Iterator[S3Client]":
    """A client of the tests' own."""
    client = boto3.client("s3")
    yield client
    client.close()


@pytest.fixture
def s3(client: "S3Client", endpoint: str) -> "Iterator[S3Client]":
    """The client, and two empty buckets."""
    for bucket in (SOURCE, TARGET):
        client.create_bucket(Bucket=bucket)
    yield client
    with urlopen(Request(f"{endpoint}/moto-api/reset", method="POST")):
        pass


def write(s3: "S3Client", *numbers: int, **changed: Any) -> list[bytes]:
    """Write the usual event under these keys, told apart by gear_name; return the documents."""
    documents = []
    for number in numbers:
        documents.append(document(**({"gear_name": f"gear-{number}"} | changed)))
        s3.put_object(Bucket=SOURCE, Key=object_key(number), Body=documents[-1])
    return documents


def invoke(**changed: Any) -> Json:
    """Invoke the function once, and return its response."""
    return lambda_handler({**EVENT, **changed}, Context())


def failed(**changed: Any) -> Json:
    """Invoke the function once, and return the document of the error that it raises."""
    with pytest.raises(RunFailedError) as raised:
        invoke(**changed)
    found: Json = json.loads(str(raised.value))
    return found


def rows(s3: "S3Client") -> Counter[Row]:
    """Return the multiset of the checkpoint's rows."""
    return multiset(pl.read_parquet(s3.get_object(Bucket=TARGET, Key=CHECKPOINT)["Body"].read()))


def names(s3: "S3Client") -> list[str]:
    """Return the keys beside the checkpoint, its own among them."""
    return [each["Key"] for each in s3.list_objects_v2(Bucket=TARGET).get("Contents", [])]


def counted(response: Json) -> dict[str, int]:
    """Return the counts that are not zero."""
    return {name: count for name, count in response["counts"].items() if count}


def deny(s3: "S3Client", bucket: str, action: str, key: str) -> None:
    """Let the bucket's policy refuse an action on a key."""
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": f"arn:aws:s3:::{bucket}/{key}",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def test_a_first_and_an_incremental_run_do_the_whole_job(s3: "S3Client") -> None:
    """New, late, rewritten, touched, broken and repaired objects; then there is nothing to do."""
    taken = write(s3, *range(20))
    s3.put_object(Bucket=SOURCE, Key=object_key(20), Body=b"{}")
    s3.put_object(Bucket=SOURCE, Key="prod/a name & more+.txt", Body=b"")
    first = invoke()
    once = rows(s3)
    taken += write(s3, 3, packet="F") + write(s3, 20, 21)
    taken += write(s3, 22, timestamp="2020-01-01T00:00:00Z")
    write(s3, 4)
    second = invoke()
    twice, files = rows(s3), names(s3)
    third = invoke()

    assert {"accepted": 20, "invalid": 1, "unrecognized": 1} == counted(first)
    assert rows_of(taken[:20]) == once
    # The same content has the same etag here, so that what was only touched is not read.
    assert {"accepted": 4, "unchanged": 19, "unrecognized": 1} == counted(second)
    assert rows_of(taken) == twice == rows(s3)
    assert {"unchanged": 23, "unrecognized": 1} == counted(third)
    assert files == names(s3)
    assert (False, True, True) == tuple(each["incremental"] for each in (first, second, third))


def test_a_listing_of_several_pages_has_each_key_once(s3: "S3Client") -> None:
    """Beyond 1,000 keys, in whatever way it is asked for; what is not below the folder is not."""
    keys = {object_key(number) for number in range(2_200)}
    keys |= {f"other/{number}/a b&c+{number}.json" for number in range(99)} | {"prod.txt"}
    # Without requests, of which moto answers a hundred in a second.
    for key in keys:
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(SOURCE, key, b"{}")

    for prefix, restore_states in (("", False), ("prod", True), ("prod/", False), ("other", False)):
        listed = S3Source(SOURCE, prefix).list_objects(restore_states=restore_states)

        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        assert {key for key in keys if key.startswith(folder)} == set(listed["key"]), prefix
        assert (listed.height, {2}) == (listed["key"].n_unique(), set(listed["size"])), prefix


def test_of_writes_on_one_condition_only_one_succeeds(s3: "S3Client", tmp_path: Path) -> None:
    """None there, this one there, another there, none any more; and reads are pinned alike."""
    store = S3Store(TARGET, CHECKPOINT)
    file, copy = tmp_path / "file", tmp_path / "copy"
    other = s3.put_object(Bucket=TARGET, Key="other", Body=b"other")["ETag"]

    def put_if(content: bytes, etag: str | None) -> PutOutcome:
        file.write_bytes(content)
        return store.put_if("events.parquet", file, Condition(etag))

    outcomes = [put_if(b"first", None), put_if(b"again", None), put_if(b"again", other)]
    tail = store.read_tail("events.parquet", 100)
    assert tail is not None
    outcomes += [put_if(b"second", tail.etag), put_if(b"third", tail.etag)]
    tail = store.read_tail("events.parquet", 3)
    assert tail is not None
    s3.delete_object(Bucket=TARGET, Key=CHECKPOINT)
    outcomes.append(put_if(b"third", tail.etag))

    written, refused = PutOutcome.WRITTEN, PutOutcome.REFUSED
    assert [written, refused, refused, written, refused, refused] == outcomes
    assert (b"ond", 6) == (tail.data, tail.size_bytes)
    assert not store.fetch("events.parquet", copy)
    s3.put_object(Bucket=TARGET, Key=CHECKPOINT, Body=b"third")
    with pytest.raises(ChangedWhileReadingError):
        store.fetch("events.parquet", copy, etag=tail.etag)


def test_a_lost_race_is_made_good(s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole run takes place just before the deciding write, which is refused, and done anew."""
    taken = write(s3, *range(3))
    invoke()
    taken += write(s3, 3, 4)
    usual = S3Store.put_if
    inner: list[Json] = []

    def late(self: S3Store, name: str, file: Path, condition: Condition) -> PutOutcome:
        monkeypatch.setattr(S3Store, "put_if", usual)
        taken.extend(write(s3, 5))
        inner.append(invoke())
        return usual(self, name, file, condition)

    monkeypatch.setattr(S3Store, "put_if", late)
    outer = invoke()

    assert (3, 0) == (inner[0]["new_events_processed"], outer["new_events_processed"])
    invoke()
    assert rows_of(taken) == rows(s3)


def test_archived_objects_are_rejected_until_they_are_restored(s3: "S3Client") -> None:
    """Of both classes; a restored one is read."""
    taken = write(s3, 1, 2)
    for number, storage_class in ((3, "GLACIER"), (4, "DEEP_ARCHIVE")):
        s3.put_object(
            Bucket=SOURCE,
            Key=object_key(number),
            Body=document(gear_name=f"gear-{number}"),
            StorageClass=storage_class,  # type: ignore[arg-type] # one of the literals
        )
    first, second = invoke(), invoke()
    s3.restore_object(Bucket=SOURCE, Key=object_key(3), RestoreRequest={"Days": 1})
    answers = list(
        S3Source(SOURCE, "prod").read([object_key(3), object_key(4)], max_size_bytes=1_000)
    )

    assert {"accepted": 2, "archived": 2} == counted(first)
    assert {"unchanged": 2, "rejected_before": 2} == counted(second)
    assert rows_of(taken) == rows(s3)
    assert {object_key(3): "content", object_key(4): "archived"} == {
        each.key: each.outcome if isinstance(each, ReadFailure) else "content" for each in answers
    }


def test_a_denied_object_fails_the_run_after_the_others_are_committed(s3: "S3Client") -> None:
    """By the bucket's policy. With the permission it comes in."""
    taken = write(s3, 1, 2, 3)
    deny(s3, SOURCE, "s3:GetObject", object_key(2))
    error = failed()

    assert "DeniedObjectsError" == error["error"]
    assert [f"s3://{SOURCE}/{object_key(2)}"] == error["details"]["failed_files"]
    assert rows_of([taken[0], taken[2]]) == rows(s3)
    s3.delete_bucket_policy(Bucket=SOURCE)
    assert 1 == invoke()["new_events_processed"]
    assert rows_of(taken) == rows(s3)


@pytest.mark.parametrize("key", [CHECKPOINT, "out/_ledger/*"])
def test_a_write_that_is_denied_changes_nothing(s3: "S3Client", key: str) -> None:
    """The message says which permission is missing."""
    taken = write(s3, 1)
    invoke()
    taken += write(s3, 2)
    deny(s3, TARGET, "s3:PutObject", key)
    error = failed()

    assert "Grant s3:PutObject" in error["message"]
    assert rows_of(taken[:1]) == rows(s3)
    s3.delete_bucket_policy(Bucket=TARGET)
    invoke()
    assert rows_of(taken) == rows(s3)


def test_a_role_that_may_not_list_is_told_so(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a policy of the user's; wrong credentials are told from it."""
    write(s3, 1)
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    }
    iam = boto3.client("iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps(policy))
    access = iam.create_access_key(UserName="reader")["AccessKey"]
    iam.close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", access["SecretAccessKey"])
    source = S3Source(SOURCE, "prod")
    with enable_iam_authentication():
        with pytest.raises(StorageError, match=r"HTTP 403 AccessDenied.*Grant s3:ListBucket"):
            source.list_objects(restore_states=False)
        [answer] = source.read([object_key(1)], max_size_bytes=1_000)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODYKNOWSTHIS1")
        with pytest.raises(StorageError, match=r"InvalidAccessKeyId.*correct the credentials"):
            source.list_objects(restore_states=False)

    assert isinstance(answer, Content)


@pytest.mark.parametrize("name", ["source_bucket", "checkpoint_bucket"])
def test_a_missing_bucket_is_named(s3: "S3Client", name: str) -> None:
    """The run fails, and nothing is written."""
    write(s3, 1)
    error = failed(**{name: "nobodys-bucket"})

    assert (500, "StorageError") == (error["statusCode"], error["error"])
    assert "s3://nobodys-bucket/" in error["message"]
    assert "NoSuchBucket" in error["message"]
    assert [] == names(s3)


def test_what_is_written_is_encrypted_with_the_key_that_is_set(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoint, ledgers, digests and rejects, in both runs."""
    monkeypatch.setenv("CHECKPOINT_KMS_KEY_ID", "alias/checkpoint")
    taken = write(s3, 1, 2)
    s3.put_object(Bucket=SOURCE, Key=object_key(3), Body=b"{}")
    invoke()
    taken += write(s3, 4)
    invoke()

    heads = [s3.head_object(Bucket=TARGET, Key=name) for name in names(s3)]
    assert 6 == len(heads)
    assert {("aws:kms", "alias/checkpoint")} == {
        (head["ServerSideEncryption"], head["SSEKMSKeyId"]) for head in heads
    }
    assert rows_of(taken) == rows(s3)
