"""The world that tests on S3 share, and the processes of tests that kill some."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.commands import Forks
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


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Processes that need not import first."""
    forks = Forks(tmp_path_factory.mktemp("forks"))
    yield forks
    forks.close()
