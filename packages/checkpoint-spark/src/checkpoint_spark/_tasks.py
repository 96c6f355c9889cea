"""What executors do: read and judge a part, and put accepted rows in order.

Whatever is read once is staged; all that follows is made from what is staged, so that a task that
is lost and run again gives the same.
"""

import io
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import polars as pl
from msgspec import Struct
from pyspark import TaskContext

from checkpoint_core import CheckpointError, StorageError
from checkpoint_core.readers import ARRIVAL, Judgement, JudgingRules, SourceReader, joined
from checkpoint_format.stores import unlimited
from checkpoint_spark._staging import Staging
from checkpoint_storage.concurrency import affordable
from checkpoint_storage.explanations import describe
from checkpoint_storage.locations import open_source

__all__ = [
    "SAMPLED_EVERY",
    "Failed",
    "ReadPart",
    "SortedRange",
    "Work",
    "begin_ranges",
    "itself",
    "read_part",
    "sort_range",
    "split",
]

SAMPLED_EVERY: Final = 1_000
"""Of so many accepted rows in order, one is told, to find ranges of about equal size."""

_TIME: Final = pl.Datetime("us", "UTC")
_Result = TypeVar("_Result")


class Work(Struct, frozen=True, kw_only=True):
    """What every task of a run is told; `deadline` is a time in seconds since 1970, or None."""

    source: str
    staging: Staging
    rules: JudgingRules
    batch_objects: int
    read_concurrency: int
    deadline: float | None

    def remaining_s(self) -> float:
        """Return the time that is left, by this machine's clock."""
        return unlimited() if self.deadline is None else max(0.0, self.deadline - time.time())


class ReadPart(Struct, frozen=True, kw_only=True):
    """What became of a part: the names and heights of what was staged, by kind; and the rest.

    `samples` are times of event and of object, and keys, of every so many accepted rows.
    """

    part: int
    staged: dict[str, tuple[str, int]]
    before_cutoff: int
    unknown_fields: dict[str, int]
    samples: list[tuple[Any, ...]]


class SortedRange(Struct, frozen=True, kw_only=True):
    """One range of accepted rows in arrival order, staged under a name."""

    range: int
    name: str
    rows: int


class Failed(Struct, frozen=True, kw_only=True):
    """The store as a whole has failed, so that running the task again would not help."""

    message: str


class TaskError(Exception):
    """A task failed by something that may quote values of events; this says only what kind."""


def read_part(work: Work, parts: Iterable[tuple[int, str]]) -> Iterator[ReadPart | Failed]:
    """Read and judge the parts that were staged under these names, and stage what came of them."""
    return _guarded(_read_part(work, number, name) for number, name in parts)


def _guarded(results: Iterator[_Result]) -> Iterator[_Result | Failed]:
    """Yield a task's results; of an error no more than a run may say, because Spark prints it."""
    try:
        yield from results
    except CheckpointError as error:
        yield Failed(message=str(error))
    except Exception as error:  # noqa: BLE001 - it may quote values of events
        raise TaskError(describe((type(error), error, error.__traceback__))) from None


def _read_part(work: Work, number: int, name: str) -> ReadPart:
    judgements, left = _read(work, work.staging.get(name))
    frames = {"unanswered": left.select("key")}
    before_cutoff, unknown_fields, samples = 0, {}, []
    if judgements:
        judgement = joined(judgements)
        if judgement.keys()["key"].is_duplicated().any():
            raise StorageError(f"{work.source}: an object answered twice. Nothing was changed.")
        rows = judgement.accepted.collect().sort(*ARRIVAL)
        samples = rows.select(ARRIVAL).gather_every(SAMPLED_EVERY).rows()
        before_cutoff, unknown_fields = judgement.before_cutoff, dict(judgement.unknown_fields)
        frames |= {
            "accepted": rows,
            "touched": judgement.touched,
            "reread": judgement.reread,
            "rejected": judgement.rejected,
            "withheld": judgement.withheld,
        }
    attempt = _attempt()
    return ReadPart(
        part=number,
        staged={
            kind: (work.staging.put(f"{kind}-{number}-{attempt}", frame), frame.height)
            for kind, frame in frames.items()
            if frame.height
        },
        before_cutoff=before_cutoff,
        unknown_fields=unknown_fields,
        samples=samples,
    )


def _read(work: Work, left: pl.DataFrame) -> tuple[list[Judgement], pl.DataFrame]:
    """Read and judge objects batch by batch; return what was judged, and what there was no time for."""
    wanted, _ = affordable(work.read_concurrency, setting="read_concurrency")
    source = open_source(work.source, read_concurrency=wanted)
    reader = SourceReader(source, batch_objects=work.batch_objects)
    judgements = []
    while left.height and work.remaining_s() > 0:
        batch = reader.largest_portion.cut(left, work.rules)
        reading = reader.read(
            batch, work.rules, remaining_s=work.remaining_s, told=lambda _count: None
        )
        judgements.append(reading.judgement)
        waiting = batch.join(reading.unanswered, on="key", how="semi", maintain_order="left")
        left = pl.concat([waiting, left[batch.height :]])
    return judgements, left


def split(staging: Staging, bounds: bytes, names: Iterable[str]) -> Iterator[tuple[int, bytes]]:
    """Divide staged rows among the ranges that these bounds begin.

    A range begins with its bound, which has the columns of ARRIVAL. Yields the number of a range
    and rows of it.
    """
    for each in _guarded(_split(staging, decoded(bounds), names)):
        # Spark divides what comes from here by its number, and may try again.
        if isinstance(each, Failed):
            raise TaskError(each.message)
        yield each


def _split(
    staging: Staging, bounds: pl.DataFrame, names: Iterable[str]
) -> Iterator[tuple[int, bytes]]:
    for name in names:
        rows = staging.get(name)
        # Of a bound and the row that it was taken from, the bound comes first.
        marked = pl.concat(
            [bounds.with_columns(begins=1), rows.with_columns(begins=0)], how="diagonal"
        ).sort(*ARRIVAL, "begins", descending=[False, False, False, True])
        numbered = marked.with_columns(range=pl.col("begins").cum_sum())
        found = numbered.filter(pl.col("begins") == 0)
        for (number,), part in found.partition_by("range", as_dict=True).items():
            yield int(number), encoded(part.select(rows.columns))


def sort_range(
    staging: Staging, parts: Iterable[tuple[int, bytes]]
) -> Iterator[SortedRange | Failed]:
    """Put the rows of each range in order, and stage them; all parts of a range are among these."""
    return _guarded(_sorted_ranges(staging, parts))


def _sorted_ranges(staging: Staging, parts: Iterable[tuple[int, bytes]]) -> Iterator[SortedRange]:
    ranges: dict[int, list[pl.DataFrame]] = {}
    for number, data in parts:
        ranges.setdefault(number, []).append(decoded(data))
    for number, frames in ranges.items():
        rows = pl.concat(frames).sort(*ARRIVAL)
        name = staging.put(f"sorted-{number}-{_attempt()}", rows)
        yield SortedRange(range=number, name=name, rows=rows.height)


def begin_ranges(samples: Sequence[tuple[Any, ...]], *, every: int) -> bytes:
    """Return the bounds of ranges that have each so many samples, for `split`."""
    schema = {"timestamp": _TIME, "last_modified": _TIME, "key": pl.String()}
    found = pl.DataFrame(samples, schema=schema, orient="row").sort(*ARRIVAL)
    return encoded(found.gather_every(every)[1:])


def itself(number: int) -> int:
    """Return the range's number, by which Spark divides."""
    return number


def encoded(frame: pl.DataFrame) -> bytes:
    """Return a frame as bytes, types and all."""
    data = io.BytesIO()
    frame.write_ipc(data, compression="zstd")
    return data.getvalue()


def decoded(data: bytes) -> pl.DataFrame:
    """Return the frame that these bytes are."""
    return pl.read_ipc(io.BytesIO(data))


def _attempt() -> int:
    """Return a number that no other attempt of any task of this application has."""
    context = TaskContext.get()
    return context.taskAttemptId() if context else 0
