"""What can go wrong with a command, beyond what the other packages know."""

from checkpoint_core import CheckpointError

__all__ = ["NoCheckpointError"]


class NoCheckpointError(CheckpointError):
    """There is nothing to look at."""

    def __init__(self, location: str) -> None:
        """Keep where it was looked for."""
        self.location = location
        super().__init__(
            f"{location}: there is no checkpoint. Correct the name, or make one with "
            "nacc-checkpoint run."
        )
