"""The built function with the rights of its role, which moto enforces, and with no others.

moto leaves conditions out of account, so that the requests to our own look-alike are held against
the policy with all conditions.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
    EVENTS,
    LEDGERS,
    OLD_DIGESTS,
    OLD_LEDGER,
    REJECTS,
    SAMPLE,
    Deployed,
    deploying,
)
from tests.artifact_trial.sandbox import Sandbox
from tests.fake_s3 import FakeS3, Request, SyntheticEvents, serve
from tests.infra.deploying import ACCOUNT
from tests.infra.evaluating import Access, allows


class Ran(Struct, frozen=True, kw_only=True):
    """Two runs with the role's rights, and the keys that were in the buckets after each."""

    first: dict[str, Any]
    second: dict[str, Any]
    keys: list[set[str]]


@pytest.fixture(scope="module")
def deployed(sandbox: Sandbox, built: Path) -> Iterator[Deployed]:
    """Give what the function is given where it is deployed."""
    with deploying(built, sandbox.layout.target) as found:
        yield found


@pytest.fixture(scope="module")
def ran(deployed: Deployed, sandbox: Sandbox) -> Ran:
    """Give a first and an incremental run, with an old ledger and its digests to delete."""
    s3 = deployed.owner
    _write(s3, range(30))
    s3.put_object(Bucket=EVENTS, Key=BROKEN, Body=b"{}")
    for bucket, key in ((EVENTS, "prod/log-1.json"), (CHECKPOINTS, "x")):
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

    And nothing is warned. What the policy refuses is asked of the policy itself.
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


def test_the_server_holds_the_role_to_its_rights(deployed: Deployed, ran: Ran) -> None:
    """So that the runs show something."""
    with enable_iam_authentication():
        assert deployed.role.get_object(Bucket=CHECKPOINTS, Key=CHECKPOINT)
        with pytest.raises(ClientError, match="AccessDenied"):
            deployed.role.get_object(Bucket=EVENTS, Key="prod/log-1.json")


def test_every_request_is_allowed_under_the_policies_conditions(
    deployed: Deployed, sandbox: Sandbox
) -> None:
    """Also what S3 asks for before it says that an object is missing."""
    s3 = FakeS3()
    s3.create_bucket(EVENTS)
    s3.create_bucket(CHECKPOINTS)
    requests: list[Request] = []
    s3.plan.on_request(requests.append)
    with (
        serve(s3) as server,
        sandbox.function(server.endpoint_url, deployed.variables) as function,
    ):
        s3.generate(EVENTS, SyntheticEvents(30, prefix="dev/"))
        s3.put_object(EVENTS, BROKEN, b"{}")
        function.invoke()
        s3.generate(EVENTS, SAMPLE)
        _write_old(s3)
        response = function.invoke()

    assert (10, 40) == (response["new_events_processed"], response["total_events"])
    assert {f"{request.operation} {request.bucket}" for request in requests} == {
        f"ListObjectsV2 {EVENTS}",
        f"GetObject {EVENTS}",
        f"ListObjectsV2 {CHECKPOINTS}",
        f"GetObject {CHECKPOINTS}",
        f"PutObject {CHECKPOINTS}",
        f"DeleteObject {CHECKPOINTS}",
    }
    needed = [access for request in requests for access in needed_for(request)]
    assert [] == [access for access in needed if not allows(deployed.policy, access)]


def _write_old(s3: FakeS3) -> None:
    now = s3.clock
    s3.clock = lambda: now() - timedelta(days=400)
    s3.put_object(CHECKPOINTS, OLD_LEDGER, b"old")
    s3.clock = now


def needed_for(request: Request) -> list[Access]:
    """Return the permissions that S3 asks for, whatever the answer is."""
    bucket = f"arn:aws:s3:::{request.bucket}"

    def to(action: str) -> Access:
        return Access(action=action, resource=f"{bucket}/{request.key}")

    def listing(**context: str) -> Access:
        named = {f"s3:{name}": value for name, value in context.items()}
        return Access(action="s3:ListBucket", resource=bucket, context=named)

    match request.operation:
        case "ListObjectsV2":
            return [listing(**request.query)]
        case "GetObject" | "HeadObject":
            return [to("s3:GetObject"), listing(prefix=request.key)]
        case "PutObject" if "if-match" in request.headers:
            return [to("s3:PutObject"), to("s3:GetObject")]
        case "PutObject":
            return [to("s3:PutObject")]
        case "DeleteObject":
            return [to("s3:DeleteObject")]
    pytest.fail(f"What does {request.operation} need?")
