"""The built function with the rights of its role, which moto enforces, and with no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.authorization import enable_iam_authentication
from moto.s3.models import s3_backends
from msgspec import Struct

from tests.artifact_trial.deployed import (
    BROKEN,
    CHECKPOINT,
    CHECKPOINTS,
    ELSEWHERE,
    EVENTS,
    LEDGERS,
    OLD_DIGESTS,
    OLD_LEDGER,
    REJECTS,
    SAMPLE,
    Deployed,
)
from tests.artifact_trial.sandbox import Sandbox
from tests.infra.deploying import ACCOUNT

EVENT = SAMPLE.keys[0]


class Ran(Struct, frozen=True, kw_only=True):
    """Two runs with the role's rights, and the keys that were in the buckets after each."""

    first: dict[str, Any]
    second: dict[str, Any]
    keys: list[set[str]]


@pytest.fixture(scope="module")
def ran(deployed: Deployed, sandbox: Sandbox) -> Ran:
    """Give a first and an incremental run, with an old ledger and its digests to delete."""
    s3 = deployed.owner
    _write(s3, range(30))
    s3.put_object(Bucket=EVENTS, Key=BROKEN, Body=b"{}")
    for bucket, key in ((EVENTS, "prod/log-1.json"), (ELSEWHERE, EVENT), (CHECKPOINTS, "x")):
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    variables = deployed.variables | deployed.credentials
    with sandbox.function(deployed.endpoint_url, variables) as function:
        with enable_iam_authentication():
            first = function.invoke()
        keys = [_keys(s3)]
        _write(s3, range(30, 40))
        for key in (OLD_LEDGER, OLD_DIGESTS):
            s3.put_object(Bucket=CHECKPOINTS, Key=key, Body=b"old")
            old = s3_backends[ACCOUNT]["aws"].get_object(CHECKPOINTS, key)
            assert old is not None
            old.last_modified = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=400)
        with enable_iam_authentication():
            second = function.invoke()
    return Ran(first=first, second=second, keys=[*keys, _keys(s3)])


def _write(s3: Any, numbers: range) -> None:
    for number in numbers:
        s3.put_object(Bucket=EVENTS, Key=SAMPLE.keys.key(number), Body=SAMPLE.content(number))


def _keys(s3: Any) -> set[str]:
    return {each["Key"] for each in s3.list_objects_v2(Bucket=CHECKPOINTS)["Contents"]}


def test_a_first_and_an_incremental_run_need_no_more_than_the_role_allows(ran: Ran) -> None:
    """Checkpoint, ledgers with their digests and rejects are written, old ones are deleted.

    And nothing is warned.
    """
    counts = [
        {name: count for name, count in run["counts"].items() if count}
        for run in (ran.first, ran.second)
    ]
    ledgers = [{key for key in keys if key.startswith(LEDGERS)} for keys in ran.keys]

    assert [
        {"accepted": 30, "invalid": 1},
        {"accepted": 10, "unchanged": 30, "rejected_before": 1},
    ] == counts
    assert [[], []] == [ran.first["warnings"], ran.second["warnings"]]
    assert {CHECKPOINT, REJECTS, "x"} | ledgers[0] == ran.keys[0]
    assert {CHECKPOINT, REJECTS, "x"} | ledgers[1] == ran.keys[1]
    for suffix in (".parquet", ".json"):
        assert [1, 2] == [sum(key.endswith(suffix) for key in each) for each in ledgers]
    assert {OLD_LEDGER, OLD_DIGESTS}.isdisjoint(ledgers[1])


@pytest.mark.parametrize(
    "operation,bucket,key",
    [
        ("get_object", EVENTS, "prod/log-1.json"),
        ("put_object", EVENTS, EVENT),
        ("delete_object", EVENTS, EVENT),
        ("list_objects_v2", ELSEWHERE, None),
        ("get_object", ELSEWHERE, EVENT),
        ("put_object", CHECKPOINTS, "checkpoints/other.parquet"),
        ("delete_object", CHECKPOINTS, CHECKPOINT),
        ("list_object_versions", CHECKPOINTS, None),
        ("delete_bucket", CHECKPOINTS, None),
    ],
)
def test_with_the_same_rights_nothing_else_can_be_done(
    deployed: Deployed, ran: Ran, operation: str, bucket: str | None, key: str | None
) -> None:
    """Neither read, list or write elsewhere, nor destroy what it reads or writes.

    What else the policy refuses is asked of the policy itself, without a function.
    """
    body = b"new" if operation == "put_object" else None
    named = {"Bucket": bucket, "Key": key, "Body": body}
    wanted = {name: value for name, value in named.items() if value is not None}

    with enable_iam_authentication():
        assert deployed.role.get_object(Bucket=CHECKPOINTS, Key=CHECKPOINT)
        with pytest.raises(ClientError, match=r"AccessDenied|Forbidden"):
            getattr(deployed.role, operation)(**wanted)
