"""The log of what was asked and answered."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from tests.fake_s3.faults import Fault
from tests.fake_s3.requests import Request


class LoggedRequest(NamedTuple):
    """A request that was answered; `status` 0 where the fault left it without an answer."""

    method: str
    bucket: str
    key: str
    operation: str
    status: int
    fault: Fault | None


_PATIENCE_S = 30.0


class RequestLog:
    """Every request in the order of the answers; `enabled` switches it off.

    A request is logged after its effect took place, also when nobody waits for the answer.
    """

    def __init__(self) -> None:
        self.enabled = True
        self.requests: list[LoggedRequest] = []
        self._added = threading.Condition()

    def add(self, request: Request, status: int, fault: Fault | None) -> None:
        if self.enabled:
            logged = LoggedRequest(
                request.method, request.bucket, request.key, request.operation, status, fault
            )
            with self._added:
                self.requests.append(logged)
                self._added.notify_all()

    def wait_for(self, is_there: Callable[[], bool]) -> None:
        """Return when the log is as wanted; it is looked at again with every request."""
        with self._added:
            if not self._added.wait_for(is_there, _PATIENCE_S):
                raise TimeoutError("what is waited for was not asked")

    def clear(self) -> None:
        self.requests = []

    def operations(self) -> dict[str, int]:
        """Return how many requests there were of each operation."""
        return dict(Counter(request.operation for request in list(self.requests)))

    def count(
        self,
        operation: str | None = None,
        *,
        bucket: str | None = None,
        key: str | None = None,
        status: int | None = None,
    ) -> int:
        """Return how many requests there were of this kind."""
        return sum(
            operation in (None, request.operation)
            and bucket in (None, request.bucket)
            and key in (None, request.key)
            and status in (None, request.status)
            for request in list(self.requests)
        )
