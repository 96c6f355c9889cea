"""A bucket on the S3 look-alike, and an environment that leads there and nowhere else.

Making clients takes much longer than using them, so the tests of a module share a server: the same
environment, hence the same clients.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from checkpoint_storage.s3._clients import close_clients
from tests.fake_s3 import FakeS3, Fault, serve

BUCKET = "events"
FAILED = [Fault.FAIL_BEFORE, Fault.FAIL_AFTER, Fault.THROTTLED, Fault.RESET, Fault.RESPONSE_LOST]
"""No answer at all, or one that says that it failed."""
NO_OBJECT = [
    Fault.ERROR_WITH_200,
    Fault.HTML_WITH_200,
    Fault.XHTML_WITH_200,
    Fault.STATIC_HTML,
    Fault.EMPTY_WITH_200,
    Fault.NO_ETAG,
]
"""A good status with something else than an object."""


def set_aws(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Let the environment have these AWS variables and no other, and no files beside it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **variables,
    }.items():
        monkeypatch.setenv(name, value)


def emptied(s3: FakeS3, *, page_size: int = 1000) -> FakeS3:
    """Return the store as it was in the beginning, with one empty bucket."""
    s3._buckets.clear()
    s3.plan.clear()
    s3.log.clear()
    s3.page_size = page_size
    s3.ignored_conditions = ()
    s3.clock = lambda: datetime.now(UTC)
    s3.create_bucket(BUCKET)
    return s3


@contextmanager
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let clients wait for an answer for less than a second."""
    with monkeypatch.context() as patch:
        patch.setattr("checkpoint_storage.s3._clients._READ_TIMEOUT_S", 0.4)
        close_clients()
        try:
            yield
        finally:
            close_clients()


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    """Serve a store with one bucket; every connection is closed afterwards."""
    s3 = FakeS3()
    s3.create_bucket(BUCKET)
    with serve(s3) as server:
        set_aws(
            monkeypatch,
            AWS_ACCESS_KEY_ID="key",
            AWS_SECRET_ACCESS_KEY="secret",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ENDPOINT_URL=server.endpoint_url,
        )
        try:
            yield s3
        finally:
            close_clients()
