"""Reading what was selected, in bounded batches, until it is done or the run must stop."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import polars as pl
from msgspec import Struct

from checkpoint_core._files.event_columns import narrower_formats
from checkpoint_core._files.ledger import awaits_upgrade
from checkpoint_core._judging.judgement import Judge, Judgement
from checkpoint_core._removing.withholding import withhold
from checkpoint_core.errors import StorageError
from checkpoint_core.settings import Settings
from checkpoint_core.stores import Content, Host, Observer, ReadFailure, Source

_Answer = TypeVar("_Answer", bound=Content | ReadFailure)
_TOLD_EVERY = 500
# Of usual events, far more than a batch has.
_BATCH_BYTES = 64 * 1024 * 1024


class Taken(Struct, frozen=True, kw_only=True):
    """What was read and judged, and what was left because of a limit.

    `unanswered` are those of the left that the source was asked for, and did not answer in time.
    """

    judgement: Judgement
    left: pl.DataFrame
    unanswered: int
    out_of_time: bool

    @property
    def is_progress(self) -> bool:
        """Whether the next run need not do all of it again."""
        judgement = self.judgement
        recorded = judgement.rejected["outcome"].is_in(["invalid", "excluded", "archived"]).any()
        withheld = judgement.withheld.drop_nulls("etag")
        known = (judgement.accepted, judgement.touched, judgement.reread, withheld)
        return recorded or any(part.height for part in known)


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
    `whole` selection is needed), and anywhere when no more time is left than the reserve: then the
    source yields what it has read, whether or not the rest ever answers.
    `entries` are the ledger's rows of these objects. Raises StorageError when the source does not
    answer for each object once, because a row could come a second time.
    """
    out_of_time = False

    def remaining_s() -> float:
        nonlocal out_of_time
        left_s = host.remaining_s() - settings.reserve_s
        # For good, also if the clock is then set back.
        out_of_time = out_of_time or left_s <= 0
        return 0.0 if out_of_time else left_s

    if to_read.height:
        tell_selected(host.observer, to_read, settings)
    known = dict(zip(entries["key"], entries["digest"], strict=True))
    narrow = frozenset(
        entries.filter(awaits_upgrade(narrower_formats(settings.event_format)))["key"]
    )
    parts = [judge.judge((), known={}, listed=to_read.clear())]
    left = to_read
    accepted = 0
    unanswered: set[str] = set()
    while left.height and remaining_s() > 0:
        if accepted >= settings.max_events_per_run and not whole:
            break
        room = left.height if whole else settings.max_events_per_run - accepted
        batch = _batch(left, min(settings.batch_objects, room), settings.max_object_size_bytes)
        oversized = pl.col("size") > settings.max_object_size_bytes
        keys = batch.filter(~oversized)["key"].to_list()
        answers = source.read(
            keys, max_size_bytes=settings.max_object_size_bytes, remaining_s=remaining_s
        )
        answered: list[str] = []
        done = to_read.height - left.height
        told = _told(answers, answered, host.observer, span=(done, to_read.height))
        part = judge.judge(told, known=known, narrow=narrow, listed=batch)
        unanswered = set(keys).difference(answered)
        is_odd = len(answered) + len(unanswered) != len(keys)
        if is_odd or (unanswered and not out_of_time):
            raise _odd_answers(source.location, asked=len(keys), answered=len(answered))
        parts += [part, judge.refuse_oversized(batch.filter(oversized))]
        accepted += part.accepted.height
        left = left[batch.height :]
        if unanswered:
            left = pl.concat([batch.filter(pl.col("key").is_in(list(unanswered))), left])
        host.observer.progress(to_read.height - left.height, to_read.height)
    return Taken(
        judgement=withhold(joined(parts), judge.withheld),
        left=left,
        unanswered=len(unanswered),
        out_of_time=out_of_time and left.height > 0,
    )


def tell_selected(observer: Observer, to_read: pl.DataFrame, settings: Settings) -> None:
    """Tell how many objects are to be read, and the size of the largest that will be."""
    is_read = pl.col("size") <= settings.max_object_size_bytes
    largest = to_read.select(pl.col("size").filter(is_read).max()).item()
    observer.note(selected=to_read.height, largest_bytes=largest or 0)


def _batch(left: pl.DataFrame, objects: int, max_size_bytes: int) -> pl.DataFrame:
    """Return the next so many objects, or as many as may be in memory together; at least one."""
    batch = left[:objects]
    total = batch["size"].clip(upper_bound=max_size_bytes).cum_sum()
    return batch[: max(1, (total <= _BATCH_BYTES).sum())]


def _odd_answers(source: str, *, asked: int, answered: int) -> StorageError:
    return StorageError(
        f"{source}: {asked} objects were asked for, and other ones or another number answered: "
        f"{answered}. Nothing was changed."
    )


def joined(parts: Sequence[Judgement]) -> Judgement:
    """Return the judgement of all the objects together."""
    return Judgement(
        accepted=pl.concat([part.accepted for part in parts]),
        touched=pl.concat([part.touched for part in parts]),
        reread=pl.concat([part.reread for part in parts]),
        rejected=pl.concat([part.rejected for part in parts]),
        withheld=pl.concat([part.withheld for part in parts]),
        before_cutoff=sum(part.before_cutoff for part in parts),
    )


def _told(
    answers: Iterator[_Answer],
    answered: list[str],
    observer: Observer,
    *,
    span: tuple[int, int],
) -> Iterator[_Answer]:
    """Pass answers on, note whose they are, and tell the observer now and then how many there were.

    `span` has how many were before these, and how many there are in all.
    """
    done, total = span
    for count, answer in enumerate(answers, start=done + 1):
        answered.append(answer.key)
        yield answer
        if count % _TOLD_EVERY == 0:
            observer.progress(count, total)
