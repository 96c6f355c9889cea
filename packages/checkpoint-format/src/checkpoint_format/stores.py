"""What a run needs from storage and from its host, as small protocols and plain data.

A *source* holds event objects; a *checkpoint store* holds the checkpoint and the files beside it.
Adapters implement both; every guarantee that a run gives rests on what is promised here.
"""

import enum
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, Protocol

import polars as pl
from msgspec import Struct

__all__ = [
    "LISTING_SCHEMA",
    "UNSETTLED",
    "CheckpointStore",
    "Condition",
    "Content",
    "FailureOutcome",
    "Host",
    "Observer",
    "PutOutcome",
    "QuietObserver",
    "ReadFailure",
    "Source",
    "Stage",
    "StoredFile",
    "StoredVersion",
    "Tail",
    "back_off",
    "unlimited",
]

LISTING_SCHEMA = pl.Schema(
    {
        "key": pl.String(),
        "etag": pl.String(),
        "size": pl.Int64(),
        "last_modified": pl.Datetime("us", "UTC"),
        "archived": pl.Boolean(),
    }
)
"""One row per listed object.

`etag` tells one content of a key from the next; a directory derives it from modification time and
size. `archived` is null where the listing does not know it.
"""

UNSETTLED: Final = "~unsettled"
"""The end of a content's etag that no listing gives, so that the next run looks at it once more.

For sources where a content that was only just written can change without its etag changing.
"""

_LONGEST_PAUSE_S: Final = 20.0

FailureOutcome = Literal["unreadable", "denied", "archived", "missing"]
Stage = Literal["load", "list", "validate", "read", "merge", "commit", "export"]
"""The parts of a run, in their order; reading takes place inside of validating, as objects come."""


class Content(Struct, frozen=True, kw_only=True, gc=False):
    """One event object as it was read, with the etag and time of that very content."""

    key: str
    data: bytes
    etag: str
    last_modified: datetime


class ReadFailure(Struct, frozen=True, kw_only=True, gc=False):
    """One event object that could not be read; `reason` never quotes its content."""

    key: str
    outcome: FailureOutcome
    reason: str


def unlimited() -> float:
    """Return the time that is left where nothing limits it."""
    return math.inf


class Source(Protocol):
    """Where event objects are listed and read."""

    @property
    def location(self) -> str:
        """A URI that names this source, the same in every run."""
        ...

    def list_objects(self, *, restore_states: bool) -> pl.DataFrame:
        """List everything below the location, in LISTING_SCHEMA, each key once, in any order.

        With `restore_states`, `archived` is filled in wherever the store can tell.
        Raises StorageError when the listing is not whole.
        """
        ...

    def read(
        self,
        keys: Sequence[str],
        *,
        max_size_bytes: int,
        remaining_s: Callable[[], float] = unlimited,
    ) -> Iterator[Content | ReadFailure]:
        """Read the objects concurrently and yield one answer for each key, in any order.

        At most `max_size_bytes + 1` bytes of an object are read, which is enough to refuse it.
        When `remaining_s` says that no time is left, everything that has been read is yielded and
        the iterator ends, whatever has not answered by then; never before that without all answers.
        Raises StorageError when the store as a whole fails.
        """
        ...


class StoredFile(Struct, frozen=True, kw_only=True):
    """A file beside the checkpoint, by its name relative to the checkpoint's folder."""

    name: str
    last_modified: datetime


class StoredVersion(Struct, frozen=True, kw_only=True):
    """What a versioned store keeps of a file besides the file: an earlier version, or a deletion."""

    name: str
    version_id: str


class Tail(Struct, frozen=True, kw_only=True):
    """The last bytes of a stored file, and which version of it they belong to."""

    data: bytes
    etag: str
    size_bytes: int


class Condition(Struct, frozen=True):
    """Write only if the stored file still has this etag; None: only if there is no such file."""

    etag: str | None


class PutOutcome(enum.Enum):
    """What is known after a conditional write."""

    WRITTEN = "written"
    REFUSED = "refused"


class CheckpointStore(Protocol):
    """Where the checkpoint, its ledgers, its rejects and its replaced versions are kept.

    Names are relative to the checkpoint's folder and use `/`; they may begin with `../`.
    A write is atomic: readers see the old file or the new one, whole.
    """

    @property
    def location(self) -> str:
        """The checkpoint's path or URI, as people know it."""
        ...

    @property
    def checkpoint_name(self) -> str:
        """The checkpoint's own name in its folder."""
        ...

    def read_tail(self, name: str, length_bytes: int) -> Tail | None:
        """Return the last `length_bytes` (or all) of a file, None where there is no such file."""
        ...

    def fetch(self, name: str, to: Path, *, etag: str | None = None) -> bool:
        """Make the file available at the local path `to`, unchanged until the run ends.

        It must not be written to. Returns False where there is no such file. With `etag`, raises
        ChangedWhileReadingError where that version is no longer there.
        """
        ...

    def put(self, name: str, file: Path) -> None:
        """Write a local file under the name, whatever is there; idempotent."""
        ...

    def put_if(self, name: str, file: Path, condition: Condition) -> PutOutcome:
        """Write a local file under the name if the condition holds at that very moment.

        Never retried by the adapter: after an unknown outcome the caller reads back.
        Raises OutcomeUnknownError where it may have been written or not.
        """
        ...

    def list_files(self, folder: str) -> list[StoredFile]:
        """List the files in a folder; empty where there is no such folder."""
        ...

    def list_tree(self, folder: str) -> dict[str, str]:
        """Return the etag of each file in a folder and in those below it, by its name.

        The folder `""` is the checkpoint's own; of what is in it, names that begin with `_` or `.`
        are left out. Empty where there is no such folder.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove a file; no error where there is none."""
        ...

    def list_versions(self, name: str) -> list[StoredVersion]:
        """List what is kept besides a file; of a name that ends in `/`, besides all in a folder.

        The folder `""` is the checkpoint's own.
        In an order in which they can be deleted without bringing a version back into force. Empty
        where the store keeps no versions.
        """
        ...

    def delete_version(self, version: StoredVersion) -> None:
        """Remove a version for good; no error where there is none."""
        ...


class Observer(Protocol):
    """Who watches a run: a progress bar, a tracer, or nobody."""

    def stage(self, name: Stage) -> AbstractContextManager[object]:
        """Enter one stage of the run; left when the stage ends, also by an error."""
        ...

    def progress(self, done: int, total: int) -> None:
        """Tell how many objects of the current stage are done."""
        ...

    def note(self, **numbers: int | str) -> None:
        """Tell numbers of the current stage, each under a constant name."""
        ...


class QuietObserver:
    """An observer that does nothing."""

    def stage(self, name: Stage) -> AbstractContextManager[object]:  # noqa: ARG002 - a protocol's name
        """Enter nothing."""
        return nullcontext()

    def progress(self, done: int, total: int) -> None:
        """Tell nobody."""

    def note(self, **numbers: int | str) -> None:
        """Tell nobody."""


class Host(Struct, frozen=True, kw_only=True):
    """What a run needs from the machine, handed in so that nothing here has a clock of its own.

    `new_id` returns text that is unique across runs, of 1 to 80 visible characters of ASCII without
    `/`, as a file name is made of it; `pause` waits for some
    seconds; `jitter` returns a number from 0 to 1; `remaining_s` is the time left, infinite where
    nothing limits it; `workdir` is an empty local folder that belongs to this run alone.
    """

    now: Callable[[], datetime]
    new_id: Callable[[], str]
    pause: Callable[[float], None]
    jitter: Callable[[], float]
    remaining_s: Callable[[], float]
    workdir: Path
    observer: Observer = QuietObserver()


def back_off(host: Host, attempt: int) -> None:
    """Wait before the next attempt: exponentially longer, and never in step with other runs."""
    host.pause(min(_LONGEST_PAUSE_S, 0.1 * 2**attempt) * (0.5 + host.jitter()))
