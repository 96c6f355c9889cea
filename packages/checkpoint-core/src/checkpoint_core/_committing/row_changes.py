"""What judged objects change in the rows in force: which are new, which claimed, which filled."""

from pathlib import Path

import polars as pl
from msgspec import Struct, structs

from checkpoint_core._adopting.claims import Claims
from checkpoint_core._adopting.pairing import added_by, pair
from checkpoint_core._judging.accepted import in_arrival_order
from checkpoint_core._judging.ends import Judgement
from checkpoint_format.unclaimed import Adopted
from nacc_event_model import EventFormat


class RowChanges(Struct, frozen=True, kw_only=True):
    """What becomes of the rows of one particular checkpoint.

    `judgement` has as accepted only what gives a new row, and as touched all whose content the
    checkpoint has already: also what was reread, and what claimed an adopted row (`claimed`).
    `added` has the places of rows that are filled, `row`, and their new values; `upgraded` the keys
    of the objects that these come from.
    """

    judgement: Judgement
    claimed: pl.DataFrame
    added: pl.DataFrame
    upgraded: pl.DataFrame
    adopted: Adopted


def lacking(judgement: Judgement, claims: Claims) -> pl.DataFrame:
    """Return the objects that have values for columns that their rows may lack."""
    return in_arrival_order(pl.concat([judgement.reread, claims.lacking]))


def find_row_changes(
    judgement: Judgement,
    claims: Claims,
    previous: Path | None,
    *,
    entries: pl.DataFrame,
    event_format: EventFormat,
) -> RowChanges:
    """Find the rows in the previous file that are to be filled; raises DamagedFileError.

    They are bare, that is, null in all columns that were added. An object of which there is no such
    row has nothing to fill; so has one whose row may have been taken under the present format (its
    `entries` do not say), where there is one that has its values.
    """
    wanting = lacking(judgement, claims)
    if previous is None or wanting.is_empty():
        pairs = pl.DataFrame(schema={"event": pl.UInt32, "row": pl.UInt32, "adds": pl.Boolean})
    else:
        is_unknown = (pl.col("state") == "accepted") & pl.col("event_format").is_null()
        unknown = entries.filter(is_unknown)["key"]
        is_bare = ~wanting["key"].is_in(unknown.implode())
        pairs = pair(previous, wanting, event_format, is_bare=is_bare)
    versions = judgement.touched.columns
    known = [judgement.touched, judgement.reread.select(versions), claims.claimed.select(versions)]
    return RowChanges(
        judgement=structs.replace(
            judgement,
            accepted=claims.new,
            touched=pl.concat(known),
            reread=judgement.reread.clear(),
        ),
        claimed=claims.claimed,
        added=added_by(pairs, wanting, event_format),
        upgraded=wanting.select("key")[pairs.filter("adds")["event"]],
        adopted=claims.adopted,
    )
