"""Many small answers from many threads to one iterator, at little cost for each."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Reserve", "hand_over"]

# Not a lock for every object; and in a short read, answers come a few times from each thread.
_MOST_IN_BATCH: Final = 32
_BATCHES_PER_THREAD: Final = 4
_MOST_BATCHES: Final = 64
# Objects are usually some hundred bytes; only what is larger is counted.
_LARGE_BYTES: Final = 16_384
_RESERVABLE_BYTES: Final = 64 * 1024 * 1024
_Answer = TypeVar("_Answer")


class Reserve(Protocol):
    """Waits until so many bytes may be held in memory; does nothing for small numbers."""

    def __call__(self, size_bytes: int, /) -> None:
        """Wait for the bytes."""


def hand_over(
    read: Callable[[str, Reserve], _Answer], keys: Sequence[str], *, threads: int
) -> Iterator[_Answer]:
    """Call `read` for each key in some threads and yield the answers, in any order.

    Raises what a call has raised, without waiting for the others' answers. When the iterator is
    finished, closed or interrupted, no call is in progress any more and the threads have ended.
    """
    threads = max(1, min(threads, len(keys)))
    size = max(1, min(_MOST_IN_BATCH, len(keys) // (threads * _BATCHES_PER_THREAD)))
    counter = itertools.count()
    desk: _Desk[_Answer] = _Desk(threads)

    def work() -> None:
        try:
            tray = _Tray(desk)
            # Taking the next number is atomic.
            while (number := next(counter)) < len(keys):
                # In two steps: reserving may hand in the batch, and begin another.
                answer = read(keys[number], tray.reserve)
                tray.batch.append(answer)
                if desk.closed:
                    return
                if len(tray.batch) >= size:
                    tray.hand_in()
            tray.hand_in()
        except _ClosedError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that takes the answers
            desk.fail(error)
        finally:
            desk.leave()

    workers = [threading.Thread(target=work, name=f"s3-reading-{n}") for n in range(threads)]
    started = []
    try:
        for worker in workers:
            worker.start()
            started.append(worker)
        yield from desk.answers()
    finally:
        desk.close()
        for worker in started:
            worker.join()


class _ClosedError(Exception):
    """Nobody takes answers any more."""


class _Desk(Generic[_Answer]):
    """Where threads put batches of answers, and wait while there are too many or too large ones."""

    def __init__(self, threads: int) -> None:
        self.closed = False
        self._changed = threading.Condition()
        self._batches: deque[tuple[list[_Answer], int]] = deque()
        self._reserved_bytes = 0
        self._threads = threads
        self._error: BaseException | None = None

    def reserve(self, size_bytes: int) -> None:
        with self._changed:
            while self._reserved_bytes and self._reserved_bytes + size_bytes > _RESERVABLE_BYTES:
                self._wait()
            self._reserved_bytes += size_bytes

    def put(self, batch: list[_Answer], reserved_bytes: int) -> None:
        with self._changed:
            while len(self._batches) >= _MOST_BATCHES:
                self._wait()
            self._batches.append((batch, reserved_bytes))
            if len(self._batches) == 1:
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

    def answers(self) -> Iterator[_Answer]:
        while True:
            with self._changed:
                while not self._batches and self._threads and not self._error:
                    self._changed.wait()
                if self._error:
                    raise self._error
                if not self._batches:
                    return
                batches = list(self._batches)
                self._batches.clear()
                if len(batches) >= _MOST_BATCHES:
                    self._changed.notify_all()
            for batch, reserved_bytes in batches:
                yield from batch
                if reserved_bytes:
                    batch.clear()
                    with self._changed:
                        self._reserved_bytes -= reserved_bytes
                        self._changed.notify_all()


class _Tray(Generic[_Answer]):
    """One thread's batch in the making, and the bytes that are reserved for it."""

    def __init__(self, desk: _Desk[_Answer]) -> None:
        self.batch: list[_Answer] = []
        self._desk = desk
        self._reserved_bytes = 0

    def reserve(self, size_bytes: int) -> None:
        if size_bytes < _LARGE_BYTES:
            return
        # Whoever waits must not keep others waiting for what it holds.
        self.hand_in()
        self._desk.reserve(size_bytes)
        self._reserved_bytes = size_bytes

    def hand_in(self) -> None:
        if self.batch or self._reserved_bytes:
            self._desk.put(self.batch, self._reserved_bytes)
            self.batch = []
            self._reserved_bytes = 0
