"""The checkpoint's core: decides what is new and valid, and how checkpoint and ledger change.

It has no clock, no environment, no logger and no network of its own: storage comes through the
protocols `Source` and `CheckpointStore`, and all else through `Host`.
"""

from checkpoint_core._files.event_columns import event_schema
from checkpoint_core._files.layout import (
    LAYOUT_VERSION,
    LEDGER_SCHEMA,
    REJECTS_SCHEMA,
    CheckpointMetadata,
)
from checkpoint_core._version import __version__
from checkpoint_core.accounting import Counts, FailedFile, RunReport, StudyCount, add_up
from checkpoint_core.errors import CheckpointError, StorageError
from checkpoint_core.run import run
from checkpoint_core.settings import Request, Settings
from checkpoint_core.stores import (
    LISTING_SCHEMA,
    CheckpointStore,
    Condition,
    Content,
    Host,
    Observer,
    PutOutcome,
    ReadFailure,
    Source,
    StoredFile,
    StoredVersion,
    Tail,
)

__all__ = [
    "LAYOUT_VERSION",
    "LEDGER_SCHEMA",
    "LISTING_SCHEMA",
    "REJECTS_SCHEMA",
    "CheckpointError",
    "CheckpointMetadata",
    "CheckpointStore",
    "Condition",
    "Content",
    "Counts",
    "FailedFile",
    "Host",
    "Observer",
    "PutOutcome",
    "ReadFailure",
    "Request",
    "RunReport",
    "Settings",
    "Source",
    "StorageError",
    "StoredFile",
    "StoredVersion",
    "StudyCount",
    "Tail",
    "__version__",
    "add_up",
    "event_schema",
    "run",
]
