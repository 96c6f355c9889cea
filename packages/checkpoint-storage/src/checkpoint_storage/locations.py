"""From what a person writes to a source or a checkpoint store."""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from checkpoint_core import CheckpointStore, Source
from checkpoint_storage.directory._source import DirectorySource
from checkpoint_storage.directory._store import DirectoryStore
from checkpoint_storage.errors import UnsupportedLocationError

__all__ = [
    "OpenSource",
    "OpenStore",
    "check_source",
    "familiar",
    "lies_inside",
    "open_checkpoint",
    "open_source",
]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_S3 = re.compile(r"s3://([A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])(?:/(.*))?", re.DOTALL)


class OpenSource(Source, Protocol):
    """A source that says how its last listing was shown to be whole; None where there was none."""

    proof: str | None


class OpenStore(CheckpointStore, Protocol):
    """A checkpoint store that knows where a run's own files belong."""

    def scratch(self) -> AbstractContextManager[Path]:
        """Make an empty local folder for one run; removed afterwards."""
        ...


def open_source(text: str, *, read_concurrency: int | None = None) -> OpenSource:
    """Return the source that a directory, its `file://` URI or `s3://bucket/prefix` names.

    `read_concurrency` is how many objects are read from S3 at once. Raises UnsupportedLocationError
    for everything else.
    """
    if text.startswith("s3://"):
        # Here, because a run on directories needs nothing of it, and it takes its time.
        from checkpoint_storage.s3 import S3Source  # noqa: PLC0415

        bucket, prefix = _bucket_and_key(text)
        if read_concurrency is None:
            return S3Source(bucket, prefix)
        return S3Source(bucket, prefix, reading_threads=read_concurrency)
    return DirectorySource(_path(text, "a directory"))


def open_checkpoint(text: str) -> OpenStore:
    """Return the store of the checkpoint that a file, its URI or `s3://bucket/key` names.

    Raises UnsupportedLocationError for everything else.
    """
    if text.startswith("s3://"):
        from checkpoint_storage.s3 import S3Store  # noqa: PLC0415

        bucket, key = _bucket_and_key(text)
        _check_name(key.rpartition("/")[2], "key")
        return S3Store(bucket, key)
    path = _path(text, "a file")
    if text.endswith("/") or path.name in {"", ".."}:
        raise UnsupportedLocationError(
            "this names a directory; give the checkpoint's own file, such as out/events.parquet"
        )
    _check_name(path.name, "name")
    return DirectoryStore(path)


def check_source(source: Source) -> None:
    """Raise StorageError at once where a local source is not there; of others a run finds out."""
    if isinstance(source, DirectorySource):
        source.check()


def lies_inside(store: CheckpointStore, source: Source) -> bool:
    """Tell whether the source lists the checkpoint among its objects."""
    checkpoint = store.location
    if checkpoint.startswith("/"):
        checkpoint = Path(checkpoint).as_uri()
    return checkpoint.startswith(source.location.rstrip("/") + "/")


def familiar(location: str) -> str:
    """Return a local location as a person would write it here; other locations as they are."""
    if not location.startswith(("file://", "/")):
        return location
    path = Path(_local(location))
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _check_name(name: str, what: str) -> None:
    if not name.endswith(".parquet") or name == ".parquet":
        raise UnsupportedLocationError(
            f"the checkpoint's {what} must end with a name and .parquet, such as events.parquet"
        )


def _bucket_and_key(text: str) -> tuple[str, str]:
    found = _S3.fullmatch(text)
    if found is None:
        raise UnsupportedLocationError("not of the form s3://bucket/... with a bucket's name")
    return found[1], found[2] or ""


def _path(text: str, wanted: str) -> Path:
    if not text:
        raise UnsupportedLocationError(f"it is empty; give {wanted}")
    if _SCHEME.match(text) and not text.startswith("file:///"):
        scheme = text.partition("://")[0]
        raise UnsupportedLocationError(
            f"{scheme}:// is not supported; give the path of {wanted}, or s3://bucket/..."
        )
    if text.startswith("file://") and not {"?", "#"}.isdisjoint(text):
        raise UnsupportedLocationError(
            "in a file:// URI, ? and # do not belong to the path; write %3F and %23, or a plain path"
        )
    return Path(_local(text))


def _local(text: str) -> str:
    return unquote(urlsplit(text).path) if text.startswith("file://") else text
