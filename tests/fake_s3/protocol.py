"""One connection: HTTP/1.1 in, HTTP/1.1 out, one request after the other."""

import asyncio
import http
import socket
import struct
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future

from tests.fake_s3.bodies import ChunkedBody, LengthBody, body_of
from tests.fake_s3.faults import Fault, PlannedFault
from tests.fake_s3.operations import handle
from tests.fake_s3.requests import BadRequestError, Reply, Request, parse_head
from tests.fake_s3.store import FakeS3

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status} {status.phrase}\r\n" for status in http.HTTPStatus
}
_MAX_HEAD_BYTES = 65_536
_LARGE_BYTES = 1_048_576
_UNANSWERED = frozenset({Fault.TIMEOUT, Fault.RESET})
_PARTIAL = frozenset({Fault.CUT_SHORT, Fault.STALLED})


class Connection(asyncio.Protocol):
    """Answers one client's requests in their order, also when several are sent at once.

    Hooks and large bodies are left to the executor, so that other connections go on; everything
    else is done where it arrives.
    """

    def __init__(
        self,
        s3: FakeS3,
        *,
        executor: Executor,
        latency_s: Mapping[str, float],
        on_error: Callable[[BaseException], None],
        connections: set["Connection"],
    ) -> None:
        self._s3 = s3
        self._executor = executor
        self._latency_s = latency_s
        self._on_error = on_error
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._pending = b""
        self._request: Request | None = None
        self._body: LengthBody | ChunkedBody | None = None
        self._is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # type: ignore[explicit-override]  # new in Python 3.12
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # type: ignore[explicit-override]  # new in Python 3.12
        self._transport = None
        self._connections.discard(self)

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:  # type: ignore[explicit-override]  # new in Python 3.12
        if self._pending:
            data = self._pending + data
            self._pending = b""
        try:
            self._take(data)
        except BadRequestError:
            self._write(_rendered(Reply(400, "Connection: close\r\n")))
            self._close()

    def _take(self, data: bytes) -> None:
        """Take from the data what can be taken now, and keep the rest."""
        while data:
            if self._is_busy:
                self._pending = data
                if self._transport is not None:
                    self._transport.pause_reading()
                return
            if self._body is not None:
                rest = self._body.feed(data)
                if rest is None:
                    return
                data = rest
                self._finish_body()
                continue
            end = data.find(b"\r\n\r\n")
            if end < 0:
                if len(data) > _MAX_HEAD_BYTES:
                    raise BadRequestError("the headers do not end")
                self._pending = data
                return
            request = parse_head(data[:end].decode("utf-8", "surrogateescape"))
            data = data[end + 4 :]
            self._body = body_of(request.headers)
            if self._body is None:
                self._start(request)
            else:
                self._request = request
                if "expect" in request.headers:
                    self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _finish_body(self) -> None:
        request, body = self._request, self._body
        if request is None or body is None:
            raise AssertionError("a body without a request")
        request.body = body.content()
        self._request = self._body = None
        self._start(request)

    def _start(self, request: Request) -> None:
        """Call the hooks, choose the fault, then go on; busy until the answer is written."""
        self._is_busy = True
        if self._s3.plan.hooks:
            self._elsewhere(self._call_hooks, request, lambda _: self._admit(request))
        else:
            self._admit(request)

    def _call_hooks(self, request: Request) -> None:
        for hook in self._s3.plan.hooks_for(request):
            try:
                hook.callback(request)
            except BaseException as error:  # noqa: BLE001 - raised where the server is stopped
                self._on_error(error)

    def _admit(self, request: Request) -> None:
        planned = self._s3.plan.fault_for(request)
        fault = planned.fault if planned else None
        if fault in _UNANSWERED:
            self._s3.log.add(request, 0, fault)
            if fault is Fault.RESET:
                self._reset()
        elif planned and fault is Fault.LATE:
            self._loop.call_later(planned.delay_s, self._respond, request, planned)
        else:
            self._respond(request, planned)

    def _respond(self, request: Request, planned: PlannedFault | None) -> None:
        fault = planned.fault if planned else None
        if len(request.body) > _LARGE_BYTES:
            self._elsewhere(
                lambda asked: self._handle(asked, fault),
                request,
                lambda reply: self._deliver(request, reply, planned),
            )
        else:
            self._deliver(request, self._handle(request, fault), planned)

    def _handle(self, request: Request, fault: Fault | None) -> Reply:
        try:
            return handle(self._s3, request, fault)
        except Exception as error:  # noqa: BLE001 - raised where the server is stopped
            self._on_error(error)
            return Reply(500)

    def _deliver(self, request: Request, reply: Reply, planned: PlannedFault | None) -> None:
        """Write the answer as far as the fault lets it, after the delays."""
        delay_s = self._latency_s.get(request.operation, 0.0) if self._latency_s else 0.0
        if planned is None:
            self._s3.log.add(request, reply.status, None)
            if delay_s:
                self._loop.call_later(delay_s, self._complete, request, reply)
            else:
                self._complete(request, reply)
            return
        fault = planned.fault
        self._s3.log.add(request, 0 if fault is Fault.RESPONSE_LOST else reply.status, fault)
        if fault is Fault.RESPONSE_LOST:
            self._close()
        elif fault in _PARTIAL:
            self._write(_half(reply))
            if fault is Fault.CUT_SHORT:
                self._close()
        else:
            delay_s += planned.delay_s if fault is Fault.SLOW else 0.0
            self._loop.call_later(delay_s, self._complete, request, reply)

    def _complete(self, request: Request, reply: Reply) -> None:
        """Write the answer, and go on with what has arrived meanwhile."""
        self._is_busy = False
        if self._transport is None:
            return
        if len(reply.body) < _LARGE_BYTES:
            self._transport.write(_rendered(reply) + reply.body)
        else:
            self._transport.write(_rendered(reply))
            self._transport.write(memoryview(reply.body))
        if request.headers.get("connection", "").lower() == "close":
            self._close()
        elif self._pending:
            self._loop.call_soon(self._resume)

    def _resume(self) -> None:
        if self._transport is not None and not self._is_busy:
            self._transport.resume_reading()
            self.data_received(b"")

    def _elsewhere(
        self, work: Callable[[Request], object], request: Request, then: Callable[..., None]
    ) -> None:
        """Do the work in the executor, and go on here with its result."""

        def done(future: Future[object]) -> None:
            # A server that was stopped meanwhile has no loop to go on in.
            if not future.cancelled() and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(then, future.result())

        self._executor.submit(work, request).add_done_callback(done)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _close(self) -> None:
        """Close after what is written; what else arrives is not answered any more."""
        self._is_busy = True
        if self._transport is not None:
            self._transport.close()

    def _reset(self) -> None:
        if self._transport is not None:
            connected = self._transport.get_extra_info("socket")
            # Lingering for no time: closing sends RST instead of FIN.
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()


def _rendered(reply: Reply) -> bytes:
    """Return the status line and the headers as they are sent."""
    length = len(reply.body) if reply.length is None else reply.length
    if length < 0:
        return f"{_STATUS_LINES[reply.status]}{reply.head}\r\n".encode()
    return (f"{_STATUS_LINES[reply.status]}{reply.head}Content-Length: {length}\r\n\r\n").encode()


def _half(reply: Reply) -> bytes:
    """Return what is sent of an answer that breaks off: clients take a cut header for a whole."""
    if reply.body:
        return _rendered(reply) + reply.body[: len(reply.body) // 2]
    line = _STATUS_LINES[reply.status].encode()
    return line[: len(line) // 2]
