"""A checkpoint and its ledger that account for most of what a bucket holds, without a first run.

    python -m benchmarks.s3.preparing BUCKET PREFIX NEW FOLDER PAIR...

All objects but NEW are known. The files are built from the bucket's listing by the code that
commits use, so that they are what a first run over these objects would have left behind, but for
the fields of an event that its object's name does not tell. FOLDER gets the files of each PAIR:

- `late`: the latest NEW of the objects are new, all before them known, and all are listed;
- `early`: the earliest NEW are new. For a source that lists nothing else: what it is known to have
  held besides is gone from it, and only the listing is smaller;
- `none`: none is new;

and PAIR.txt with the new keys, oldest first. Prints the names of the ledgers. Rows are made in
portions, which are sorted already, so that ten million of them take some GB of memory.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

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
_PORTION: Final = 500_000


def prepare_pair(portions: Iterable[pl.DataFrame], source: str, folder: Path) -> str:
    """Write `checkpoint.parquet`, `ledger.parquet` and `digests.json`; return the ledger's name.

    The portions are events with the objects that they came from, one after the other in the order
    in which they stand in a checkpoint.
    """
    commit_id = new_commit_id(1, "benchmark")
    folder.mkdir()
    files, entries = [], []
    for number, rows in enumerate(portions):
        files.append(folder / f"rows-{number:04}.parquet")
        rows.write_parquet(files[-1])
        entries.append(_ledger_rows(rows, commit_id))
    changed = pl.concat(entries).sort("key")
    del entries
    particulars = Commit(
        commit_id=commit_id,
        generation=1,
        source=source,
        committed_at=_COMMITTED_AT,
        settings=Settings(),
    )
    pair = prepare(
        Base(file=None, rows=NO_ROWS, ledger=NO_LEDGER, lineage=(), withheld=None),
        AcceptedRows.in_files(files, changed.height),
        changed,
        particulars,
        replaced=changed.clear(),
        added=event_schema(EventFormat.V1_0).to_frame(),
        workdir=folder,
    )
    for file in files:
        file.unlink()
    pair.checkpoint.rename(folder / "checkpoint.parquet")
    pair.ledger.rename(folder / "ledger.parquet")
    pair.digests.rename(folder / "digests.json")
    return Names("events.parquet").ledger(commit_id)


def _ledger_rows(rows: pl.DataFrame, commit_id: str) -> pl.DataFrame:
    known = rows.with_columns(
        digest=pl.col("etag").str.head(32).str.decode("hex", strict=False),
        versions=1,
        state=pl.lit("accepted"),
        commit_id=pl.lit(commit_id),
        event_format=pl.lit("1.0"),
    )
    return known.select(LEDGER_SCHEMA.names()).cast(LEDGER_SCHEMA)


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


def _portions(objects: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for first in range(0, objects.height, _PORTION):
        yield as_events(objects[first : first + _PORTION])


def _sorted(listing: pl.DataFrame) -> pl.DataFrame:
    """Return the event objects of a listing, oldest event first."""
    kept = ("key", "etag", "size", "last_modified")
    named = pl.concat([part.select(*kept, "timestamp") for part in _portions(listing)])
    return named.sort("timestamp", "last_modified", "key").select(kept)


def main(bucket: str, prefix: str, new: str, folder: str, *pairs: str) -> None:
    """Prepare the pairs."""
    source = S3Source(bucket, prefix)
    listing = source.list_objects(restore_states=False)
    listed, events = listing.height, _sorted(listing)
    del listing
    fresh = int(new)
    known = events.height - fresh
    if known < fresh:
        raise SystemExit(f"{events.height} event objects are too few for {fresh} new among them")
    taken = {"late": (events.head(known), events.tail(fresh))}
    taken |= {"early": (events.tail(known), events.head(fresh)), "none": (events, events.clear())}
    names = {}
    for pair in pairs:
        before, left = taken[pair]
        names[pair] = prepare_pair(_portions(before), source.location, Path(folder, pair))
        Path(folder, f"{pair}.txt").write_text("\n".join(left["key"]), encoding="utf-8")
    print(json.dumps({"objects": listed, "ledgers": names}))


if __name__ == "__main__":
    main(*sys.argv[1:])
