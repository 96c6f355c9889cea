"""GET requests through libcurl: many at a time, signed, and sent the way that boto3 would send them.

libcurl signs by itself, keeps connections, and takes half the processor time of a client that asks
for each object in a thread of its own. What goes wrong is not looked into here: whoever asks does
so again through boto3, which knows what it means.
"""

from __future__ import annotations

import re
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

import pycurl
from msgspec import Struct

from checkpoint_storage._version import __version__
from checkpoint_storage.s3._errors import raw_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from botocore.credentials import Credentials, ReadOnlyCredentials

# libcurl takes such parts out of a path, with what they mean to a file system.
_DOTS: Final = re.compile(r"(?:^|/)\.\.?(?:/|$)")
LARGEST_BYTES: Final = 16_384
"""Of a larger object there is no answer: so many at a time could be more than fits memory."""
_LARGEST_PAGE_BYTES: Final = 64 * 1024 * 1024
# libcurl waits for descriptors by `select`, which knows a thousand.
_MOST_AT_ONCE: Final = 512
# How often the clock is looked at while nothing comes.
_LONGEST_WAIT_S: Final = 1.0
_MOST_IDLE: Final = 64


class Server(Struct, frozen=True, kw_only=True):
    """Where requests for a bucket go, and how.

    `url` is the bucket's, without a slash at its end; `authorities` the file of the certificates
    that are trusted; `proxy` the URL of a proxy, empty for none.
    """

    url: str
    region: str
    authorities: str
    proxy: str
    connect_timeout_s: float
    timeout_s: float


class Answer(Struct, frozen=True):
    """What came of a request.

    `status` is 0 where it has no answer, or none that is whole; `modified_at` is in seconds since
    1970, negative where the answer does not say it.
    """

    status: int = 0
    head: bytes = b""
    body: bytes = b""
    modified_at: int = -1

    def header(self, name: bytes) -> str:
        """Return a header's value, empty where there is none; the name is in lower case."""
        # Answers of a proxy, and preliminary ones, come before it.
        last = self.head[self.head.rfind(b"\nHTTP/") + 1 :]
        start = last.lower().find(b"\n%b:" % name) + len(name) + 2
        if start < len(name) + 2:
            return ""
        return last[start : last.find(b"\n", start)].strip().decode("latin-1")


def is_askable(key: str) -> bool:
    """Whether an object of this key can be asked for through libcurl."""
    return not _DOTS.search(key)


class _Exchange:
    """One request at a time; what comes is taken by code that no signal can interrupt."""

    def __init__(self, server: Server, largest_bytes: int) -> None:
        self.handle = pycurl.Curl()
        self.key = ""
        self._head: list[bytes] = []
        self._body: list[bytes] = []
        self._signed_by: ReadOnlyCredentials | None = None
        for option, value in (
            (pycurl.AWS_SIGV4, f"aws:amz:{server.region}:s3"),
            (pycurl.CAINFO, server.authorities),
            (pycurl.PROXY_CAINFO, server.authorities),
            (pycurl.CONNECTTIMEOUT_MS, int(server.connect_timeout_s * 1000)),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.MAXFILESIZE, largest_bytes),
            (pycurl.NOSIGNAL, 1),
            (pycurl.OPT_FILETIME, 1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            # Both said here, or libcurl would look into the environment in its own way.
            (pycurl.PROXY, server.proxy),
            (pycurl.NOPROXY, ""),
            (pycurl.TIMEOUT_MS, int(server.timeout_s * 1000)),
            (pycurl.USERAGENT, f"nacc-checkpoint-storage/{__version__}"),
            (pycurl.HEADERFUNCTION, self._head.append),
            (pycurl.WRITEFUNCTION, self._body.append),
        ):
            self.handle.setopt(option, value)

    def aim(self, url: str, credentials: ReadOnlyCredentials) -> None:
        """Let it ask for a URL next."""
        self._head.clear()
        self._body.clear()
        self.handle.setopt(pycurl.URL, url)
        if credentials != self._signed_by:
            with raw_failures():
                self.handle.setopt(pycurl.USERNAME, (credentials.access_key or "").encode())
                self.handle.setopt(pycurl.PASSWORD, (credentials.secret_key or "").encode())
                # An empty list would leave the one before.
                self.handle.unsetopt(pycurl.HTTPHEADER)
                if credentials.token:
                    token = f"x-amz-security-token: {credentials.token}"
                    self.handle.setopt(pycurl.HTTPHEADER, [token.encode()])
            self._signed_by = credentials

    def answer(self) -> Answer:
        """Return what came."""
        body = b"".join(self._body)
        told = self.handle.getinfo
        status = told(pycurl.RESPONSE_CODE)
        # S3 tells the length of what was asked for, not always that of a refusal.
        if status == 200 and told(pycurl.CONTENT_LENGTH_DOWNLOAD_T) != len(body):
            return Answer()
        return Answer(status, b"".join(self._head), body, told(pycurl.INFO_FILETIME))


class _Crowd:
    """Exchanges with one server that go on at the same time, in one thread."""

    def __init__(self, server: Server, largest_bytes: int) -> None:
        self._server = server
        self._largest_bytes = largest_bytes
        self._multi = pycurl.CurlMulti()
        self._idle: list[_Exchange] = []
        self._busy: dict[pycurl.Curl, _Exchange] = {}

    def __len__(self) -> int:
        return len(self._busy)

    def ask(self, key: str, url: str, credentials: ReadOnlyCredentials) -> None:
        exchange = self._idle.pop() if self._idle else _Exchange(self._server, self._largest_bytes)
        exchange.aim(url, credentials)
        exchange.key = key
        # First, so that `stop` finds whatever is under way.
        self._busy[exchange.handle] = exchange
        self._multi.add_handle(exchange.handle)

    def wait(self, longest_s: float = _LONGEST_WAIT_S) -> None:
        """Wait until something has come, never so long that a signal would be noticed too late."""
        longest_s = min(longest_s, _LONGEST_WAIT_S)
        soonest_s = self._multi.timeout() / 1000
        self._multi.select(min(soonest_s, longest_s) if soonest_s >= 0 else longest_s)

    def take(self) -> list[tuple[str, Answer]]:
        """Go on with all that can go on; return the keys that have answers now, and these."""
        self._multi.perform()
        taken = []
        more = 1
        while more:
            more, ended, failed = self._multi.info_read()
            for handle in ended:
                exchange = self._free(handle)
                taken.append((exchange.key, exchange.answer()))
            taken += [(self._free(handle).key, Answer()) for handle, _, _ in failed]
        return taken

    def stop(self) -> None:
        """End what is under way, also after an interruption at any point."""
        for handle in tuple(self._busy):
            self._free(handle)

    def _free(self, handle: pycurl.Curl) -> _Exchange:
        if handle in self._multi:
            self._multi.remove_handle(handle)
        exchange = self._busy.pop(handle)
        self._idle.append(exchange)
        return exchange


class FastClient:
    """Asks for a bucket's objects and pages, for each once; may be shared by threads.

    Raises what is in FAILURES where there is nothing to sign with.
    """

    def __init__(self, server: Server, credentials: Credentials) -> None:
        self.server = server
        self._credentials = credentials
        # With their connections, for whoever asks next.
        self._of_pages = deque[_Crowd](maxlen=_MOST_IDLE)
        self._of_objects = deque[_Crowd](maxlen=1)

    def page(self, query: Mapping[str, str]) -> Answer:
        """Ask the bucket, and wait for the answer."""
        with self._crowd(self._of_pages, _LARGEST_PAGE_BYTES) as crowd:
            crowd.ask(
                "", f"{self.server.url}?{urlencode(query, quote_via=quote)}", self._signature()
            )
            while not (taken := crowd.take()):
                crowd.wait()
        return taken[0][1]

    def objects(
        self, keys: Sequence[str], *, at_once: int, remaining_s: Callable[[], float]
    ) -> Generator[tuple[str, Answer]]:
        """Ask for objects, so many `at_once`, and yield each key with what came, in any order.

        Of what is larger than LARGEST_BYTES nothing comes. When no time is left, what has come
        is yielded and the iterator ends; then, or when it is closed, no request is under way.
        """
        waiting = iter(keys)
        at_once = min(at_once, _MOST_AT_ONCE)
        with self._crowd(self._of_objects, LARGEST_BYTES) as crowd:
            while (left_s := remaining_s()) > 0:
                signature = self._signature()
                while len(crowd) < at_once and (key := next(waiting, None)) is not None:
                    crowd.ask(key, f"{self.server.url}/{quote(key, safe='/~')}", signature)
                if not len(crowd):
                    return
                taken = crowd.take()
                yield from taken
                if not taken:
                    crowd.wait(left_s)
            yield from crowd.take()

    @contextmanager
    def _crowd(self, idle: deque[_Crowd], largest_bytes: int) -> Iterator[_Crowd]:
        try:
            crowd = idle.pop()
        except IndexError:
            crowd = _Crowd(self.server, largest_bytes)
        try:
            yield crowd
        finally:
            crowd.stop()
            idle.append(crowd)

    def _signature(self) -> ReadOnlyCredentials:
        with raw_failures():
            return self._credentials.get_frozen_credentials()
