"""The world that tests on S3 share."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.s3_worlds import World, serving_world


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    """One server for all tests of this module."""
    with serving_world() as world:
        yield world


@pytest.fixture
def world(served: World) -> World:
    """The world, empty."""
    served.clear()
    return served
