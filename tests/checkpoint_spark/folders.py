"""The world of the core's tests in folders, for executors that are other processes."""

import os
import shutil
from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
from typing_extensions import override

from checkpoint_core import RunReport
from checkpoint_storage.directory import DirectorySource, DirectoryStore
from tests.checkpoint_core.memory import START, Clock
from tests.checkpoint_core.world import LIST, World


class FolderSource(DirectorySource):
    """A directory whose files are each a second later than the one before, and long since written."""

    def __init__(self, root: Path, clock: Clock) -> None:
        root.mkdir()
        super().__init__(root)
        self.root = root
        self._clock = clock

    def write(self, name: str, data: bytes) -> None:
        (self.root / name).write_bytes(data)
        self.touch(name)

    def touch(self, name: str) -> None:
        written = (self._clock.now() - timedelta(days=365)).timestamp()
        os.utime(self.root / name, (written, written))

    def delete(self, name: str) -> None:
        (self.root / name).unlink()


class Files(MutableMapping[str, bytes]):
    """What is in a folder and those below it, by its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @override
    def __getitem__(self, name: str) -> bytes:
        if not (self._folder / name).is_file():
            raise KeyError(name)
        return (self._folder / name).read_bytes()

    @override
    def __setitem__(self, name: str, data: bytes) -> None:
        (self._folder / name).write_bytes(data)

    @override
    def __delitem__(self, name: str) -> None:
        (self._folder / name).unlink()

    @override
    def __iter__(self) -> Iterator[str]:
        found = (path for path in self._folder.rglob("*") if path.is_file())
        return iter([path.relative_to(self._folder).as_posix() for path in found])

    @override
    def __len__(self) -> int:
        return len(list(iter(self)))


class FolderStore(DirectoryStore):
    """A checkpoint in a folder, with what tests ask of it."""

    def __init__(self, checkpoint: Path) -> None:
        checkpoint.parent.mkdir(exist_ok=True)
        super().__init__(checkpoint)
        self.files = Files(checkpoint.parent)

    def write(self, name: str, data: bytes) -> None:
        self.files[name] = data

    def data(self, name: str) -> bytes:
        return self.files[name]

    def rows(self) -> pl.DataFrame:
        if self.checkpoint_name not in self.files:
            return pl.DataFrame()
        return pl.read_parquet(self.data(self.checkpoint_name))


class FolderWorld(World):
    """A world of the core's tests whose objects and checkpoint are in folders."""

    source: Any
    store: Any

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock.current = START
        self.source = FolderSource(folder / "events", self.clock)
        self.store = FolderStore(folder / "out" / "events.parquet")

    @override
    def workdir(self) -> Path:
        path = self.folder / f"work-{self.runs}"
        path.mkdir(exist_ok=True)
        return path

    def twin(self) -> "FolderWorld":
        """Return a world with the same objects and a copy of the checkpoint."""
        twin = object.__new__(FolderWorld)
        twin.__dict__.update(self.__dict__)
        out = self.folder / "twin"
        shutil.copytree(self.folder / "out", out)
        twin.store = FolderStore(out / "events.parquet")
        return twin

    def state(self) -> dict[str, object]:
        """Return rows, ledger, rejects and the list, without what every run makes up for itself."""
        has_checkpoint = "events.parquet" in self.store.files
        return {
            "rows": self.store.rows().rows(),
            "ledger": self.ledger().drop("commit_id").rows() if has_checkpoint else None,
            "rejects": self.rejects().drop("first_seen").rows() if self.reasons() else None,
            "unrecognized": self.unrecognized(),
            "withheld": self.store.files.get(LIST),
        }


def of_its_own(report: RunReport) -> dict[str, object]:
    """Return what is otherwise in the report of every run."""
    names = ("run_id", "started_at", "finished_at", "commit_id", "checkpoint", "size_bytes")
    return {name: getattr(report, name) for name in names}
