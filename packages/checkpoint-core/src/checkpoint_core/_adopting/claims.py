"""The objects that turn out to be those of adopted rows, which no object accounted for."""

from pathlib import Path

import polars as pl
from msgspec import Struct

from checkpoint_core._adopting.pairing import pair
from checkpoint_core._judging.accepted import AcceptedRows, in_arrival_order
from checkpoint_format.merge import scan_rows
from checkpoint_format.parquet import collect, digest_of, read_schema, scan
from checkpoint_format.snapshot import Snapshot
from checkpoint_format.stores import CheckpointStore
from checkpoint_format.unclaimed import Adopted, adopted_of, fetch_unclaimed, keep_unclaimed
from nacc_event_model import EventFormat


class Claims(Struct, frozen=True, kw_only=True):
    """Accepted objects divided: `claimed` have their row already, and `new` have not.

    `lacking` are the claimed ones whose row lacks values that they have.
    """

    claimed: pl.DataFrame
    lacking: pl.DataFrame
    new: AcceptedRows
    adopted: Adopted


def claim(
    store: CheckpointStore,
    snapshot: Snapshot,
    accepted: AcceptedRows,
    *,
    entries: pl.DataFrame,
    event_format: EventFormat,
    workdir: Path,
) -> Claims:
    """Let objects that were there at the adoption claim the rows that were adopted for them.

    They were there if the ledger has them as adopted, if the file of unclaimed rows has their keys,
    or if they were not modified since. An object whose row the ledger knows claims none.
    Raises MissingLedgerError or DamagedFileError where the file is not what it should be.
    """
    adopted = adopted_of(snapshot)
    none = accepted.none()
    nothing = Claims(claimed=none, lacking=none, new=accepted, adopted=adopted)
    is_kept = adopted.commit is not None or adopted.file is not None
    if not is_kept or adopted.at is None:
        return nothing
    known = entries.filter(pl.col("state") != "adopted")
    candidates = accepted.collect().join(known, on="key", how="anti")
    if candidates.is_empty():
        return nothing
    file = adopted.file or fetch_unclaimed(store, adopted, workdir)
    assert file is not None  # noqa: S101 - it is named
    here = [entries.select("key"), _keys(file)]
    was_here = pl.concat(here)["key"].implode()
    is_old = pl.col("key").is_in(was_here) | (pl.col("last_modified") <= adopted.at)
    claimants = in_arrival_order(candidates.filter(is_old))
    pairs = pair(file, claimants, event_format)
    if pairs.is_empty():
        return nothing
    claimed = claimants[pairs["event"]]
    left = workdir / f"unclaimed-without-{snapshot.generation}.parquet"
    rows = scan_rows(file, scan(file).collect_schema()).with_row_index("row")
    keep_unclaimed(rows, pairs, left)
    return Claims(
        claimed=claimed,
        lacking=claimants[pairs.filter("adds")["event"]],
        new=accepted.without(claimed.select("key")),
        adopted=Adopted(
            rows=adopted.rows - claimed.height,
            at=adopted.at,
            file=left,
            digest=digest_of(left),
        ),
    )


def _keys(file: Path) -> pl.DataFrame:
    """Return the objects that a file of unclaimed rows names; the first such files named none."""
    if "key" not in read_schema(file):
        return pl.DataFrame(schema={"key": pl.String()})
    return collect(file, scan(file).select("key").drop_nulls())
