"""Reading many small things in threads: their answers to one iterator, at little cost for each."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from checkpoint_format.errors import StorageError
from checkpoint_format.stores import unlimited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

__all__ = ["Read", "Reserve", "join_briefly", "most_bytes_held", "read_in_threads"]

# Not a lock for every object; and in a short read, answers come a few times from each thread.
_MOST_IN_BATCH: Final = 32
_BATCHES_PER_THREAD: Final = 4
_MOST_BATCHES: Final = 64
# Objects are usually some hundred bytes; only what is larger is counted.
_LARGE_BYTES: Final = 16_384
_RESERVABLE_BYTES: Final = 64 * 1024 * 1024
# How often the clock is looked at while nothing comes.
_LONGEST_WAIT_S: Final = 1.0
# What is in progress usually ends in a moment. What hangs is left alone.
_LONGEST_FAREWELL_S: Final = 1.0
_NO_THREADS: Final = (
    "reading failed: the system allows no further thread. Nothing was changed. "
    "Raise its limit of processes and threads, or end other programs, and run again."
)
_Answer_co = TypeVar("_Answer_co", covariant=True)
_Answer = TypeVar("_Answer")


class Reserve(Protocol):
    """Waits until so many bytes may be held in memory; does not wait for small numbers."""

    def __call__(self, size_bytes: int, /) -> None:
        """Wait for the bytes; raises where nobody waits for the answer any more."""


class Read(Protocol[_Answer_co]):
    """Reads one thing, in the thread that calls it."""

    def __call__(self, key: str, reserve: Reserve, /) -> _Answer_co:
        """Return the answer, after reserving its bytes before they come."""


def most_bytes_held(largest_bytes: int, *, threads: int) -> int:
    """Return how many bytes of large contents are held at most, being read or to be taken.

    A thread reserves the bytes of a large one before they come, and they are free again when it has
    been taken: 64 MiB at a time in all, or one single content that is larger. Where the largest are
    small, fewer: one for each thread, and those that wait.
    """
    at_once = threads + 2 * _MOST_BATCHES
    return min(at_once * largest_bytes, max(_RESERVABLE_BYTES, largest_bytes))


def read_in_threads(
    reading: Callable[[], AbstractContextManager[Read[_Answer]]],
    keys: Sequence[str],
    *,
    threads: int,
    remaining_s: Callable[[], float] = unlimited,
) -> Iterator[_Answer]:
    """Read each key in some threads and yield the answers, in any order.

    `reading` is entered once in each thread, and gives what reads there.
    Raises what a read has raised, without waiting for the others' answers.

    Guarantee: when `remaining_s` says that no time is left, whatever has been read until then is
    yielded, and the iterator ends; an answer that comes later is dropped. When the iterator has
    ended, been closed or interrupted, no read begins any more, and the threads have ended, but for
    those whose read has not come back within a second: they end when it does, and without it at
    the latest with the process.
    """
    threads = max(1, min(threads, len(keys)))
    size = max(1, min(_MOST_IN_BATCH, len(keys) // (threads * _BATCHES_PER_THREAD)))
    counter = itertools.count()
    queue: _Queue[_Answer] = _Queue(threads)

    def work(batch: _Batch[_Answer]) -> None:
        try:
            with reading() as read:
                # Taking the next number is atomic.
                while (number := next(counter)) < len(keys):
                    # In two steps: reserving may put the batch, and begin another.
                    answer = read(keys[number], batch.reserve)
                    batch.answers.append(answer)
                    if queue.closed:
                        return
                    if len(batch.answers) >= size:
                        batch.put()
            batch.put()
        except _ClosedError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that takes the answers
            queue.fail(error)
        finally:
            queue.leave()

    workers = [
        threading.Thread(target=work, args=(batch,), name=f"reading-{number}", daemon=True)
        for number, batch in enumerate(queue.batches)
    ]
    started: list[threading.Thread] = []
    try:
        for worker in workers:
            if _has_started(worker):
                started.append(worker)
            else:
                queue.leave()
        if not started:
            raise StorageError(_NO_THREADS)
        yield from queue.take(remaining_s)
    finally:
        queue.close()
        join_briefly(started)


def _has_started(thread: threading.Thread) -> bool:
    """Start a thread; return whether the machine allows one more. With fewer it takes longer."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def join_briefly(threads: Sequence[threading.Thread]) -> None:
    """Wait for these threads to end, but not for what hangs: a second, however many they are."""
    end = time.monotonic() + _LONGEST_FAREWELL_S
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


class _ClosedError(Exception):
    """Nobody takes answers any more."""


class _Queue(Generic[_Answer]):
    """Where threads put batches of answers, and wait while there are too many or too large ones."""

    def __init__(self, threads: int) -> None:
        self.closed = False
        self.batches = [_Batch(self) for _ in range(threads)]
        self._changed = threading.Condition()
        self._waiting: deque[tuple[list[_Answer], int]] = deque()
        self._reserved_bytes = 0
        self._threads = threads
        self._error: BaseException | None = None

    def reserve(self, size_bytes: int) -> None:
        with self._changed:
            while self._reserved_bytes and self._reserved_bytes + size_bytes > _RESERVABLE_BYTES:
                self._wait()
            self._reserved_bytes += size_bytes

    def put(self, batch: _Batch[_Answer]) -> None:
        with self._changed:
            while len(self._waiting) >= _MOST_BATCHES:
                self._wait()
            # Under the lock, so that nobody finds an answer in both places.
            self._waiting.append((batch.answers, batch.reserved_bytes))
            batch.answers, batch.reserved_bytes = [], 0
            if len(self._waiting) == 1:
                self._changed.notify_all()

    def _wait(self) -> None:
        if self.closed:
            raise _ClosedError
        self._changed.wait()
        if self.closed:
            raise _ClosedError

    def fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self.closed = True
            self._changed.notify_all()

    def leave(self) -> None:
        with self._changed:
            self._threads -= 1
            if not self._threads:
                self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def take(self, remaining_s: Callable[[], float]) -> Iterator[_Answer]:
        """Yield answers until there are none to come or no time is left."""
        in_time = True
        while in_time:
            with self._changed:
                while in_time := (left_s := remaining_s()) > 0:
                    if self._waiting or not self._threads or self._error:
                        break
                    self._changed.wait(min(left_s, _LONGEST_WAIT_S))
                if self._error:
                    raise self._error
                if in_time and not self._waiting:
                    return
                taken = self._take(everything=not in_time)
            for answers, reserved_bytes in taken:
                yield from answers
                if reserved_bytes:
                    answers.clear()
                    with self._changed:
                        self._reserved_bytes -= reserved_bytes
                        self._changed.notify_all()

    def _take(self, *, everything: bool) -> list[tuple[list[_Answer], int]]:
        """Take the batches that wait; at the end of the time those in the making too."""
        taken = list(self._waiting)
        self._waiting.clear()
        if everything:
            self.closed = True
            # Copies, because a thread may still append an answer, which then came too late.
            taken += [(batch.answers.copy(), 0) for batch in self.batches]
        if self.closed or len(taken) >= _MOST_BATCHES:
            self._changed.notify_all()
        return taken


class _Batch(Generic[_Answer]):
    """One thread's answers that are not in the queue yet, and the bytes reserved for them."""

    def __init__(self, queue: _Queue[_Answer]) -> None:
        self.answers: list[_Answer] = []
        self.reserved_bytes = 0
        self._queue = queue

    def reserve(self, size_bytes: int) -> None:
        if self._queue.closed:
            raise _ClosedError
        if size_bytes < _LARGE_BYTES:
            return
        # Whoever waits must not keep others waiting for what it holds.
        self.put()
        self._queue.reserve(size_bytes)
        self.reserved_bytes = size_bytes

    def put(self) -> None:
        if self.answers or self.reserved_bytes:
            self._queue.put(self)
