"""From what a person writes to a source or a checkpoint store."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from checkpoint_core import Source
from checkpoint_lambda._directory_source import DirectorySource
from checkpoint_lambda._directory_store import DirectoryStore
from checkpoint_lambda.errors import UnsupportedLocationError

__all__ = ["familiar", "open_checkpoint", "open_source"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def open_source(text: str) -> Source:
    """Return the source that a directory's path, or its `file://` URI, names.

    Raises UnsupportedLocationError for everything else.
    """
    return DirectorySource(_path(text, "a directory"))


def open_checkpoint(text: str) -> DirectoryStore:
    """Return the store of the checkpoint that a file's path, or its `file://` URI, names.

    Raises UnsupportedLocationError for everything else.
    """
    path = _path(text, "a file")
    if text.endswith("/") or path.name in {"", ".."}:
        raise UnsupportedLocationError(
            "this names a directory; give the checkpoint's own file, such as out/events.parquet"
        )
    if not path.name.endswith(".parquet"):
        raise UnsupportedLocationError("the checkpoint's name must end with .parquet")
    return DirectoryStore(path)


def familiar(location: str) -> str:
    """Return a local location as a person would write it here; other locations as they are."""
    if not location.startswith(("file://", "/")):
        return location
    path = Path(_local(location))
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _path(text: str, wanted: str) -> Path:
    if not text:
        raise UnsupportedLocationError(f"it is empty; give {wanted}")
    if _SCHEME.match(text) and not text.startswith("file:///"):
        scheme = text.partition("://")[0]
        raise UnsupportedLocationError(
            f"{scheme}:// is not supported by this version, only directories and files are; "
            f"give the path of {wanted}"
        )
    return Path(_local(text))


def _local(text: str) -> str:
    return unquote(urlsplit(text).path) if text.startswith("file://") else text
