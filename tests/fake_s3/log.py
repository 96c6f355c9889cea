"""The log of what was asked and answered."""

from collections import Counter
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


class RequestLog:
    """Every request in the order of the answers; `enabled` switches it off."""

    def __init__(self) -> None:
        self.enabled = True
        self.requests: list[LoggedRequest] = []

    def add(self, request: Request, status: int, fault: Fault | None) -> None:
        if self.enabled:
            self.requests.append(
                LoggedRequest(
                    request.method, request.bucket, request.key, request.operation, status, fault
                )
            )

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
