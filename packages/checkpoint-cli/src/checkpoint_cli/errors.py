"""What can go wrong with a command, beyond what the other packages know."""

from checkpoint_core import CheckpointError

__all__ = ["NoCheckpointError", "NotInstalledError"]


class NoCheckpointError(CheckpointError):
    """There is nothing to look at."""

    def __init__(self, location: str) -> None:
        """Keep where it was looked for."""
        self.location = location
        super().__init__(
            f"{location}: there is no checkpoint. Correct the name, or make one with "
            "nacc-checkpoint run."
        )


class NotInstalledError(CheckpointError):
    """A command needs a module that is not installed."""

    def __init__(self, module: str, *, needed_by: str, install: str) -> None:
        """Say how to install it: `install` is what pip is given."""
        super().__init__(
            f"{module} is not installed, which {needed_by} needs. "
            f"Install it with: pip install {install}"
        )
