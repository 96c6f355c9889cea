"""Rows that were taken under a narrower event format: which to read again, and what comes of it."""

from typing import Final

import polars as pl
from msgspec import structs

from checkpoint_core._judging.ends import Judgement
from checkpoint_core._judging.selection import Selection
from checkpoint_core.settings import Settings

_PORTION: Final = 250_000
"""So many objects at most are read again in one run, so that it needs no more memory than usual."""
_WAITS: Final = ("unreadable", "denied")


def portion(selection: Selection, settings: Settings) -> pl.DataFrame:
    """Return those of the objects to be upgraded that one run may read besides what is new."""
    room = settings.max_events_per_run - selection.to_read.height
    return selection.upgradable[: max(0, min(room, _PORTION))]


def without_unread(judgement: Judgement, entries: pl.DataFrame) -> Judgement:
    """Return what became of objects that were read again for their rows.

    What could not be read is not rejected, because it has its row: what is archived, gone or too
    large keeps that as it is, like an object that has nothing to add; what may be readable next
    time waits. The cutoff means nothing for what is in the checkpoint.
    """
    outcome, is_unread = pl.col("outcome"), pl.col("digest").is_null()
    kept = judgement.rejected.filter(is_unread & ~outcome.is_in(_WAITS))
    versions = judgement.touched.columns
    digests = entries.select("key", "digest")
    unread = kept.drop("digest").join(digests, on="key", how="inner").select(versions)
    return structs.replace(
        judgement,
        touched=pl.concat([judgement.touched, unread]),
        rejected=judgement.rejected.filter(~is_unread),
        before_cutoff=0,
    )
