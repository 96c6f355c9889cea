"""The staging place: frames that driver and executors hand to each other, beside the checkpoint.

Every attempt of every task writes under a name of its own, and only the names that a task has
returned to the driver are read. So a task that Spark runs twice, or loses and runs again, has one
result, whatever the objects have become meanwhile.

The first part stands for the run: it is cleared before anything else, and a task that finds it gone
takes back what it has just written. So nothing stays of tasks that outlive their run.
"""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl
from msgspec import Struct

from checkpoint_core import StorageError
from checkpoint_storage.locations import OpenStore, open_checkpoint

__all__ = ["Staging", "read_staged"]

# Requests of the driver that are under way at a time.
_AT_ONCE: Final = 16
_LEFT_OVER_AFTER: Final = timedelta(days=7)


class Staging(Struct, frozen=True, kw_only=True):
    """Where one run stages: beside which checkpoint, and what its names begin with."""

    checkpoint: str
    run: str

    def put(self, part: str, frame: pl.DataFrame) -> str:
        """Write a frame of a task under a name that ends like this; return the name.

        Raises StorageError, and leaves nothing, where the run has ended meanwhile.
        """
        name = self._write(part, frame)
        store = self._store()
        if store.read_tail(self._first(store), 1) is None:
            store.delete(name)
            raise StorageError(f"{store.location}: the run that staged this has ended.")
        return name

    def _write(self, part: str, frame: pl.DataFrame) -> str:
        store = self._store()
        name = self._name(store, part)
        with tempfile.TemporaryDirectory(prefix="nacc-checkpoint-") as folder:
            file = Path(folder, "staged.parquet")
            frame.write_parquet(file, compression="zstd", compression_level=1)
            store.put(name, file)
        return name

    def put_all(self, frames: Sequence[pl.DataFrame]) -> list[str]:
        """Write the parts of a run, with which it begins; return the names in their order."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda n: self._write(f"part-{n}", frames[n]), range(len(frames))))

    def get(self, name: str) -> pl.DataFrame:
        """Read what was written under a name; raises StorageError where it is gone."""
        with tempfile.TemporaryDirectory(prefix="nacc-checkpoint-") as folder:
            return read_staged(self.fetch([name], Path(folder))[0])

    def fetch(self, names: Sequence[str], to: Path) -> list[Path]:
        """Bring files into a local folder; raises StorageError where one is gone."""
        store = self._store()

        def fetched(name: str) -> Path:
            file = to / name.rpartition("/")[2]
            if not store.fetch(name, file):
                message = f"{store.location}: {name}, which this run has written, is gone. Nothing was changed."
                raise StorageError(message)
            return file

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(fetched, names))

    def clear(self, *, now: datetime) -> None:
        """Remove what this run has staged, and what others left behind more than a week ago."""
        store = self._store()
        store.delete(self._first(store))
        own = f"{_folder(store)}/{self.run}-"
        done = [
            file.name
            for file in store.list_files(_folder(store))
            if file.name.startswith(own)
            or (file.name.endswith(".parquet") and file.last_modified < now - _LEFT_OVER_AFTER)
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(store.delete, done))

    def _first(self, store: OpenStore) -> str:
        return self._name(store, "part-0")

    def _name(self, store: OpenStore, part: str) -> str:
        return f"{_folder(store)}/{self.run}-{part}.parquet"

    def _store(self) -> OpenStore:
        return open_checkpoint(self.checkpoint)


def read_staged(file: Path) -> pl.DataFrame:
    """Read one file into memory; its name is taken as it is, never as a pattern or a partition.

    Raises StorageError where it is damaged: polars may quote values of it.
    """
    try:
        return pl.read_parquet(file, glob=False, hive_partitioning=False, memory_map=False)
    except (pl.exceptions.PolarsError, OSError):
        raise StorageError(
            f"{file.name}, which this run has staged, is damaged. Nothing was changed. Run again."
        ) from None


def _folder(store: OpenStore) -> str:
    return f"_work/{store.checkpoint_name}"
