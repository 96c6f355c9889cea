"""The staging place: frames that driver and executors hand to each other, beside the checkpoint.

Every attempt of every task writes under a name of its own, and only the names that a task has
returned to the driver are read. So a task that Spark runs twice, or loses and runs again, has one
result, whatever the objects have become meanwhile.
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

__all__ = ["Staging"]

# Requests of the driver that are under way at a time.
_AT_ONCE: Final = 16
_LEFT_OVER_AFTER: Final = timedelta(days=7)


class Staging(Struct, frozen=True, kw_only=True):
    """Where one run stages: beside which checkpoint, and what its names begin with."""

    checkpoint: str
    run: str

    def put(self, part: str, frame: pl.DataFrame) -> str:
        """Write a frame under a name that ends like this; return the name."""
        store = self._store()
        name = f"{_folder(store)}/{self.run}-{part}.parquet"
        with tempfile.TemporaryDirectory(prefix="nacc-checkpoint-") as folder:
            file = Path(folder, "staged.parquet")
            frame.write_parquet(file, compression="zstd", compression_level=1)
            store.put(name, file)
        return name

    def put_all(self, frames: Sequence[pl.DataFrame]) -> list[str]:
        """Write frames, each under its number; return the names in this order."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda n: self.put(f"part-{n}", frames[n]), range(len(frames))))

    def get(self, name: str) -> pl.DataFrame:
        """Read what was written under a name; raises StorageError where it is gone."""
        with tempfile.TemporaryDirectory(prefix="nacc-checkpoint-") as folder:
            return pl.read_parquet(self.fetch([name], Path(folder))[0], memory_map=False)

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
        own = f"{_folder(store)}/{self.run}-"
        done = [
            file.name
            for file in store.list_files(_folder(store))
            if file.name.startswith(own)
            or (file.name.endswith(".parquet") and file.last_modified < now - _LEFT_OVER_AFTER)
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(store.delete, done))

    def _store(self) -> OpenStore:
        return open_checkpoint(self.checkpoint)


def _folder(store: OpenStore) -> str:
    return f"_work/{store.checkpoint_name}"
