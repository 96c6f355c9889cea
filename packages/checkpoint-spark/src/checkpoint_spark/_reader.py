"""The reader whose hands are a cluster: the driver deals, executors read and judge and sort."""

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl
from msgspec import Struct
from pyspark import RDD, SparkContext

from checkpoint_core import StorageError
from checkpoint_core.readers import (
    AcceptedRows,
    Judgement,
    JudgingRules,
    Portion,
    Reading,
    nothing_judged,
)
from checkpoint_spark._dealing import deal
from checkpoint_spark._staging import Staging, read_staged
from checkpoint_spark._tasks import (
    SAMPLED_EVERY,
    Failed,
    ReadPart,
    Work,
    begin_ranges,
    itself,
    read_part,
    sort_range,
    split,
)
from checkpoint_spark.errors import SparkJobError

__all__ = ["SparkReader"]

# Sorted in one task, in some 200 MB.
_ROWS_OF_A_RANGE: Final = 250_000
_EVERYTHING: Final = 2**62


class SparkReader(Struct, frozen=True, kw_only=True):
    """Reads a run's whole selection as one portion, on the executors of a Spark application.

    `workdir` is where sorted rows are brought to; it must be there until the run has ended.
    """

    context: SparkContext
    source: str
    staging: Staging
    workdir: Path
    batch_objects: int
    read_concurrency: int

    @property
    def largest_portion(self) -> Portion:
        """All there is."""
        return Portion(objects=_EVERYTHING, size_bytes=_EVERYTHING)

    def read(
        self,
        portion: pl.DataFrame,
        rules: JudgingRules,
        *,
        remaining_s: Callable[[], float],
        told: Callable[[int], None],  # noqa: ARG002 - Spark tells of its tasks itself
    ) -> Reading:
        """Read and judge the portion on the executors, and bring what they staged here.

        One attempt of each task counts, and each object comes to one end in it. Raises
        StorageError when the store as a whole has failed, SparkJobError when Spark has.
        """
        left_s = remaining_s()
        work = Work(
            source=self.source,
            staging=self.staging,
            rules=rules,
            batch_objects=self.batch_objects,
            read_concurrency=self.read_concurrency,
            deadline=None if math.isinf(left_s) else time.time() + left_s,
        )
        try:
            parts = self._read_parts(portion, work)
            reading = Reading(
                judgement=self._judgement(parts, rules),
                unanswered=self._gathered(parts, "unanswered", portion.clear().select("key")),
            )
        finally:
            # A later run removes what this one cannot.
            with suppress(StorageError):
                self.staging.clear(now=datetime.now(UTC))
        left_s = remaining_s()
        if reading.unanswered.height and left_s > 0:
            # By the clock of an executor there was no time left; that of the run decides.
            time.sleep(left_s)
            remaining_s()
        return reading

    def _read_parts(self, portion: pl.DataFrame, work: Work) -> list[ReadPart]:
        """Have each part read once; raises StorageError unless all its objects came to an end."""
        dealt = deal(
            portion,
            cores=self.context.defaultParallelism,
            max_object_size_bytes=work.rules.max_object_size_bytes,
        )
        names = self.staging.put_all(dealt)
        parts = _results(
            self.context.parallelize(list(enumerate(names)), len(names)).mapPartitions(
                partial(read_part, work)
            )
        )
        ends = {
            each.part: sum(rows for _, rows in each.staged.values()) + each.before_cutoff
            for each in parts
        }
        if len(parts) != len(dealt) or ends != {n: part.height for n, part in enumerate(dealt)}:
            message = f"{self.source}: not each object came to one end. Nothing was changed."
            raise StorageError(message)
        return parts

    def _judgement(self, parts: Sequence[ReadPart], rules: JudgingRules) -> Judgement:
        nothing = nothing_judged(rules)
        unknown = Counter[str]()
        for part in parts:
            unknown.update(part.unknown_fields)
        return Judgement(
            accepted=self._sorted(parts, nothing.accepted),
            touched=self._gathered(parts, "touched", nothing.touched),
            reread=self._gathered(parts, "reread", nothing.reread),
            rejected=self._gathered(parts, "rejected", nothing.rejected),
            withheld=self._gathered(parts, "withheld", nothing.withheld),
            before_cutoff=sum(part.before_cutoff for part in parts),
            unknown_fields=unknown,
        )

    def _gathered(
        self, parts: Sequence[ReadPart], kind: str, nothing: pl.DataFrame
    ) -> pl.DataFrame:
        """Return all rows of a kind, in memory; they are few beside the accepted, as a rule."""
        names = [part.staged[kind][0] for part in parts if kind in part.staged]
        files = self.staging.fetch(names, self.workdir)
        return pl.concat([nothing, *(read_staged(file) for file in files)])

    def _sorted(self, parts: Sequence[ReadPart], nothing: AcceptedRows) -> AcceptedRows:
        """Have the accepted rows sorted by range, and bring the ranges here as files."""
        staged = [part.staged["accepted"] for part in parts if "accepted" in part.staged]
        if not staged:
            return nothing
        samples = [sample for part in parts for sample in part.samples]
        bounds = begin_ranges(samples, every=_ROWS_OF_A_RANGE // SAMPLED_EVERY)
        names = [name for name, _ in staged]
        ranges = _results(
            self.context.parallelize(names, len(names))
            .mapPartitions(partial(split, self.staging, bounds))
            .partitionBy(len(samples) * SAMPLED_EVERY // _ROWS_OF_A_RANGE + 1, itself)
            .mapPartitions(partial(sort_range, self.staging))
        )
        ranges.sort(key=lambda each: each.range)
        rows = sum(each.rows for each in ranges)
        if rows != sum(height for _, height in staged):
            raise StorageError(f"{self.source}: rows were lost while sorting. Nothing was changed.")
        files = self.staging.fetch([each.name for each in ranges], self.workdir)
        return AcceptedRows.in_files(files, rows)


def _results(job: "RDD[Any]") -> list[Any]:
    """Run a job and return what its tasks have; raises StorageError or SparkJobError."""
    try:
        results = job.collect()
    except Exception as error:
        message = (
            "Spark gave up: its tasks failed, or executors were lost, again and again. Nothing was "
            "changed. See the logs of the executors, and run again."
        )
        raise SparkJobError(message) from error
    for each in results:
        if isinstance(each, Failed):
            raise StorageError(each.message)
    return results
