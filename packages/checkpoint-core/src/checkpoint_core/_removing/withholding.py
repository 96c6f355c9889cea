"""What becomes of judged objects and of rejects by the list of withheld participants."""

import polars as pl
from msgspec import structs

from checkpoint_core._judging.ends import Judgement
from checkpoint_format.withholding.withheld import PAIR, Withheld


def withhold(judgement: Judgement, withheld: Withheld) -> Judgement:
    """Take out of judged objects what is of a participant on the list, whatever it was judged by.

    Of what has no row its name says whose it is. It is withheld without an etag, so that it is
    looked at again: its content may tell yet that it is somebody else's.
    What the ledger has a version of need not be looked at: by the same list it has none of theirs.
    """
    if not withheld.participants:
        return judgement
    columns = judgement.withheld.columns
    accepted = judgement.accepted
    pairs = withheld.pairs_in(accepted.distinct(*PAIR))
    rejected = withheld.without_named(judgement.rejected)
    named = judgement.rejected.join(rejected, on="key", how="anti")
    theirs = accepted.only(pairs, PAIR).select(*columns)
    etag = pl.lit(None, pl.String()).alias("etag")
    parts = [judgement.withheld, theirs, named.with_columns(etag)]
    return structs.replace(
        judgement,
        accepted=accepted.without(pairs, PAIR),
        rejected=rejected,
        withheld=pl.concat([part.select(columns) for part in parts]),
    )
