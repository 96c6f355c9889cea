"""What every test of the core may ask for."""

from collections.abc import Iterator

import pytest

from tests.checkpoint_core.world import World, scratch


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty source and an empty store."""
    with scratch() as folder:
        yield World(folder)
