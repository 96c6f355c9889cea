"""Observing a run from outside: its stages through a protocol of the format, its numbers at the storage.

Most numbers are gathered where they arise, in a source and a store that pass everything on;
neither ever looks into a content.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import polars as pl

from checkpoint_core import (
    CheckpointStore,
    Condition,
    Content,
    Observer,
    PutOutcome,
    ReadFailure,
    Source,
    StoredFile,
    StoredVersion,
    Tail,
)
from checkpoint_format.errors import OutcomeUnknownError
from checkpoint_format.stores import Stage, unlimited


class Observers:
    """Several observers as one."""

    def __init__(self, *observers: Observer) -> None:
        """Keep them in the order in which they enter a stage."""
        self._observers = observers

    def stage(self, name: Stage) -> AbstractContextManager[object]:
        """Let each of them enter the stage; they leave it in the reverse order."""
        with ExitStack() as stack:
            for observer in self._observers:
                stack.enter_context(observer.stage(name))
            return stack.pop_all()

    def progress(self, done: int, total: int) -> None:
        """Tell each of them."""
        for observer in self._observers:
            observer.progress(done, total)

    def note(self, **numbers: int | str) -> None:
        """Tell each of them."""
        for observer in self._observers:
            observer.note(**numbers)


class ObservedSource:
    """A source that notes how much was listed and read.

    `on_answer` is told of every single object; None, which costs nothing, where nobody asks.
    """

    def __init__(
        self,
        source: Source,
        observer: Observer,
        *,
        on_answer: Callable[[Content | ReadFailure], None] | None,
    ) -> None:
        self._source = source
        self._observer = observer
        self._on_answer = on_answer
        self._objects = self._failures = self._size_bytes = 0

    @property
    def location(self) -> str:
        """The source's own."""
        return self._source.location

    def list_objects(self, *, restore_states: bool) -> pl.DataFrame:
        """List, and note the number of objects and the sum of their sizes."""
        listing = self._source.list_objects(restore_states=restore_states)
        self._observer.note(objects=listing.height, size_bytes=int(listing["size"].sum()))
        return listing

    def read(
        self,
        keys: Sequence[str],
        *,
        max_size_bytes: int,
        remaining_s: Callable[[], float] = unlimited,
    ) -> Iterator[Content | ReadFailure]:
        """Read, and note after each batch how many objects and bytes there were so far."""
        answers = self._source.read(keys, max_size_bytes=max_size_bytes, remaining_s=remaining_s)
        try:
            for answer in answers:
                self._count(answer)
                yield answer
        finally:
            # Whoever reads in threads ends them then.
            if isinstance(answers, Generator):
                answers.close()
        self._observer.note(
            objects=self._objects, failures=self._failures, size_bytes=self._size_bytes
        )

    def _count(self, answer: Content | ReadFailure) -> None:
        if isinstance(answer, Content):
            self._objects += 1
            self._size_bytes += len(answer.data)
        else:
            self._failures += 1
        if self._on_answer is not None:
            self._on_answer(answer)


class ObservedStore:
    """A checkpoint store that notes how much was fetched and written, and how commits went."""

    def __init__(self, store: CheckpointStore, observer: Observer) -> None:
        self._store = store
        self._observer = observer

    @property
    def location(self) -> str:
        """The store's own."""
        return self._store.location

    @property
    def checkpoint_name(self) -> str:
        """The store's own."""
        return self._store.checkpoint_name

    def read_tail(self, name: str, length_bytes: int) -> Tail | None:
        """Pass on, and note the checkpoint's size."""
        tail = self._store.read_tail(name, length_bytes)
        if tail is not None and name == self.checkpoint_name:
            self._observer.note(checkpoint_bytes=tail.size_bytes)
        return tail

    def fetch(self, name: str, to: Path, *, etag: str | None = None) -> bool:
        """Pass on."""
        return self._store.fetch(name, to, etag=etag)

    def put(self, name: str, file: Path) -> None:
        """Pass on, and note the size of a ledger."""
        self._store.put(name, file)
        if name.startswith("_ledger/") and name.endswith(".parquet"):
            self._observer.note(ledger_bytes=file.stat().st_size)

    def put_if(self, name: str, file: Path, condition: Condition) -> PutOutcome:
        """Pass on, and note of a checkpoint the size and what became of it."""
        if name != self._store.checkpoint_name:
            return self._store.put_if(name, file, condition)
        size = file.stat().st_size
        try:
            outcome = self._store.put_if(name, file, condition)
        except OutcomeUnknownError:
            self._observer.note(checkpoint_bytes=size, outcome="unknown")
            raise
        self._observer.note(checkpoint_bytes=size, outcome=outcome.value)
        return outcome

    def list_files(self, folder: str) -> list[StoredFile]:
        """Pass on."""
        return self._store.list_files(folder)

    def list_tree(self, folder: str) -> dict[str, str]:
        """Pass on."""
        return self._store.list_tree(folder)

    def delete(self, name: str) -> None:
        """Pass on."""
        self._store.delete(name)

    def list_versions(self, name: str) -> list[StoredVersion]:
        """Pass on."""
        return self._store.list_versions(name)

    def delete_version(self, version: StoredVersion) -> None:
        """Pass on."""
        self._store.delete_version(version)
