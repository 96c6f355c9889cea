"""The same function against moto's server: an S3 that somebody else has written.

Shows that requests and answers have the shape that boto3 and libcurl have with others, also where
policies refuse them. That our own look-alike answers alike is shown by its tests; there is shown
what goes wrong, and what moto does not do.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import polars as pl
import pytest
from moto.core.authorization import enable_iam_authentication

from checkpoint_core import StorageError
from checkpoint_lambda.handler import lambda_handler
from checkpoint_storage.s3._clients import close_clients
from checkpoint_storage.s3._source import S3Source
from checkpoint_storage.s3._store import S3Store
from tests.checkpoint_core.world import Row, multiset
from tests.checkpoint_lambda.invoking import EVENT, Context, document, object_key
from tests.checkpoint_storage.s3.serving import set_aws
from tests.end_to_end.commands import call
from tests.end_to_end.s3_worlds import CHECKPOINT, SOURCE, TARGET, hurried, rows_of
from tests.moto_serving import empty_moto, serving_moto

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Json = dict[str, Any]


@pytest.fixture(scope="module")
def client() -> "Iterator[S3Client]":
    """A client of a server to which everything leads, without pauses."""
    with pytest.MonkeyPatch.context() as patch, hurried(patch), serving_moto() as endpoint:
        patch.setenv("LOG_LEVEL", "ERROR")
        set_aws(
            patch,
            AWS_ACCESS_KEY_ID="key",
            AWS_SECRET_ACCESS_KEY="secret",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ENDPOINT_URL=endpoint,
        )
        client = boto3.client("s3")
        yield client
        client.close()
        close_clients()


@pytest.fixture
def s3(client: "S3Client") -> "S3Client":
    """The client, and two empty buckets."""
    empty_moto(client.meta.endpoint_url)
    for bucket in (SOURCE, TARGET):
        client.create_bucket(Bucket=bucket)
    return client


def write(s3: "S3Client", *numbers: int, **changed: Any) -> list[bytes]:
    """Write the usual event under these keys, told apart by gear_name; return the documents."""
    documents = []
    for number in numbers:
        documents.append(document(**({"gear_name": f"gear-{number}"} | changed)))
        s3.put_object(Bucket=SOURCE, Key=object_key(number), Body=documents[-1])
    return documents


def invoke() -> Json:
    """Invoke the function once, and return its response."""
    return lambda_handler(EVENT, Context())


def rows(s3: "S3Client") -> Counter[Row]:
    """Return the multiset of the checkpoint's rows."""
    return multiset(pl.read_parquet(s3.get_object(Bucket=TARGET, Key=CHECKPOINT)["Body"].read()))


def names(s3: "S3Client") -> list[str]:
    """Return the keys beside the checkpoint, its own among them."""
    return [each["Key"] for each in s3.list_objects_v2(Bucket=TARGET).get("Contents", [])]


def counted(response: Json) -> dict[str, int]:
    """Return the counts that are not zero."""
    return {name: count for name, count in response["counts"].items() if count}


def test_a_first_and_an_incremental_run_do_the_whole_job(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    """New, late, rewritten, touched, broken and repaired objects; then there is nothing to do.

    All that is written is encrypted with the key that is set.
    """
    monkeypatch.setenv("CHECKPOINT_KMS_KEY_ID", "alias/checkpoint")
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
    heads = [s3.head_object(Bucket=TARGET, Key=name) for name in files]
    assert {("aws:kms", "alias/checkpoint")} == {
        (head["ServerSideEncryption"], head["SSEKMSKeyId"]) for head in heads
    }


def test_a_role_that_may_not_list_is_told_so(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a policy of the user's, which gives it one object; wrong credentials are told from it."""
    write(s3, 1, 2)
    resource = f"arn:aws:s3:::{SOURCE}/{object_key(1)}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}],
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
        answers = list(source.read([object_key(1), object_key(2)], max_size_bytes=1_000))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODYKNOWSTHIS1")
        with pytest.raises(StorageError, match=r"InvalidAccessKeyId.*correct the credentials"):
            source.list_objects(restore_states=False)

    assert {object_key(1): None, object_key(2): "denied"} == {
        each.key: getattr(each, "outcome", None) for each in answers
    }


def test_a_participant_leaves_a_bucket_with_versions(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoint, exports and everything of before; the function withholds what comes later."""
    monkeypatch.setenv("EVENT_FORMAT", "1.1")
    s3.put_bucket_versioning(Bucket=TARGET, VersioningConfiguration={"Status": "Enabled"})
    write(s3, 1, 2)
    gone = write(s3, 3, 4, ptid="900001")
    invoke()
    store = S3Store(TARGET, CHECKPOINT, first_pause_s=0)
    here = f"s3://{TARGET}/{CHECKPOINT}"
    assert call("export", here, "--path", "all/{adcid}.parquet").status == 0
    write(s3, 3, ptid="900001", packet="F")
    invoke()
    assert call("export", here).status == 0

    # S3 tells times to the second, and what is as old as the ledger in force is left.
    time.sleep(1.1)
    whom = ("--adcid", 42, "--ptid", "900001")
    done = call("remove", here, f"s3://{SOURCE}/prod/", *whom, "--purge", "--json")
    response = invoke()

    document = json.loads(done.stdout)
    assert (0, "") == (done.status, done.stderr)
    assert document["holdings"]["rows"] == 3
    assert document["purge"]["left"] == 0
    assert document["purge"]["versions"] > document["holdings"]["older_versions"] > 0
    assert len(document["commands"]) == 2
    assert not rows_of(gone) & rows(s3)
    assert {"unchanged": 2, "rejected_before": 2} == counted(response)
    kept = s3.list_object_versions(Bucket=TARGET, Prefix="out/")
    assert not kept.get("DeleteMarkers")
    assert {each["Key"] for each in kept["Versions"] if not each["IsLatest"]} <= {
        "out/_withheld/events.json"
    }
    for each in kept["Versions"]:
        data = s3.get_object(Bucket=TARGET, Key=each["Key"], VersionId=each["VersionId"])["Body"]
        assert b"900001" not in data.read()
    assert store.list_versions("") == store.list_versions("_withheld/")
