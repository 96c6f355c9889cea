"""What can go wrong with a request, and the plan of which requests it goes wrong with."""

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict, Unpack

from tests.fake_s3.requests import Request


class Fault(enum.Enum):
    """The fault model: every way in which a request can go wrong.

    The conditions of a conditional write are judged when the effect takes place.
    Where an answer has no body, half of its status line comes instead of half of the body.
    Those in HOSTILE are answers with a good status that do not say what they must; see `hostile`.
    """

    FAIL_BEFORE = "500 InternalError, no effect"
    FAIL_AFTER = "the effect takes place, then 500 InternalError"
    RESPONSE_LOST = "the effect takes place, then the connection is closed without an answer"
    THROTTLED = "503 SlowDown, no effect"
    CONFLICT = "409 ConditionalRequestConflict, no effect"
    SLOW = "the effect takes place at once, the answer comes after the delay"
    LATE = "the effect takes place after the delay, and then the answer comes"
    TIMEOUT = "no effect, never an answer, the connection stays open"
    RESET = "no effect, the connection is reset (RST)"
    CUT_SHORT = "the effect takes place, half the announced body comes, the connection is closed"
    STALLED = "the effect takes place, half the announced body comes, then nothing more"
    BAD_DIGEST = "400 BadDigest, no effect"
    INCOMPLETE_BODY = "400 IncompleteBody, no effect"
    SHA256_MISMATCH = "400 XAmzContentSHA256Mismatch, no effect"
    TIME_SKEWED = "403 RequestTimeTooSkewed, no effect"
    UNSUPPORTED = "501 NotImplemented, no effect"
    ERROR_WITH_200 = "no effect, 200 with an error document"
    HTML_WITH_200 = "no effect, 200 with a page for people, which is not XML"
    XHTML_WITH_200 = "no effect, 200 with a page for people, which is XML"
    STATIC_HTML = (
        "no effect, 200 with a page that has an ETag and a time, as a file of a web server"
    )
    EMPTY_WITH_200 = "no effect, 200 with nothing"
    HTML_AFTER = "the effect takes place, then 200 with a page for people"
    NO_ETAG = "the effect takes place, the answer has no ETag"
    WRONG_CHECKSUM = "the effect takes place, the answer has the checksum of something else"
    HALF_A_PAGE = "of a listing: half of the document, as if it were all"
    NO_TOKEN = "of a listing: more is said to follow, and not how to go on"
    EMPTY_TOKEN = "of a listing: more is said to follow, how to go on is empty"
    NO_IS_TRUNCATED = "of a listing: whether more follows is left out"
    ODD_IS_TRUNCATED = "of a listing: whether more follows is neither true nor false"
    EMPTY_TRUNCATED = "of a listing: no keys, but a token with which they come; nothing is wrong"
    LEADS_BACK = "of a listing: no keys, and the token that it was asked with"
    NO_KEYS = "of a listing: objects without their keys"
    NO_SIZES = "of a listing: objects without their sizes"
    NO_TIMES = "of a listing: objects without their times"
    NO_ETAGS = "of a listing: objects without their ETags"


ERROR_BEFORE = {
    Fault.FAIL_BEFORE: "InternalError",
    Fault.THROTTLED: "SlowDown",
    Fault.CONFLICT: "ConditionalRequestConflict",
    Fault.BAD_DIGEST: "BadDigest",
    Fault.INCOMPLETE_BODY: "IncompleteBody",
    Fault.SHA256_MISMATCH: "XAmzContentSHA256Mismatch",
    Fault.TIME_SKEWED: "RequestTimeTooSkewed",
    Fault.UNSUPPORTED: "NotImplemented",
}
"""Faults that are an error of S3's instead of the effect."""

INSTEAD = {
    Fault.ERROR_WITH_200,
    Fault.HTML_WITH_200,
    Fault.XHTML_WITH_200,
    Fault.STATIC_HTML,
    Fault.EMPTY_WITH_200,
}
"""Faults that are a good status and something else instead of the effect."""

OF_LISTINGS = {
    Fault.HALF_A_PAGE,
    Fault.NO_TOKEN,
    Fault.EMPTY_TOKEN,
    Fault.NO_IS_TRUNCATED,
    Fault.ODD_IS_TRUNCATED,
    Fault.EMPTY_TRUNCATED,
    Fault.LEADS_BACK,
    Fault.NO_KEYS,
    Fault.NO_SIZES,
    Fault.NO_TIMES,
    Fault.NO_ETAGS,
}
"""Faults that change the document of a listing, and nothing else."""

HOSTILE = INSTEAD | OF_LISTINGS | {Fault.HTML_AFTER, Fault.NO_ETAG, Fault.WRONG_CHECKSUM}
"""Faults that are answers with a good status."""


class Aim(TypedDict, total=False):
    """Which requests are meant; see `Match`."""

    operation: str | None
    bucket: str | None
    key: str | None
    where: Callable[[Request], bool] | None
    nth: int
    times: int | None


@dataclass(kw_only=True)
class Match:
    """Which requests are meant: all that fit, from the `nth` on (1 is the first), `times` of them.

    None fits everything, and as `times` is without end. `matched` counts the requests that fit,
    `fired` those that were meant.
    """

    operation: str | None = None
    bucket: str | None = None
    key: str | None = None
    where: Callable[[Request], bool] | None = None
    nth: int = 1
    times: int | None = 1
    matched: int = 0
    fired: int = 0

    def takes(self, request: Request) -> bool:
        """Count the request if it fits, and tell whether it is meant."""
        if (
            self.operation not in {None, request.operation}
            or self.bucket not in {None, request.bucket}
            or self.key not in {None, request.key}
            or (self.where is not None and not self.where(request))
        ):
            return False
        self.matched += 1
        meant = self.matched >= self.nth and (
            self.times is None or self.matched < self.nth + self.times
        )
        self.fired += meant
        return meant


@dataclass(kw_only=True)
class PlannedFault(Match):
    """A fault, and the requests that it happens to; `delay_s` for those that delay."""

    fault: Fault
    delay_s: float = 0.0


@dataclass(kw_only=True)
class Hook(Match):
    """Something to call before a request is handled, and the requests that it is called for."""

    callback: Callable[[Request], object]
    times: int | None = None


class Plan:
    """The faults and hooks that are to come; thread-safe.

    A request goes to the first fault that means it, but is counted by all.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._faults: tuple[PlannedFault, ...] = ()
        self.hooks: tuple[Hook, ...] = ()

    def add(self, fault: Fault, *, delay_s: float = 0.0, **aim: Unpack[Aim]) -> PlannedFault:
        """Plan a fault, once if not said otherwise. Tests assert that the result's `fired`."""
        planned = PlannedFault(fault=fault, delay_s=delay_s, **aim)
        with self._lock:
            self._faults = (*self._faults, planned)
        return planned

    def on_request(self, callback: Callable[[Request], object], **aim: Unpack[Aim]) -> Hook:
        """Call something before requests are handled, each one as far as nothing narrows it.

        The callback runs in a thread of its own and outside of the lock, so it may make requests
        itself; they count as requests. What it raises is raised where the server is stopped.
        """
        hook = Hook(callback=callback, **aim)
        with self._lock:
            self.hooks = (*self.hooks, hook)
        return hook

    def clear(self) -> None:
        """Forget all faults and hooks."""
        with self._lock:
            self._faults = ()
            self.hooks = ()

    def hooks_for(self, request: Request) -> list[Hook]:
        """Return the hooks that mean this request, in the order of their adding."""
        with self._lock:
            return [hook for hook in self.hooks if hook.takes(request)]

    def fault_for(self, request: Request) -> PlannedFault | None:
        """Return the fault that happens to this request."""
        if not self._faults:
            return None
        with self._lock:
            meant = [planned for planned in self._faults if planned.takes(request)]
        return meant[0] if meant else None
