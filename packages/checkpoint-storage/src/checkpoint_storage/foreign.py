"""Files of other systems whose rows a run adopts: which they are, and bringing them here."""

from collections.abc import Sequence
from pathlib import Path

from checkpoint_core import StorageError
from checkpoint_core.settings import ForeignFile
from checkpoint_storage.errors import UnsupportedLocationError
from checkpoint_storage.locations import OpenStore, open_checkpoint

__all__ = ["fetch_foreign", "open_foreign"]


def open_foreign(texts: Sequence[str], checkpoint: OpenStore) -> list[OpenStore]:
    """Return where the files that were named are.

    Raises UnsupportedLocationError where one is named otherwise than a checkpoint would be, or
    twice.
    """
    files = [open_checkpoint(text) for text in texts]
    if len({file.location for file in (*files, checkpoint)}) <= len(files):
        raise UnsupportedLocationError(
            "a file is named twice, or is CHECKPOINT; all its rows would be there twice"
        )
    return files


def fetch_foreign(files: Sequence[OpenStore], workdir: Path) -> tuple[ForeignFile, ...]:
    """Bring the files here; raises StorageError where one is missing."""
    fetched = []
    for number, file in enumerate(files):
        path = workdir / f"foreign-{number}.parquet"
        if not file.fetch(file.checkpoint_name, path):
            message = f"{file.location}: there is no such file. Nothing was changed."
            raise StorageError(message)
        fetched.append(ForeignFile(location=file.location, path=path))
    return tuple(fetched)
