"""What can stop a run on Spark, beyond what core and format know."""

from typing import Final

from checkpoint_core import CheckpointError

__all__ = ["DriverTooSmallError", "SparkJobError", "SparkStartError"]

_MIB: Final = 1_048_576


class SparkStartError(CheckpointError):
    """There is no Spark application to run on; what Spark says of it is on stderr."""

    def __init__(self) -> None:
        super().__init__(
            "Spark did not start. Nothing was changed. It needs Java 17 or newer: see that JAVA_HOME "
            "leads to one, or PATH, and that Spark's configuration is right; then run again."
        )


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
