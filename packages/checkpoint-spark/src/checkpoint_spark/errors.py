"""What can stop a run on Spark, beyond what the core knows."""

from typing import Final

from checkpoint_core import CheckpointError

__all__ = ["DriverTooSmallError", "SparkJobError"]

_MIB: Final = 1_048_576


class SparkJobError(CheckpointError):
    """Spark has given a job up: its tasks failed, or executors were lost, again and again."""


class DriverTooSmallError(CheckpointError):
    """The driver has less memory than this run will need."""

    def __init__(self, *, needed: int, available: int) -> None:
        self.needed_bytes = needed
        self.available_bytes = available
        super().__init__(
            f"the driver's memory: this run needs about {needed // _MIB:,} MiB more than it has "
            f"taken, and there are {available // _MIB:,} MiB. Nothing was changed. Give the driver "
            "more memory (spark.driver.memoryOverhead), or set --max-events-per-run lower."
        )
