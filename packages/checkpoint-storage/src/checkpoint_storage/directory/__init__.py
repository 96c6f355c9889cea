"""Event objects and checkpoints in directories of a local or shared file system."""

from checkpoint_storage.directory._source import DirectorySource
from checkpoint_storage.directory._store import DirectoryStore

__all__ = ["DirectorySource", "DirectoryStore"]
