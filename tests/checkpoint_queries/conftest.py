"""What the core's tests have: questions and exports are tested on checkpoints that runs have made."""

from tests.checkpoint_core.conftest import world

__all__ = ["world"]
