"""The files that a checkpoint consists of: their names, columns, and what their metadata says.

Layout version 3. The Parquet file at the checkpoint's own name is the only commit point; its
metadata names the one ledger that belongs to it and, where that is a delta, the full one below it.
Version 1 had full ledgers only, version 2 did not know under which event format a row was taken;
both read as such.
"""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import polars as pl
from msgspec import Struct
from polars.exceptions import PanicException, PolarsError

from nacc_event_model import EventFormat

LAYOUT_VERSION: Final = 3
METADATA_KEY: Final = "nacc.checkpoint"
LINEAGE_LENGTH: Final = 48
_UPON: Final = ".upon."
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

DAMAGED: Final = (PolarsError, PanicException)
"""What polars raises over a truncated or damaged file. The panic is not even an Exception."""

TIMESTAMP: Final = pl.Datetime("us", "UTC")

_EVENT_COLUMNS: Final[dict[str, pl.DataType]] = {
    "action": pl.String(),
    "study": pl.String(),
    "pipeline_adcid": pl.Int32(),
    "project_label": pl.String(),
    "center_label": pl.String(),
    "gear_name": pl.String(),
    "ptid": pl.String(),
    "visit_date": pl.Date(),
    "visit_number": pl.String(),
    "datatype": pl.String(),
    "module": pl.String(),
    "packet": pl.String(),
    "timestamp": TIMESTAMP,
}
_ADDED_COLUMNS: Final[dict[EventFormat, dict[str, pl.DataType]]] = {
    EventFormat.V1_0: {},
    EventFormat.V1_1: {"naccid": pl.String(), "modality": pl.String()},
}

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
`event_format` is that under which its latest row was taken or last looked at; null: not known,
because layouts before 3 did not keep it.
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
    }
)
"""One row per event object that is not in the checkpoint, or whose newest content is not.

`event_format`, `model_version` and `exclude_projects` are the rules it was judged by.
"""


def event_schema(event_format: EventFormat) -> pl.Schema:
    """Return the checkpoint's columns, in order, with their types."""
    return pl.Schema(_EVENT_COLUMNS | _ADDED_COLUMNS[event_format])


def added_columns(event_format: EventFormat) -> list[str]:
    """Return the columns that a format has beyond the thirteen that all have."""
    return list(_ADDED_COLUMNS[event_format])


def narrower_formats(event_format: EventFormat) -> list[str]:
    """Return the formats whose rows lack columns of this one."""
    columns = len(event_schema(event_format))
    return [str(each) for each in EventFormat if len(event_schema(each)) < columns]


class Names(Struct, frozen=True):
    """The names of the files beside a checkpoint, relative to its folder.

    Folders begin with `_`, which Athena and Spark do not read as data.
    """

    checkpoint: str

    @property
    def stem(self) -> str:
        """The checkpoint's name without its suffix."""
        return self.checkpoint.removesuffix(".parquet")

    @property
    def ledgers(self) -> str:
        """The folder of the ledgers."""
        return f"_ledger/{self.stem}"

    @property
    def rejects(self) -> str:
        """The rejects file."""
        return f"_rejects/{self.stem}.parquet"

    def ledger(self, commit_id: str, full: str | None = None) -> str:
        """Return the name of one commit's ledger, a delta upon the `full` one of that commit."""
        upon = f"{_UPON}{full}" if full else ""
        return f"{self.ledgers}/{commit_id}{upon}.parquet"

    def unclaimed(self, commit_id: str) -> str:
        """Return the name of the adopted rows that no object had claimed when a commit was made.

        It does not begin with a generation, so nothing takes it for a ledger.
        """
        return f"{self.ledgers}/unclaimed-{commit_id}.parquet"

    def replaced(self, commit_id: str) -> str:
        """Return the name under which a commit keeps the checkpoint that it replaced."""
        return f"_previous/{self.stem}/{commit_id}.parquet"


def new_commit_id(generation: int, unique: str) -> str:
    """Return a commit id: the generation, then what makes it unique. It sorts by generation."""
    return f"{generation:08d}-{unique}"


def commits_of(ledger_name: str) -> tuple[str, str]:
    """Return whose commit's ledger a name is of, and that of the full one that it needs."""
    commit_id, _, full = ledger_name.rpartition("/")[2].removesuffix(".parquet").partition(_UPON)
    return commit_id, full or commit_id


def generation_of(ledger_name: str) -> int:
    """Return the generation in a ledger's name, 0 where it has none."""
    digits = ledger_name.rpartition("/")[2].partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


class CheckpointMetadata(Struct, frozen=True, kw_only=True):
    """What the checkpoint says about itself, as JSON below METADATA_KEY in the Parquet footer.

    `full_ledger` is the commit whose full ledger this commit's is a delta upon; None: it is full.
    `adopted_at` is when the adoption began that the `adopted_rows` come from, and `unclaimed` the
    commit whose file holds exactly those rows; None where none are left, or where they were adopted
    before there were such files.
    """

    layout: int
    commit_id: str
    full_ledger: str | None = None
    generation: int
    lineage: tuple[str, ...]
    source: str
    event_format: EventFormat
    rows: int
    adopted_rows: int
    first_timestamp: datetime | None
    last_timestamp: datetime | None
    committed_at: datetime
    versions: dict[str, str]
    adopted_at: datetime | None = None
    unclaimed: str | None = None


class LedgerMetadata(Struct, frozen=True, kw_only=True):
    """What a ledger says about itself; a delta speaks of itself and of its full ledger together.

    `full` is the commit of the full ledger that a delta is upon. The delta's rows add to that one's
    or supersede them: `superseded_objects` of them, which stand for `superseded_versions`.
    """

    layout: int
    commit_id: str
    source: str
    objects: int
    full: str | None = None
    superseded_objects: int = 0
    superseded_versions: int = 0


class RejectsMetadata(Struct, frozen=True, kw_only=True):
    """What the rejects file says about itself."""

    layout: int
    source: str
    restores_listed_at: datetime | None = None


class _LayoutOnly(Struct):
    layout: int


_Metadata = TypeVar("_Metadata", CheckpointMetadata, LedgerMetadata, RejectsMetadata)


class NotOurFileError(Exception):
    """A sound Parquet file without our metadata."""


class LayoutTooNewError(Exception):
    """Our file, in a layout that is not known yet."""

    def __init__(self, layout: int) -> None:
        """Keep the layout version."""
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
    except msgspec.MsgspecError as error:
        raise DamagedFileError from error


def footer_size(tail: bytes) -> int:
    """Return how many of a Parquet file's last bytes hold its footer; 0 where there is none."""
    if tail[-4:] != b"PAR1":
        return 0
    return int.from_bytes(tail[-8:-4], "little") + 8


def metadata_pairs(
    metadata: CheckpointMetadata | LedgerMetadata | RejectsMetadata,
) -> dict[str, str]:
    """Return the metadata as Parquet key-value pairs."""
    return {METADATA_KEY: msgspec.json.encode(metadata).decode()}
