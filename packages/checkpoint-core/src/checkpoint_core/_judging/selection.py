"""Which of the listed objects have to be read, and in which order."""

import msgspec
import polars as pl
from msgspec import Struct

from checkpoint_core._judging.object_names import is_recognized, time_text, unrecognized
from checkpoint_core._judging.rules import JudgingRules
from checkpoint_core.settings import Settings
from checkpoint_format.stores import LISTING_SCHEMA
from checkpoint_format.withholding.withheld import NOBODY, Withheld
from nacc_event_model import RULES_VERSION, EventFormat


class Rules(Struct, frozen=True, kw_only=True):
    """The rules that an object is judged by, as the rejects file records them."""

    event_format: str
    model_version: str
    exclude_projects: str
    max_object_size_bytes: int

    @classmethod
    def of(cls, rules: JudgingRules | Settings) -> "Rules":
        """Return the rules that these amount to."""
        return cls(
            event_format=str(rules.event_format),
            model_version=RULES_VERSION,
            exclude_projects=msgspec.json.encode(sorted(set(rules.exclude_projects))).decode(),
            max_object_size_bytes=rules.max_object_size_bytes,
        )


class Selection(Struct, frozen=True, kw_only=True):
    """A listing, divided.

    `to_read` has the listing's columns in chronological order of the objects' names; `rewritten`
    the keys of those that are in the ledger with another etag. `rejected_before` has the keys that
    are left alone because nothing about them has changed; so have objects that are known to be of
    withheld participants. `unrecognized`: UNRECOGNIZED_SCHEMA.
    `upgradable`, in the same order as `to_read`, are those of the unchanged ones whose rows may
    lack columns of the event format.
    """

    listed: int
    unrecognized: pl.DataFrame
    unchanged: int
    rejected_before: pl.DataFrame
    rewritten: pl.DataFrame
    to_read: pl.DataFrame
    upgradable: pl.DataFrame


def select(
    listing: pl.DataFrame, *, rejects: pl.DataFrame, rules: Rules, withheld: Withheld = NOBODY
) -> Selection:
    """Divide a listing that was compared with the ledger by what is known already.

    An object counts as known when its key and its etag are; rejects moreover only under the rules
    that they were rejected by, and archived ones until the listing says that they are restored.
    """
    event_format = EventFormat(rules.event_format)
    # What is in the ledger was recognized when it came, and no later format recognizes less.
    changed = listing.filter(~pl.col("is_unchanged"))
    is_event = changed.select(is_recognized(event_format)).to_series()
    others = unrecognized(changed.filter(~is_event), event_format)
    fresh = changed.filter(is_event)
    known_reject = rejects.select("key", "etag", "outcome", *Rules.__struct_fields__)
    marked = fresh.join(known_reject, on=["key", "etag"], how="left")
    settled = marked.select(_is_settled(rules)).to_series() | withheld.knows(marked)
    to_read = marked.filter(~settled).sort(time_text(event_format), "key")
    upgradable = listing.filter("awaits_upgrade")
    return Selection(
        listed=listing.height,
        unrecognized=others,
        unchanged=listing.height - changed.height,
        rejected_before=marked.filter(settled).select("key"),
        rewritten=to_read.filter("is_known").select("key"),
        to_read=to_read.select(LISTING_SCHEMA.names()),
        upgradable=upgradable.sort(time_text(event_format), "key").select(LISTING_SCHEMA.names()),
    )


def _is_settled(rules: Rules) -> pl.Expr:
    same_contract = (pl.col("event_format") == rules.event_format) & (
        pl.col("model_version") == rules.model_version
    )
    # Whether it is too large was looked at first; of an older layout's reject it is not known.
    limit = pl.col("max_object_size_bytes")
    fits_now = (pl.col("size") > limit) & (pl.col("size") <= rules.max_object_size_bytes)
    invalid = (pl.col("outcome") == "invalid") & same_contract & ~fits_now
    excluded = (
        (pl.col("outcome") == "excluded")
        & same_contract
        & (pl.col("exclude_projects") == rules.exclude_projects)
    )
    archived = (pl.col("outcome") == "archived") & pl.col("archived").fill_null(value=True)
    return (invalid | excluded | archived).fill_null(value=False)
