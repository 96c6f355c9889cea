"""The files that a checkpoint consists of: their names, columns, and what their metadata says.

The Parquet file at the checkpoint's own name is the only commit point; its metadata names the one
ledger that belongs to it and, where that is a delta, the full one below it. Beside the ledger, a
small file holds the digests of them all. Layout 4 has a list of who was taken out, 3 has none; 2 had
no digests, rejects without size limits, ledgers without formats; 1 had no deltas. All are read.
"""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
import polars as pl
from msgspec import Meta, Struct
from polars.exceptions import PanicException, PolarsError

from checkpoint_format.event_columns import TIMESTAMP
from checkpoint_format.names import CommitId, generation_of
from nacc_event_model import EventFormat

LAYOUT_VERSION: Final = 4
"""The latest, of checkpoints that name a list: whoever knows of none would bring people back."""
LAYOUT_WITHOUT_LIST: Final = 3
"""Of all other files, so that an earlier version can go on where nobody was taken out."""
METADATA_KEY: Final = "nacc.checkpoint"
LINEAGE_LENGTH: Final = 48
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

DAMAGED: Final = (PolarsError, PanicException)
"""What polars raises over a truncated or damaged file. The panic is not even an Exception."""

LEDGER_SCHEMA: Final = pl.Schema(
    {
        "key": pl.String(),
        "digest": pl.Binary(),
        "etag": pl.String(),
        "size": pl.Int64(),
        "last_modified": TIMESTAMP,
        "versions": pl.Int32(),
        "state": pl.String(),
        "timestamp": TIMESTAMP,
        "pipeline_adcid": pl.Int32(),
        "ptid": pl.String(),
        "commit_id": pl.String(),
        "event_format": pl.String(),
    }
)
"""One row per event object in the checkpoint, sorted by key.

`versions` counts the rows that it gave; `state` is `accepted`, or `adopted` for an object that
could not be read when rows of another tool were taken over (no digest, no event fields).
`event_format` is that under which its latest row was taken or last looked at; null before layout 3.
"""

REJECTS_SCHEMA: Final = pl.Schema(
    {
        "key": pl.String(),
        "etag": pl.String(),
        "digest": pl.Binary(),
        "size": pl.Int64(),
        "last_modified": TIMESTAMP,
        "outcome": pl.String(),
        "reason": pl.String(),
        "event_format": pl.String(),
        "model_version": pl.String(),
        "exclude_projects": pl.String(),
        "first_seen": TIMESTAMP,
        "max_object_size_bytes": pl.Int64(),
    }
)
"""One row per event object that is not in the checkpoint, or whose newest content is not.

The last columns but `first_seen` are the rules it was judged by; the size is null before layout 3.
"""


Number = Annotated[int, Meta(ge=0)]
Moment = Annotated[datetime, Meta(tz=True)]


class CheckpointMetadata(Struct, frozen=True, kw_only=True):
    """What the checkpoint says about itself, as JSON below METADATA_KEY in the Parquet footer.

    `full_ledger` is the commit whose full ledger this one is a delta upon; None: it is full.
    `adopted_at` is when the adoption began that the `adopted_rows` come from, and `unclaimed` the
    commit whose file, with this digest, holds exactly those rows; None where none are left, or
    where they were adopted before there were such files. `withheld` is the revision of the list that
    was applied. `balance` is by how much the rows are more than the ledger's versions and the
    adopted rows: objects had versions of several participants, of whom one was taken out.
    """

    layout: Number
    commit_id: CommitId
    full_ledger: CommitId | None = None
    generation: Number
    lineage: tuple[CommitId, ...]
    source: str
    event_format: EventFormat
    rows: Number
    adopted_rows: Number
    first_timestamp: Moment | None
    last_timestamp: Moment | None
    committed_at: Moment
    versions: dict[str, str]
    adopted_at: Moment | None = None
    unclaimed: CommitId | None = None
    unclaimed_digest: str | None = None
    withheld: CommitId | None = None
    balance: int = 0

    @property
    def versions_in_ledger(self) -> int:
        """How many versions the ledger has to account for."""
        return self.rows - self.adopted_rows - self.balance

    def __post_init__(self) -> None:
        """Refuse what contradicts itself; raises ValueError."""
        if self.lineage[-1:] != (self.commit_id,):
            raise ValueError("the lineage does not end in the commit")
        if self.generation != generation_of(self.commit_id):
            raise ValueError("the commit is of another generation")


class LedgerMetadata(Struct, frozen=True, kw_only=True):
    """What a ledger says about itself; a delta speaks of itself and of its full ledger together.

    `full` is the commit of the full ledger that a delta is upon. The delta's rows add to that one's
    or supersede them: `superseded_objects` of them, which stand for `superseded_versions`.
    """

    layout: Number
    commit_id: CommitId
    source: str
    objects: Number
    full: CommitId | None = None
    superseded_objects: Number = 0
    superseded_versions: Number = 0


class RejectsMetadata(Struct, frozen=True, kw_only=True):
    """What the rejects file says about itself; `digest` is that of the file without it.

    `commit_id` is the checkpoint that was in force when it was written, None where there was none.
    """

    layout: Number
    source: str
    commit_id: CommitId | None = None
    restores_listed_at: Moment | None = None
    digest: str = ""


class _LayoutOnly(Struct):
    layout: Number


_Metadata = TypeVar("_Metadata", CheckpointMetadata, LedgerMetadata, RejectsMetadata)


class NotOurFileError(Exception):
    """A sound Parquet file without our metadata."""


class LayoutTooNewError(Exception):
    """Our file, in a layout that is not known yet."""

    def __init__(self, layout: int) -> None:
        self.layout = layout
        super().__init__(layout)


class DamagedFileError(Exception):
    """Not a whole Parquet file, or metadata that cannot be understood."""


def read_metadata(file: Path | bytes, kind: type[_Metadata]) -> _Metadata:
    """Read our metadata from a Parquet file, or from its last bytes if they hold the footer.

    Raises DamagedFileError, NotOurFileError or LayoutTooNewError.
    """
    try:
        pairs = pl.read_parquet_metadata(io.BytesIO(file) if isinstance(file, bytes) else file)
    except DAMAGED as error:
        raise DamagedFileError from error
    text = pairs.get(METADATA_KEY)
    if text is None:
        raise NotOurFileError
    try:
        layout = msgspec.json.decode(text, type=_LayoutOnly).layout
        if layout > LAYOUT_VERSION:
            raise LayoutTooNewError(layout)
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError("what it or its ledger says about itself makes no sense") from error


def metadata_pairs(metadata: _Metadata) -> dict[str, str]:
    """Return the metadata as Parquet key-value pairs."""
    return {METADATA_KEY: msgspec.json.encode(metadata).decode()}
