"""The checkpoint's core: decides what is new and valid, and how checkpoint and ledger change.

It has no clock, no environment, no logger and no network of its own: storage comes through the
protocols `Source` and `CheckpointStore`, and all else through `Host`.

Each name is loaded when it is first asked for: whoever only wants the settings waits for no polars.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from checkpoint_core._version import __version__

if TYPE_CHECKING:
    from checkpoint_core._run import run
    from checkpoint_core.accounting import Counts, FailedFile, RunReport, StudyCount, add_up
    from checkpoint_core.settings import Request, Settings
    from checkpoint_format.errors import CheckpointError, StorageError
    from checkpoint_format.event_columns import event_schema
    from checkpoint_format.layout import (
        LAYOUT_VERSION,
        LEDGER_SCHEMA,
        REJECTS_SCHEMA,
        CheckpointMetadata,
    )
    from checkpoint_format.stores import (
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
else:
    _MODULES = {
        "checkpoint_core._run": "run",
        "checkpoint_core.accounting": "Counts FailedFile RunReport StudyCount add_up",
        "checkpoint_core.settings": "Request Settings",
        "checkpoint_format.errors": "CheckpointError StorageError",
        "checkpoint_format.event_columns": "event_schema",
        "checkpoint_format.layout": "LAYOUT_VERSION LEDGER_SCHEMA REJECTS_SCHEMA CheckpointMetadata",
        "checkpoint_format.stores": "LISTING_SCHEMA CheckpointStore Condition Content Host Observer "
        "PutOutcome ReadFailure Source StoredFile StoredVersion Tail",
    }
    _MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(_MODULE_OF[name]), name)
        globals()[name] = found
        return found


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
