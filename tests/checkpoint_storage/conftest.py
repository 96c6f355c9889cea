"""The S3 look-alike, shared by the tests of each module."""

from collections.abc import Iterator

import pytest

from tests.checkpoint_storage.s3.serving import emptied, serving
from tests.fake_s3 import FakeS3


@pytest.fixture(scope="module")
def server() -> Iterator[FakeS3]:
    """Serve a store to all tests of a module; nobody pauses between two attempts."""
    with pytest.MonkeyPatch.context() as patch, serving(patch) as s3:
        patch.setattr("checkpoint_storage.s3._retrying.backoff", lambda *_: 0.0)
        yield s3


@pytest.fixture
def s3(server: FakeS3) -> FakeS3:
    """Return the store with an empty bucket."""
    return emptied(server)
