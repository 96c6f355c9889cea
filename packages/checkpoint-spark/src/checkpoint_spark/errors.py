"""What can stop a run on Spark, beyond what the core knows."""

from checkpoint_core import CheckpointError

__all__ = ["SparkJobError"]


class SparkJobError(CheckpointError):
    """Spark has given a job up: its tasks failed, or executors were lost, again and again."""
