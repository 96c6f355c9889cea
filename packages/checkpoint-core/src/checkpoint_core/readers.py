"""Who reads and judges what a run has selected: in this process, or on other machines.

A *reader* is given a portion of the list, plain rules and the time that is left, and hands over what
became of each object. Selection, merge, commit and every promise of a run are the same with each.
"""

from collections.abc import Callable, Iterator
from typing import Final, Protocol, TypeVar

import polars as pl
from msgspec import Struct

from checkpoint_core._judging.accepted import ARRIVAL, AcceptedRows
from checkpoint_core._judging.ends import Judgement, joined
from checkpoint_core._judging.judgement import Judge
from checkpoint_core._judging.rules import JudgingRules
from checkpoint_format.stores import LISTING_SCHEMA, Content, ReadFailure, Source

__all__ = [
    "ARRIVAL",
    "PORTION_SCHEMA",
    "AcceptedRows",
    "Judgement",
    "JudgingRules",
    "Portion",
    "Reader",
    "Reading",
    "SourceReader",
    "joined",
    "nothing_judged",
]

PORTION_SCHEMA: Final = pl.Schema(
    {**LISTING_SCHEMA, "digest": pl.Binary(), "is_narrow": pl.Boolean()}
)
"""One row per object to be read: as it was listed, and what the ledger has of it.

`digest` is that of the content that was taken, null where there is none; `is_narrow` says whether
its row may lack columns of the event format.
"""

_Answer = TypeVar("_Answer", bound=Content | ReadFailure)
_TOLD_EVERY: Final = 500
# Of usual events, far more than a batch has.
_BATCH_BYTES: Final = 64 * 1024 * 1024


class Portion(Struct, frozen=True, kw_only=True):
    """The most that a reader is given at a time: so many objects, of so many bytes together."""

    objects: int
    size_bytes: int

    def cut(self, left: pl.DataFrame, rules: JudgingRules) -> pl.DataFrame:
        """Return as many of these objects as come next, at least one."""
        portion = left[: self.objects]
        total = portion["size"].clip(upper_bound=rules.max_object_size_bytes).cum_sum()
        return portion[: max(1, (total <= self.size_bytes).sum())]


class Reading(Struct, frozen=True, kw_only=True):
    """What became of a portion: what was judged, and which objects have not answered in time.

    `unanswered` has a column `key`. The others have each come to one end in the judgement.
    """

    judgement: Judgement
    unanswered: pl.DataFrame


class Reader(Protocol):
    """Reads and judges objects, wherever it does so."""

    @property
    def largest_portion(self) -> Portion:
        """The largest portion that it takes; a single object may be larger."""
        ...

    def read(
        self,
        portion: pl.DataFrame,
        rules: JudgingRules,
        *,
        remaining_s: Callable[[], float],
        told: Callable[[int], None],
    ) -> Reading:
        """Read and judge a portion, in PORTION_SCHEMA; each object answers once, or not in time.

        When `remaining_s` says that no time is left, what has been read until then is judged and
        handed over; before that, every object has answered. `told` is called now and then with the
        number of objects that have. Raises StorageError when the store as a whole fails.
        """
        ...


class SourceReader:
    """The usual reader: a batch at a time, judged in this process as the source yields it.

    Args:
        source: where the objects are.
        batch_objects: how many are in a batch at most.

    """

    def __init__(self, source: Source, *, batch_objects: int) -> None:
        self._source = source
        self.largest_portion = Portion(objects=batch_objects, size_bytes=_BATCH_BYTES)

    def read(
        self,
        portion: pl.DataFrame,
        rules: JudgingRules,
        *,
        remaining_s: Callable[[], float],
        told: Callable[[int], None],
    ) -> Reading:
        """Judge each object while others are being read; what is too large is not asked for."""
        judge = Judge(rules)
        is_oversized = portion["size"] > rules.max_object_size_bytes
        asked = portion.filter(~is_oversized)
        keys = asked["key"].to_list()
        known = asked.filter(pl.col("digest").is_not_null()).select("key", "digest")
        answered: list[str] = []
        answers = self._source.read(
            keys, max_size_bytes=rules.max_object_size_bytes, remaining_s=remaining_s
        )
        judgement = judge.judge(
            _told(answers, answered, told),
            known=dict(known.iter_rows()),
            narrow=frozenset(asked.filter("is_narrow")["key"]),
            listed=portion,
        )
        unanswered = set(keys).difference(answered)
        refused = judge.refuse_oversized(portion.filter(is_oversized))
        return Reading(
            judgement=joined([judgement, refused]),
            unanswered=asked.select("key").filter(pl.col("key").is_in(list(unanswered))),
        )


def nothing_judged(rules: JudgingRules) -> Judgement:
    """Return the judgement of no object: empty frames, with the columns that these rules give."""
    return Judge(rules).judge((), known={}, listed=LISTING_SCHEMA.to_frame())


def _told(
    answers: Iterator[_Answer], answered: list[str], told: Callable[[int], None]
) -> Iterator[_Answer]:
    """Pass answers on, note whose they are, and tell now and then how many there were."""
    for count, answer in enumerate(answers, start=1):
        answered.append(answer.key)
        yield answer
        if count % _TOLD_EVERY == 0:
            told(count)
