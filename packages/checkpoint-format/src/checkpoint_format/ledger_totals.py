"""What is in one file of a ledger, counted in its rows."""

from pathlib import Path

import polars as pl
from msgspec import Struct

from checkpoint_format.digests import DIGEST_BYTES
from checkpoint_format.layout import DamagedFileError
from checkpoint_format.parquet import collect, read_schema, scan


class Totals(Struct, frozen=True):
    """How many objects, and how many versions of them all."""

    objects: int
    versions: int


def count(file: Path, schema: pl.Schema) -> Totals:
    """Count what is in a file whose columns must be these.

    Raises DamagedFileError, also over rows whose object would be counted wrong, or whose content
    would not be recognized again.
    """
    if read_schema(file) != schema:
        raise DamagedFileError("the ledger's columns are not a ledger's")
    versions, state = pl.col("versions"), pl.col("state")
    is_accepted = (state == "accepted") & (pl.col("digest").bin.size() == DIGEST_BYTES)
    is_adopted = (state == "adopted") & (versions >= 0)
    is_sound = pl.col("key").is_not_null() & ((is_accepted & (versions > 0)) | is_adopted)
    is_nonsense = ~is_sound.fill_null(value=False)
    objects, total, nonsense = collect(
        file, scan(file).select(pl.len(), versions.sum(), is_nonsense.sum().alias("nonsense"))
    ).row(0)
    if nonsense:
        raise DamagedFileError(f"{nonsense} rows of the ledger make no sense")
    return Totals(objects, total)
