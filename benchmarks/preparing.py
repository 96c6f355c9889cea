"""A checkpoint and its ledger that account for most of what a bucket holds, without a first run.

    python -m benchmarks.preparing BUCKET PREFIX NEW FOLDER

All objects but NEW are known. The files are built from the bucket's listing by the code that commits use, so that they are what a first run
over these objects would have left behind, but for the digests, and for the fields of an event that
its object's name does not tell. FOLDER gets the two files of two such pairs, and their keys:

- `late`: the latest NEW of the objects are new, all before them known, and all are listed;
- `early`: the earliest NEW are new. For a source that lists nothing else: what it is known to have
  held besides is gone from it, and only the listing is smaller.
- `none`: none is new.

and NAME.txt with the new keys, oldest first. Prints the names of the ledgers.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from checkpoint_core import LEDGER_SCHEMA, Settings, event_schema
from checkpoint_core._committing.preparation import Base, Commit, prepare
from checkpoint_core._judging.accepted import AcceptedRows
from checkpoint_format.ledger import NO_LEDGER
from checkpoint_format.merge import NO_ROWS
from checkpoint_format.names import Names, new_commit_id
from checkpoint_storage.s3._source import S3Source
from nacc_event_model import EventFormat

_NAME = (
    r"log-(?<action>[a-z-]+)-(?<time>[0-9]{8}-[0-9]{6})-(?<pipeline_adcid>[0-9]+)"
    r"-(?<project_label>.+)-(?<ptid>[A-Za-z0-9]+)-(?<visit_date>[0-9]{4}-[0-9]{2}-[0-9]{2})\.json$"
)
_COMMITTED_AT = datetime(2026, 9, 1, tzinfo=UTC)


def prepare_pair(known: pl.DataFrame, source: str, folder: Path) -> str:
    """Write `checkpoint.parquet` and `ledger.parquet` of the known objects; return its name."""
    commit_id = new_commit_id(1, "benchmark")
    ledger = known.with_columns(
        digest=pl.col("etag").str.head(32).str.decode("hex", strict=False),
        versions=1,
        state=pl.lit("accepted"),
        commit_id=pl.lit(commit_id),
        event_format=pl.lit("1.0"),
    )
    base = Base(file=None, rows=NO_ROWS, ledger=NO_LEDGER, lineage=(), withheld=None)
    particulars = Commit(
        commit_id=commit_id,
        generation=1,
        source=source,
        committed_at=_COMMITTED_AT,
        settings=Settings(),
    )
    folder.mkdir()
    changed = ledger.select(LEDGER_SCHEMA.names()).cast(LEDGER_SCHEMA).sort("key")
    pair = prepare(
        base,
        AcceptedRows.in_memory(known),
        changed,
        particulars,
        replaced=changed.clear(),
        added=known.clear(),
        workdir=folder,
    )
    pair.checkpoint.rename(folder / "checkpoint.parquet")
    pair.ledger.rename(folder / "ledger.parquet")
    return Names("events.parquet").ledger(commit_id)


def as_events(listing: pl.DataFrame) -> pl.DataFrame:
    """Return the listed event objects, with the columns of their events, oldest first."""
    named = listing.with_columns(pl.col("key").str.extract_groups(_NAME).alias("name"))
    events = named.unnest("name").with_columns(
        pl.col("visit_date").str.to_date(strict=False),
        study=pl.lit("adrc"),
        center_label=pl.lit("sample-center"),
        gear_name=pl.lit("form-scheduler"),
        visit_number=pl.lit("01"),
        datatype=pl.lit("form"),
        module=pl.lit("UDS"),
        packet=pl.lit("I"),
        timestamp=pl.col("time").str.to_datetime("%Y%m%d-%H%M%S", time_unit="us", strict=False),
    )
    whole = events.drop_nulls(["action", "visit_date", "timestamp"]).with_columns(
        pl.col("timestamp").dt.replace_time_zone("UTC")
    )
    columns = event_schema(EventFormat.V1_0)
    listed = ("key", "etag", "size", "last_modified")
    typed = whole.select(*(pl.col(name).cast(dtype) for name, dtype in columns.items()), *listed)
    return typed.sort("timestamp", "last_modified", "key")


def main(bucket: str, prefix: str, new: str, folder: str) -> None:
    """Prepare the pairs."""
    listing = S3Source(bucket, prefix).list_objects(restore_states=False)
    events = as_events(listing)
    fresh = int(new)
    known = events.height - fresh
    if known < fresh:
        raise SystemExit(f"{events.height} event objects are too few for {fresh} new among them")
    source = S3Source(bucket, prefix).location
    pairs = {
        "late": (events.head(known), events.tail(fresh)),
        "early": (events.tail(known), events.head(fresh)),
        "none": (events, events.clear()),
    }
    names = {}
    for name, (taken, left) in pairs.items():
        names[name] = prepare_pair(taken, source, Path(folder, name))
        Path(folder, f"{name}.txt").write_text("\n".join(left["key"]), encoding="utf-8")
    print(json.dumps({"objects": listing.height, "ledgers": names}))


if __name__ == "__main__":
    main(*sys.argv[1:])
