"""Having what was selected read, portion by portion, until it is done or the run must stop."""

import polars as pl
from msgspec import Struct, structs

from checkpoint_core._judging.ends import Judgement, joined
from checkpoint_core._judging.rules import JudgingRules
from checkpoint_core._removing.withholding import withhold
from checkpoint_core.readers import Reader, nothing_judged
from checkpoint_core.settings import Settings
from checkpoint_format.errors import StorageError
from checkpoint_format.event_columns import narrower_formats
from checkpoint_format.ledger import awaits_upgrade
from checkpoint_format.stores import LISTING_SCHEMA, Host, Observer


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
    reader: Reader,
    to_read: pl.DataFrame,
    rules: JudgingRules,
    *,
    where: str,
    entries: pl.DataFrame,
    settings: Settings,
    host: Host,
    whole: bool,
) -> Taken:
    """Have the selected objects read and judged in their order, portion by portion.

    Stops before a portion when the events of this run have reached their limit (not where the
    `whole` selection is needed), and anywhere when no more time is left than the reserve: then the
    reader hands over what it has read, whether or not the rest ever answers.
    `entries` are the ledger's rows of these objects, `where` is the source's name. Raises
    StorageError when not each object has come to one end, because a row could come a second time.
    """
    out_of_time = False

    def remaining_s() -> float:
        nonlocal out_of_time
        left_s = host.remaining_s() - settings.reserve_s
        # For good, also if the clock is then set back.
        out_of_time = out_of_time or left_s <= 0
        return 0.0 if out_of_time else left_s

    def told(count: int) -> None:
        host.observer.progress(to_read.height - left.height + count, to_read.height)

    if to_read.height:
        tell_selected(host.observer, to_read, settings)
    parts = [nothing_judged(rules)]
    left = _with_entries(to_read, entries, settings)
    accepted = unanswered = 0
    while left.height and remaining_s() > 0:
        if accepted >= settings.max_events_per_run and not whole:
            break
        room = left.height if whole else settings.max_events_per_run - accepted
        largest = reader.largest_portion
        largest = structs.replace(largest, objects=min(room, largest.objects))
        portion = largest.cut(left, rules)
        reading = reader.read(portion, rules, remaining_s=remaining_s, told=told)
        unanswered = reading.unanswered.height
        ends = reading.judgement.ends
        if ends + unanswered != portion.height or (unanswered and not out_of_time):
            raise _odd_answers(where, asked=portion.height, answered=ends)
        parts.append(reading.judgement)
        accepted += reading.judgement.accepted.height
        left = left[portion.height :]
        if unanswered:
            waiting = portion.join(reading.unanswered, on="key", how="semi", maintain_order="left")
            left = pl.concat([waiting, left])
        host.observer.progress(to_read.height - left.height, to_read.height)
    return Taken(
        judgement=withhold(joined(parts), rules.withheld),
        left=left.select(LISTING_SCHEMA.names()),
        unanswered=unanswered,
        out_of_time=out_of_time and left.height > 0,
    )


def tell_selected(observer: Observer, to_read: pl.DataFrame, settings: Settings) -> None:
    """Tell how many objects are to be read, and the size of the largest that will be."""
    is_read = pl.col("size") <= settings.max_object_size_bytes
    largest = to_read.select(pl.col("size").filter(is_read).max()).item()
    observer.note(selected=to_read.height, largest_bytes=largest or 0)


def _with_entries(to_read: pl.DataFrame, entries: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Put beside each object what the ledger has of it."""
    narrower = narrower_formats(settings.event_format)
    known = entries.select("key", "digest", is_narrow=awaits_upgrade(narrower))
    return to_read.join(known, on="key", how="left", maintain_order="left").select(
        *LISTING_SCHEMA, "digest", pl.col("is_narrow").fill_null(value=False)
    )


def _odd_answers(source: str, *, asked: int, answered: int) -> StorageError:
    return StorageError(
        f"{source}: {asked} objects were asked for, and other ones or another number answered: "
        f"{answered}. Nothing was changed."
    )
