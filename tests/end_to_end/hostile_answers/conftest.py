"""The world that these tests share."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.s3_worlds import World, serving_world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One server for all tests of a module, whose pages have two keys each."""
    with serving_world() as world:
        world.s3.page_size = 2
        yield world
        world.s3.page_size = 1000
