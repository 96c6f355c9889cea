"""Reading what was selected, in bounded batches, until it is done or the run must stop."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import polars as pl
from msgspec import Struct

from checkpoint_core._judgement import Judge, Judgement
from checkpoint_core.errors import StorageError
from checkpoint_core.settings import Settings
from checkpoint_core.stores import Host, Source

_Item = TypeVar("_Item")
_TOLD_EVERY = 500


class Taken(Struct, frozen=True, kw_only=True):
    """What was read and judged, and what was left because of a limit."""

    judgement: Judgement
    left: pl.DataFrame
    out_of_time: bool


def read_and_judge(
    source: Source,
    to_read: pl.DataFrame,
    judge: Judge,
    *,
    entries: pl.DataFrame,
    settings: Settings,
    host: Host,
    whole: bool,
) -> Taken:
    """Read the selected objects in their order, batch by batch, and judge each batch.

    Stops before a batch when the events of this run have reached their limit (not where the
    `whole` selection is needed) or when no more time is left than the reserve.
    `entries` are the ledger's rows of these objects. Raises StorageError when the source does not
    answer for each object once, because a row could come a second time.
    """
    known = dict(zip(entries["key"], entries["digest"], strict=True))
    parts = [judge.judge((), known={}, listed=to_read.clear())]
    offset = 0
    accepted = 0
    out_of_time = False
    while offset < to_read.height:
        out_of_time = host.remaining_s() <= settings.reserve_s
        if out_of_time or (accepted >= settings.max_events_per_run and not whole):
            break
        room = to_read.height if whole else settings.max_events_per_run - accepted
        batch = to_read.slice(offset, min(settings.batch_objects, room))
        oversized = pl.col("size") > settings.max_object_size_bytes
        answers = source.read(
            batch.filter(~oversized)["key"].to_list(), max_size_bytes=settings.max_object_size_bytes
        )
        told = _told(answers, host, offset, to_read.height)
        part = judge.judge(told, known=known, listed=batch)
        large = judge.refuse_oversized(batch.filter(oversized))
        if part.objects + large.objects != batch.height:
            message = (
                f"{source.location}: {batch.height} objects were to be judged and "
                f"{part.objects + large.objects} were. Nothing was changed."
            )
            raise StorageError(message)
        parts += [part, large]
        accepted += part.accepted.height
        offset += batch.height
        host.observer.progress(offset, to_read.height)
    return Taken(judgement=_joined(parts), left=to_read.slice(offset), out_of_time=out_of_time)


def _joined(parts: list[Judgement]) -> Judgement:
    return Judgement(
        accepted=pl.concat([part.accepted for part in parts]),
        touched=pl.concat([part.touched for part in parts]),
        rejected=pl.concat([part.rejected for part in parts]),
        before_cutoff=sum(part.before_cutoff for part in parts),
    )


def _told(items: Iterable[_Item], host: Host, done: int, total: int) -> Iterator[_Item]:
    """Pass items on, and tell the observer now and then how many there were."""
    for count, item in enumerate(items, start=done + 1):
        yield item
        if count % _TOLD_EVERY == 0:
            host.observer.progress(count, total)
