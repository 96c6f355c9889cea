"""Every request of the built function, held against its role's policy with all conditions.

moto leaves conditions out of account, so the requests are those to our own look-alike.
"""

from datetime import timedelta

import pytest

from tests.artifact_trial.deployed import (
    BROKEN,
    CHECKPOINTS,
    EVENTS,
    OLD_LEDGER,
    SAMPLE,
    Deployed,
)
from tests.artifact_trial.sandbox import Sandbox
from tests.fake_s3 import FakeS3, Request, SyntheticEvents, serve
from tests.infra.evaluating import Access, allows


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
