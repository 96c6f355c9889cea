"""What every test of the core may ask for."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.checkpoint_core.scenarios import Prepared
from tests.checkpoint_core.world import World, scratch


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty source and an empty store."""
    with scratch() as folder:
        yield World(folder)


@pytest.fixture(scope="module")
def prepared(deltas: None) -> Iterator[Prepared]:
    """Give the scenarios of all kinds of runs, in which small ledgers have deltas."""
    with ExitStack() as folders:
        yield Prepared(folders)
