"""What can go wrong with a run beyond what the core knows.

Every message says what is wrong, where, and what to do next, and holds no value of an event field.
"""

from checkpoint_core import CheckpointError, RunReport

__all__ = ["DeniedObjectsError", "NoCheckpointError", "StalledError", "UnsupportedLocationError"]


class DeniedObjectsError(CheckpointError):
    """Access to single objects was refused; all that could be read has been taken."""

    def __init__(self, report: RunReport) -> None:
        """Keep what the run did."""
        self.report = report
        denied = (file.key for file in report.failed_files if file.outcome == "denied")
        example = next(denied, None)
        rest = "Nothing was written, as asked" if report.dry_run else "All others were taken"
        super().__init__(
            f"{report.source}: access to {report.counts.denied} objects was denied"
            f"{f', for example to {example}' if example else ''}. {rest}. "
            "Grant permission to read them, and run again."
        )


class NoCheckpointError(CheckpointError):
    """There is nothing to look at."""

    def __init__(self, location: str) -> None:
        """Keep where it was looked for."""
        self.location = location
        super().__init__(
            f"{location}: there is no checkpoint. Correct the name, or make one with "
            "nacc-checkpoint run."
        )


class StalledError(CheckpointError):
    """Objects are left, and pass after pass nobody takes any of them."""

    def __init__(self, location: str, left: int, passes: int) -> None:
        """Keep the number of objects left, and of passes in a row in which nothing moved."""
        self.location = location
        self.left = left
        self.passes = passes
        super().__init__(
            f"{location}: {left} objects are left, and in {passes} passes in a row neither this "
            "run nor another took any of them. What is committed stays. Run again later."
        )


class UnsupportedLocationError(ValueError):
    """A source or a checkpoint is named in a way that this version cannot use."""
