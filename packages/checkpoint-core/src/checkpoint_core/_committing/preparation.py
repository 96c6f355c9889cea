"""Building the files of a commit on the local disk."""

from datetime import datetime
from pathlib import Path

import polars as pl
from msgspec import Struct

import nacc_event_model
from checkpoint_core._committing.commit import Prepared
from checkpoint_core._judging.accepted import AcceptedRows
from checkpoint_core._version import __version__
from checkpoint_core.settings import Settings
from checkpoint_format.digests import Digests, digests_of
from checkpoint_format.layout import (
    LAYOUT_VERSION,
    LAYOUT_WITHOUT_LIST,
    LINEAGE_LENGTH,
    CheckpointMetadata,
    DamagedFileError,
)
from checkpoint_format.ledger import Ledger, write_ledger
from checkpoint_format.merge import (
    Rows,
    measure,
    merge,
    moment,
)
from checkpoint_format.unclaimed import NONE_ADOPTED, Adopted


class Base(Struct, frozen=True, kw_only=True):
    """What a commit builds on: sorted rows in a local file (None: no rows) and their ledger.

    `digests` are those that the ledger was checked against when it was loaded. `adopted` are those of the rows that the next ledger will not account for, and `balance` is by
    how much there are more rows than both know of. `withheld` is the revision of the list by which
    all of it is.
    """

    file: Path | None
    rows: Rows
    adopted: Adopted = NONE_ADOPTED
    balance: int = 0
    withheld: str | None
    ledger: Ledger
    digests: Digests | None = None
    lineage: tuple[str, ...]


class Commit(Struct, frozen=True, kw_only=True):
    """What is particular to one commit."""

    commit_id: str
    generation: int
    source: str
    committed_at: datetime
    settings: Settings


def prepare(
    base: Base,
    incoming: AcceptedRows,
    changed: pl.DataFrame,
    particulars: Commit,
    *,
    replaced: pl.DataFrame,
    added: pl.DataFrame,
    workdir: Path,
) -> Prepared:
    """Merge the incoming rows, and write the ledger that the changed rows lead to, into new files.

    `replaced` are the ledger's present rows of the changed keys; the others are new to it. `added`
    are values that are put into previous rows, as `merge` takes them.
    The result is read again before it is returned: its rows are counted and their order checked,
    so that no damaged or unsorted base can be carried on. Raises DamagedFileError; StorageError
    where it is the incoming rows that are damaged.
    """
    settings = particulars.settings
    ledger = write_ledger(
        base.ledger,
        changed,
        replaced,
        workdir / f"ledger-{particulars.commit_id}.parquet",
        commit_id=particulars.commit_id,
        source=particulars.source,
    )
    newest = ledger.files[-1]
    metadata = _metadata(base, incoming, particulars, full_ledger=newest.metadata.full)
    ledger.checked(rows=metadata.versions_in_ledger)
    checkpoint = workdir / f"checkpoint-{particulars.commit_id}.parquet"
    try:
        merge(
            base.file,
            incoming.in_arrival_order(),
            checkpoint,
            metadata,
            added=added,
            compression=settings.compression,
            row_group_rows=settings.row_group_rows,
        )
    except DamagedFileError:
        # It need not be the base that is damaged.
        incoming.check()
        raise
    written = measure(checkpoint, settings.event_format)
    if written.count != metadata.rows:
        raise DamagedFileError(
            f"it has {written.count - incoming.height} rows and says {base.rows.count}"
        )
    written.check_span(metadata)
    digests = workdir / f"digests-{metadata.commit_id}.json"
    files = [file.path for file in ledger.files]
    # Below a delta is the file that was loaded.
    known = base.digests.ledger[:1] if base.digests and ledger.delta else ()
    found = digests_of(metadata.commit_id, checkpoint, files, known=known)
    digests.write_bytes(found.encoded())
    return Prepared(
        metadata=metadata,
        checkpoint=checkpoint,
        ledger=newest.path,
        digests=digests,
        unclaimed=base.adopted.file if metadata.unclaimed else None,
    )


def _metadata(
    base: Base, incoming: AcceptedRows, particulars: Commit, *, full_ledger: str | None
) -> CheckpointMetadata:
    span = _span(incoming)
    adopted = base.adopted
    holder = particulars.commit_id if adopted.file else adopted.commit
    return CheckpointMetadata(
        layout=LAYOUT_VERSION if base.withheld else LAYOUT_WITHOUT_LIST,
        commit_id=particulars.commit_id,
        full_ledger=full_ledger,
        generation=particulars.generation,
        lineage=(*base.lineage, particulars.commit_id)[-LINEAGE_LENGTH:],
        source=particulars.source,
        event_format=particulars.settings.event_format,
        rows=base.rows.count + incoming.height,
        adopted_rows=adopted.rows,
        adopted_at=adopted.at if adopted.rows else None,
        unclaimed=holder if adopted.rows else None,
        unclaimed_digest=adopted.digest if adopted.rows else None,
        withheld=base.withheld,
        balance=base.balance,
        first_timestamp=min(_present(base.rows.first, span.first), default=None),
        last_timestamp=max(_present(base.rows.last, span.last), default=None),
        committed_at=particulars.committed_at,
        versions={
            "nacc-event-model": nacc_event_model.__version__,
            "nacc-checkpoint-core": __version__,
        },
    )


def _span(incoming: AcceptedRows) -> Rows:
    time = pl.col("timestamp").cast(pl.Int64)
    first, last = incoming.select(time.min().alias("first"), time.max().alias("last")).row(0)
    return Rows(incoming.height, moment(first), moment(last))


def _present(*moments: datetime | None) -> list[datetime]:
    return [each for each in moments if each is not None]
