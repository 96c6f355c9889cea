"""The doctor on moto's server, which knows STS, clocks, a bucket's settings and permissions."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core.authorization import enable_iam_authentication

from checkpoint_infra.policies import function_policy
from checkpoint_infra.settings.reading import read_configuration
from checkpoint_storage.doctor import Subject
from checkpoint_storage.doctor._s3 import access
from checkpoint_storage.doctor._s3.bucket import lifecycle
from checkpoint_storage.doctor._s3.key import state_of_key
from checkpoint_storage.s3 import S3Source, S3Store
from checkpoint_storage.s3._clients import close_clients
from tests.checkpoint_lambda.invoking import document, object_key
from tests.checkpoint_storage.doctor.examining import examined
from tests.checkpoint_storage.s3.serving import set_aws
from tests.end_to_end.commands import call
from tests.infra.deploying import as_texts, merged, stack_values
from tests.moto_serving import serving_moto

pytestmark = pytest.mark.on_one_python

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SOURCE, CHECKPOINT = "s3://events/prod", "s3://checkpoints/out/events.parquet"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server for all tests of this module, and variables that lead there."""
    with serving_moto() as endpoint, pytest.MonkeyPatch.context() as patch:
        patch.setattr("checkpoint_storage.s3._retrying.backoff", lambda *_: 0.0)
        set_aws(
            patch,
            AWS_ACCESS_KEY_ID="key",
            AWS_SECRET_ACCESS_KEY="secret",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ENDPOINT_URL=endpoint,
        )
        yield endpoint
        close_clients()


@pytest.fixture
def s3(endpoint: str) -> "Iterator[S3Client]":
    """A client; a source with an event, and a bucket with all that a checkpoint's should have."""
    client = boto3.client("s3")
    for bucket in ("events", "checkpoints"):
        client.create_bucket(Bucket=bucket)
    client.put_object(Bucket="events", Key=object_key(1), Body=document())
    client.put_bucket_versioning(
        Bucket="checkpoints", VersioningConfiguration={"Status": "Enabled"}
    )
    client.put_bucket_encryption(
        Bucket="checkpoints",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    client.put_public_access_block(
        Bucket="checkpoints",
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    yield client
    client.close()
    with urlopen(Request(f"{endpoint}/moto-api/reset", method="POST")):
        pass


def test_where_all_is_well_every_check_is_ok(s3: "S3Client") -> None:
    """Who is asking, when, and all settings are told; no object is left of the probe."""
    found = examined(SOURCE, CHECKPOINT)

    assert {} == found.but_ok()
    assert "arn:aws:sts::" in found.details["credentials"]
    assert "exists, in us-east-1" in found.details["checkpoint bucket"]
    assert "AES256" in found.details["encryption"]
    assert "Contents" not in s3.list_objects_v2(Bucket="checkpoints")


def test_what_the_bucket_lacks_is_noted(s3: "S3Client") -> None:
    """No versions, no default encryption, no wall against the public: a run succeeds anyhow."""
    s3.put_bucket_versioning(Bucket="checkpoints", VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_encryption(Bucket="checkpoints")
    s3.delete_public_access_block(Bucket="checkpoints")
    found = examined(SOURCE, CHECKPOINT)

    noted = ("encryption", "default encryption", "versioning", "public access")
    assert dict.fromkeys(noted, "warning") == found.but_ok()
    assert "could not be restored" in found.details["versioning"]


@pytest.mark.parametrize(
    "change,state,said",
    [
        (None, "ok", "aws:kms, arn:aws:kms:us-east-1:"),
        ("disable_key", "failed", "is Disabled"),
        ("schedule_key_deletion", "failed", "is PendingDeletion"),
    ],
)
def test_a_key_that_will_not_last_is_told(
    s3: "S3Client", change: str | None, state: str, said: str
) -> None:
    """Which key it is, and in which state: what is written now must be readable then."""
    kms: Any = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]
    default: Any = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}
    s3.put_bucket_encryption(
        Bucket="checkpoints",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )
    if change:
        getattr(kms, change)(KeyId=key["KeyId"])
    found = examined(SOURCE, CHECKPOINT)

    assert found.but_ok().get("encryption", "ok") == state
    assert said in found.details["encryption"]


@pytest.mark.parametrize(
    "manager,said", [("AWS", "no other account"), (None, "cannot be seen from here")]
)
def test_a_key_that_others_cannot_use_or_that_nobody_may_look_at_is_told(
    monkeypatch: pytest.MonkeyPatch, manager: str | None, said: str
) -> None:
    """Neither is a reason not to run."""

    class Keys:
        def describe_key(self, **_: str) -> Any:
            if manager is None:
                raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeKey")
            return {"KeyMetadata": {"KeyState": "Enabled", "KeyManager": manager}}

    monkeypatch.setattr("boto3.session.Session.client", lambda *_, **__: Keys())
    verdict = state_of_key("arn:aws:kms:us-east-1:123456789012:key/1", "aws:kms")

    assert verdict.state in {"ok", "warning"}
    assert said in verdict.detail


REMOVES: dict[str, Any] = {"Expiration": {"Days": 30}}
ARCHIVES: dict[str, Any] = {"Transitions": [{"Days": 90, "StorageClass": "GLACIER"}]}
TAGS = [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize(
    "rule, is_harmful",
    [
        ({"Filter": {"Prefix": ""}, **REMOVES}, True),
        ({"Filter": {"Prefix": "out/_led"}, **REMOVES}, True),
        ({"Filter": {"Prefix": "out/_ledger/events/0"}, **REMOVES}, True),
        ({"Prefix": "out/", "Expiration": {"Date": datetime(2030, 1, 1, tzinfo=UTC)}}, True),
        ({"Filter": {"Prefix": "out/events"}, **ARCHIVES}, True),
        ({"Filter": {"And": {"Prefix": "out/", "ObjectSizeGreaterThan": 9}}, **REMOVES}, True),
        ({"Filter": {"And": {"Prefix": "out/", "Tags": TAGS}}, **REMOVES}, False),
        ({"Filter": {"Prefix": "prod/log-"}, **REMOVES}, False),
        ({"Filter": {"Prefix": "out/_ledger/other/"}, **REMOVES}, False),
        ({"Filter": {"Prefix": "out/_previous/"}, **REMOVES}, True),
        ({"Filter": {"Prefix": "out/_rejects/"}, **ARCHIVES}, True),
        (
            {
                "Filter": {"Prefix": ""},
                "Expiration": {"ExpiredObjectDeleteMarker": True},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
            },
            False,
        ),
    ],
)
def test_rules_that_meet_what_is_in_force_fail(
    s3: "S3Client", rule: dict[str, Any], *, is_harmful: bool
) -> None:
    """Those that are on, whatever their filter; what only tidies up does not."""
    subject = Subject(S3Source("events", "prod"), S3Store("checkpoints", "out/events.parquet"))
    verdicts = {}
    for status in ("Enabled", "Disabled"):
        rules: list[Any] = [{"ID": "a-rule", "Status": status, **rule}]
        s3.put_bucket_lifecycle_configuration(
            Bucket="checkpoints", LifecycleConfiguration={"Rules": rules}
        )
        verdicts[status] = lifecycle(subject)

    assert ("failed" if is_harmful else "ok") == verdicts["Enabled"].state
    assert is_harmful is ("a-rule" in verdicts["Enabled"].detail)
    assert "ok" == verdicts["Disabled"].state


@pytest.mark.parametrize(
    "behind_s,status,state",
    [
        (10, 200, "ok"),
        (70, 200, "warning"),
        (1_000, 200, "warning"),
        (1_000, 403, "failed"),
        (-1_000, 403, "failed"),
    ],
)
def test_clocks_that_differ_are_told(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch, behind_s: int, status: int, state: str
) -> None:
    """From a quarter of an hour on S3 refuses every request; not every server does."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=behind_s), usegmt=True)
    answer = {"HTTPStatusCode": status, "HTTPHeaders": {"date": date}}
    monkeypatch.setattr(access, "_asked_for", lambda _: {"ResponseMetadata": answer})
    found = access.clock(Subject(S3Source("events"), S3Store("checkpoints", "events.parquet")))

    assert state == found.state
    assert ("ahead" if behind_s < 0 else "behind") in found.detail


def test_a_caller_whom_nobody_knows_is_noted_and_refused(
    s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked of S3 fails, and says why."""
    with enable_iam_authentication():
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODYKNOWSTHIS1")
        found = examined(SOURCE, CHECKPOINT, "--read-only")

    assert "warning" == found.states["credentials"]
    assert "failed" == found.states["source listing"]
    assert "correct the credentials" in found.details["source listing"]


def test_the_functions_role_is_enough(s3: "S3Client", tmp_path: Path) -> None:
    """With exactly its policy nothing fails and the probe is removed; settings stay unknown.

    Exports are made, and removed again.
    """
    path = "../exports/{study}/events.parquet"
    changes = {
        "source": {"bucket": "events"},
        "checkpoint": {"bucket": "checkpoints", "key": "out/events.parquet"},
        "exports": [{"name": "events", "path": path}],
    }
    config = read_configuration(as_texts(merged(stack_values("prod"), changes)))
    iam = boto3.client("iam")
    iam.create_user(UserName="function")
    iam.put_user_policy(
        UserName="function", PolicyName="p", PolicyDocument=json.dumps(function_policy(config))
    )
    key = iam.create_access_key(UserName="function")["AccessKey"]
    iam.close()
    before = s3.list_object_versions(Bucket="events")["Versions"]
    with enable_iam_authentication(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        patch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        first = examined(SOURCE, CHECKPOINT)
        ran = call("run", SOURCE, CHECKPOINT)
        second = examined(SOURCE, CHECKPOINT)
        made = call("export", CHECKPOINT, "--path", path, "--json")
        (none := tmp_path / "exports.toml").touch()
        removed = call("export", CHECKPOINT, "--definitions", str(none), "--json")

    # Some of the settings moto tells everybody.
    assert {"versioning": "warning", "lifecycle": "warning"} == first.but_ok() == second.but_ok()
    for name in first.but_ok():
        assert "not allowed to look (s3:Get" in first.details[name]
    assert (0, "") == (ran.status, ran.stderr)
    assert [1, 1] == [
        json.loads(each.stdout)["exports"][0][what]
        for each, what in ((made, "written"), (removed, "removed"))
    ]
    assert "1 rows of 1 objects" in second.details["checkpoint"]
    assert before == s3.list_object_versions(Bucket="events")["Versions"]
    left = [each["Key"] for each in s3.list_objects_v2(Bucket="checkpoints")["Contents"]]
    assert [key for key in left if "doctor" in key] == []
