"""What a removal finds before it."""

import pytest

from tests.checkpoint_core.removing.history import before_a_removal
from tests.checkpoint_core.world import World


@pytest.fixture
def full(world: World) -> World:
    """Give a checkpoint with everything that may hold the participant."""
    before_a_removal(world)
    return world
