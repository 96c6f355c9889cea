"""A small S3 look-alike for tests and benchmarks: real semantics, planned faults, real HTTP.

    s3 = FakeS3()
    s3.create_bucket("events")
    with serve(s3) as server:
        client = boto3.client("s3", endpoint_url=server.endpoint_url, ...)

`Fault` states the fault model; `s3.plan.add` plans a fault, `s3.plan.on_request` a callback,
`s3.log` counts requests. `python -m tests.fake_s3 --help` serves from a process of its own.
Addressing is by path; any signature is good. Multipart uploads, copies, lists of versions and
whatever else is not here are answered with 501 NotImplemented.
"""

from tests.fake_s3.errors import S3Error
from tests.fake_s3.faults import Fault, Hook, PlannedFault
from tests.fake_s3.log import LoggedRequest
from tests.fake_s3.requests import Request
from tests.fake_s3.server import Server, serve
from tests.fake_s3.store import FakeS3
from tests.fake_s3.synthetic import SyntheticEvents

__all__ = [
    "FakeS3",
    "Fault",
    "Hook",
    "LoggedRequest",
    "PlannedFault",
    "Request",
    "S3Error",
    "Server",
    "SyntheticEvents",
    "serve",
]
