"""Several runs at work at once, one step at a time, in an order that the test decides."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Scheduler:
    """Runs functions in threads of which only one is ever at work.

    Each pauses at every `step`; the next to go on is the next that the schedule names. When the
    schedule is at its end, those that are left finish one after the other.
    """

    def __init__(self) -> None:
        self._workers: dict[int, _Worker] = {}

    def step(self, _call: str) -> None:
        """Pause the calling worker until it is its turn again; nothing outside of workers."""
        worker = self._workers.get(threading.get_ident())
        if worker is not None:
            worker.pause()

    def run(
        self, functions: Iterable[Callable[[], _Result]], schedule: Iterable[int]
    ) -> list[_Result | BaseException]:
        """Return what each function returned or raised."""
        workers = [_Worker(function, self._workers) for function in functions]
        for number in schedule:
            workers[number % len(workers)].go_on()
        for worker in workers:
            while worker.go_on():
                pass
        return [worker.result for worker in workers]


class _Worker:
    def __init__(self, function: Callable[[], object], workers: dict[int, "_Worker"]) -> None:
        self._function = function
        self._workers = workers
        self._turn = threading.Semaphore(0)
        self._paused = threading.Semaphore(0)
        self._is_done = False
        self.result: Any = None
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def go_on(self) -> bool:
        """Let it work until its next step; return whether it has more to do."""
        if not self._is_done:
            self._turn.release()
            self._paused.acquire()
        if self._is_done:
            self._thread.join()
        return not self._is_done

    def pause(self) -> None:
        self._paused.release()
        self._turn.acquire()

    def _work(self) -> None:
        self._turn.acquire()
        self._workers[threading.get_ident()] = self
        try:
            self.result = self._function()
        except BaseException as error:  # noqa: BLE001 - it is the result
            self.result = error
        finally:
            del self._workers[threading.get_ident()]
            self._is_done = True
            self._paused.release()
