"""The run of the visit-event checkpoint with reading and judging spread over a Spark cluster.

`run` is for notebooks and programs; `nacc-checkpoint-spark run` is for `spark-submit` and terminals.
"""

from checkpoint_spark._running import run
from checkpoint_spark._version import __version__

__all__ = ["__version__", "run"]
