"""The rows of the ledger that a commit changes or adds."""

from typing import Final

import polars as pl

from checkpoint_format.layout import LEDGER_SCHEMA
from nacc_event_model import EventFormat

ACCEPTED_COLUMNS: Final = (
    "key",
    "digest",
    "etag",
    "size",
    "last_modified",
    "timestamp",
    "pipeline_adcid",
    "ptid",
)
"""What the ledger keeps of an accepted object."""


def updates(
    accepted: pl.DataFrame,
    touched: pl.DataFrame,
    entries: pl.DataFrame,
    *,
    commit_id: str,
    event_format: EventFormat,
) -> pl.DataFrame:
    """Return the ledger rows that judged objects change or add, sorted by key.

    `accepted` has ACCEPTED_COLUMNS; `entries` are the present rows of the judged keys. An accepted object gets a new version;
    a touched one keeps everything but its etag, size, time and event format.
    """
    accepted = accepted.join(
        entries.select("key", present="versions"), on="key", how="left"
    ).with_columns(
        versions=pl.col("present").fill_null(0) + 1,
        state=pl.lit("accepted"),
        commit_id=pl.lit(commit_id),
        event_format=pl.lit(str(event_format)),
    )
    touched = (
        entries.drop("etag", "size", "last_modified", "event_format")
        .join(touched.drop("digest"), on="key", how="inner")
        .with_columns(event_format=pl.lit(str(event_format)))
    )
    return pl.concat(
        [frame.select(LEDGER_SCHEMA.names()).cast(LEDGER_SCHEMA) for frame in (accepted, touched)]
    ).sort("key")


def adopted_entries(named: pl.DataFrame, commit_id: str) -> pl.DataFrame:
    """Return ledger rows for objects that enter unread: all that is known is what was listed."""
    values = {
        "versions": pl.lit(0),
        "state": pl.lit("adopted"),
        "commit_id": pl.lit(commit_id),
    }
    listed = {name: pl.col(name) for name in ("key", "etag", "size", "last_modified")}
    return named.select(
        (listed | values).get(name, pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in LEDGER_SCHEMA.items()
    )
