"""A source and a checkpoint store in memory, with the real semantics and an enumerated fault model.

The fault model. Every call on the store may
  - fail before it has any effect (`BEFORE`),
  - fail after its effect took place, the answer being lost (`AFTER`; a fetch leaves half a file),
  - be the last thing that the process does (`CRASH_BEFORE`, `CRASH_AFTER`),
  - for conditional writes, be refused for good: no space, no permission (`DENIED`),
  - for conditional writes, be refused by a conflict although the condition holds (`CONFLICT`),
  - for conditional writes, seem to fail and take place later, if the condition still holds then:
    just before the next call, or before the one after that (`LATE`, `LATER`).
A conditional write that fails in another way than these has an unknown outcome; any other failed
call raises StorageError.
Objects may be unreadable, denied, archived, or vanish between listing and reading.
"""

import enum
import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import polars as pl

from checkpoint_core import (
    LISTING_SCHEMA,
    Condition,
    Content,
    PutOutcome,
    ReadFailure,
    StorageError,
    StoredFile,
    StoredVersion,
    Tail,
)
from checkpoint_format.errors import ChangedWhileReadingError, OutcomeUnknownError
from checkpoint_format.stores import FailureOutcome, unlimited

_Result = TypeVar("_Result")
START = datetime(2026, 10, 1, tzinfo=UTC)


class CrashError(BaseException):
    """The process is gone; no handler of the code under test may run to good effect."""


class Fault(enum.Enum):
    """What goes wrong with one call."""

    BEFORE = "fails before any effect"
    AFTER = "fails after its effect"
    CRASH_BEFORE = "the process dies before any effect"
    CRASH_AFTER = "the process dies after the effect"
    CONFLICT = "is refused by a conflict"
    DENIED = "is refused for good"
    LATE = "seems to fail, and takes place before the next call"
    LATER = "seems to fail, and takes place before the call after the next"


_etags = itertools.count(1)
"""For all stores: an etag must not come twice, also where one store is a copy of another."""

_DELAYS = {Fault.LATE: 1, Fault.LATER: 2}


class Clock:
    """A clock that moves a second each time that it is asked."""

    def __init__(self, now: datetime = START) -> None:
        self.current = now

    def now(self) -> datetime:
        self.current += timedelta(seconds=1)
        return self.current


class MemorySource:
    """Event objects in a dict; every write makes a new etag and a later time.

    `history` is every write, `answers` everything that was read; `listings` says of each listing
    whether it was asked for restore states, `listed` how many objects it had.
    """

    def __init__(self, clock: Clock, location: str = "memory://events") -> None:
        self.clock = clock
        self.location = location
        self.objects: dict[str, Content] = {}
        self.outcomes: dict[str, FailureOutcome] = {}
        self.history: list[Content] = []
        self.answers: list[Content | ReadFailure] = []
        self.listings: list[bool] = []
        self.listed: list[int] = []
        self.listing_error: StorageError | None = None
        self.before_reading: Callable[[str], object] = lambda _key: None
        self.reading_order: Callable[[Sequence[str]], Sequence[str]] = lambda keys: keys[::-1]

    @property
    def reads(self) -> list[str]:
        return [answer.key for answer in self.answers]

    def write(self, key: str, data: bytes, last_modified: datetime | None = None) -> None:
        self.objects[key] = Content(
            key=key,
            data=data,
            etag=f"e{len(self.history) + 1}",
            last_modified=last_modified or self.clock.now(),
        )
        self.history.append(self.objects[key])

    def touch(self, key: str) -> None:
        self.write(key, self.objects[key].data)

    def delete(self, key: str) -> None:
        del self.objects[key]

    def list_objects(self, *, restore_states: bool) -> pl.DataFrame:
        self.listings.append(restore_states)
        if self.listing_error is not None:
            raise self.listing_error
        objects = list(self.objects.values())
        self.listed.append(len(objects))
        archived = [
            self.outcomes.get(each.key) == "archived" if restore_states else None
            for each in objects
        ]
        return pl.DataFrame(
            {
                "key": [each.key for each in objects],
                "etag": [each.etag for each in objects],
                "size": [len(each.data) for each in objects],
                "last_modified": [each.last_modified for each in objects],
                "archived": archived,
            },
            schema=LISTING_SCHEMA,
        )

    def read(
        self,
        keys: Sequence[str],
        *,
        max_size_bytes: int,
        remaining_s: Callable[[], float] = unlimited,
    ) -> Iterator[Content | ReadFailure]:
        for key in self.reading_order(keys):
            if remaining_s() <= 0:
                return
            self.before_reading(key)
            answer = self._answer(key, max_size_bytes)
            self.answers.append(answer)
            yield answer

    def _answer(self, key: str, max_size_bytes: int) -> Content | ReadFailure:
        outcome = self.outcomes.get(key)
        found = self.objects.get(key)
        if found is None:
            return ReadFailure(key=key, outcome="missing", reason="gone")
        if outcome is not None:
            return ReadFailure(key=key, outcome=outcome, reason=f"made {outcome} by the test")
        return Content(
            key=key,
            data=found.data[: max_size_bytes + 1],
            etag=found.etag,
            last_modified=found.last_modified,
        )


class MemoryStore:
    """Files in a dict, with conditional writes; see the module's fault model.

    `calls` is every call; `faults` says which of them go wrong. `before_call` is told of each
    call before it has any effect, and `on_commit` of each checkpoint, before it is in force.
    `versions` are earlier contents of files, by name and in their order; they are only kept where
    it `is_versioned`.
    """

    checkpoint_name = "events.parquet"
    location = "memory://checkpoints/events.parquet"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._delayed: list[tuple[int, Callable[[], object]]] = []
        self.files: dict[str, tuple[bytes, str, datetime]] = {}
        self.versions: dict[tuple[str, str], bytes] = {}
        self.is_versioned = False
        self.calls: list[str] = []
        self.faults: dict[int, Fault] = {}
        self.before_call: Callable[[str], object] = lambda _call: None
        self.on_commit: Callable[[bytes | None, bytes], None] = lambda _previous, _next: None

    def read_tail(self, name: str, length_bytes: int) -> Tail | None:
        def effect() -> Tail | None:
            if name not in self.files:
                return None
            data, etag, _ = self.files[name]
            start = max(len(data) - length_bytes, 0)
            return Tail(data=data[start:], etag=etag, size_bytes=len(data))

        return self._call(f"read_tail {name}", effect)

    def fetch(self, name: str, to: Path, *, etag: str | None = None) -> bool:
        def effect() -> bool:
            if name not in self.files:
                return False
            data, present, _ = self.files[name]
            if etag is not None and etag != present:
                raise ChangedWhileReadingError(name)
            is_cut_short = self.faults.get(number) is Fault.AFTER
            to.write_bytes(data[: len(data) // 2] if is_cut_short else data)
            return True

        number = len(self.calls)
        return self._call(f"fetch {name}", effect)

    def put(self, name: str, file: Path) -> None:
        self._call(f"put {name}", lambda: self.write(name, file.read_bytes()))

    def put_if(self, name: str, file: Path, condition: Condition) -> PutOutcome:
        data = file.read_bytes()

        def effect() -> PutOutcome:
            present = self.files[name][1] if name in self.files else None
            if present != condition.etag:
                return PutOutcome.REFUSED
            if name == self.checkpoint_name:
                self.on_commit(self.files[name][0] if name in self.files else None, data)
            self.write(name, data)
            return PutOutcome.WRITTEN

        number = len(self.calls)
        try:
            outcome = self._call(f"put_if {name}", effect)
        except StorageError as error:
            if self.faults.get(number) is Fault.DENIED:
                raise
            raise OutcomeUnknownError(str(error)) from error
        return PutOutcome.REFUSED if self.faults.get(number) is Fault.CONFLICT else outcome

    def list_files(self, folder: str) -> list[StoredFile]:
        return self._call(
            f"list_files {folder}",
            lambda: [
                StoredFile(name=name, last_modified=written)
                for name, (_, _, written) in sorted(self.files.items())
                if name.rpartition("/")[0] == folder
            ],
        )

    def list_tree(self, folder: str) -> dict[str, str]:
        inside = f"{folder}/" if folder else ""
        return self._call(
            f"list_tree {folder}",
            lambda: {
                name: etag
                for name, (_, etag, _) in sorted(self.files.items())
                if name.startswith(inside) and (folder or name[0] not in "_.")
            },
        )

    def delete(self, name: str) -> None:
        def effect() -> None:
            self._keep(name)
            self.files.pop(name, None)

        self._call(f"delete {name}", effect)

    def list_versions(self, name: str) -> list[StoredVersion]:
        return self._call(
            f"list_versions {name}",
            lambda: [
                StoredVersion(name=each, version_id=etag)
                for each, etag in self.versions
                if each == name or (each.startswith(name) and name[-1:] in {"", "/"})
            ],
        )

    def delete_version(self, version: StoredVersion) -> None:
        def effect() -> None:
            self.versions.pop((version.name, version.version_id), None)

        self._call(f"delete_version {version.name}", effect)

    def write(self, name: str, data: bytes, last_modified: datetime | None = None) -> None:
        """Put a file there behind everybody's back."""
        self._keep(name)
        self.files[name] = (data, f"v{next(_etags)}", last_modified or self._clock.now())

    def _keep(self, name: str) -> None:
        if self.is_versioned and name in self.files:
            data, etag, _ = self.files[name]
            self.versions[name, etag] = data

    def data(self, name: str) -> bytes:
        """Return a file's bytes."""
        return self.files[name][0]

    def rows(self) -> pl.DataFrame:
        """Return the checkpoint's rows, empty without one."""
        if self.checkpoint_name not in self.files:
            return pl.DataFrame()
        return pl.read_parquet(self.data(self.checkpoint_name))

    def _call(self, call: str, effect: Callable[[], _Result]) -> _Result:
        number = len(self.calls)
        self.calls.append(call)
        self.before_call(call)
        self._catch_up(number)
        fault = self.faults.get(number)
        if fault is None or (fault is Fault.CONFLICT and call.startswith("put_if")):
            # A conflict is the answer to a write that had no effect.
            return effect() if fault is None else None  # type: ignore[return-value]
        if fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}:
            if fault is Fault.CRASH_AFTER:
                effect()
            raise CrashError
        if fault is Fault.AFTER:
            effect()
        if fault in _DELAYS and call.startswith("put_if"):
            self._delayed.append((number + _DELAYS[fault], effect))
        raise StorageError(f"{call} {fault.value}")

    def _catch_up(self, number: int) -> None:
        """Let the delayed writes take place that are due."""
        due = [effect for when, effect in self._delayed if when <= number]
        self._delayed = [(when, effect) for when, effect in self._delayed if when > number]
        for effect in due:
            effect()
