"""What the core's tests have: the files are tested on checkpoints that runs have made."""

from tests.checkpoint_core.conftest import world

__all__ = ["world"]
