"""A small Runtime API server: what a function in Lambda gets its invocations from."""

import json
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

__all__ = ["Outcome", "RuntimeApi", "serve_runtime_api"]

_ROOT = "/2018-06-01/runtime/"
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:event-log-checkpoint:1"


@dataclass(frozen=True)
class Outcome:
    """How an invocation, or the start, ended: `response`, `error` or `init/error`."""

    kind: str
    document: Any


class RuntimeApi:
    """Hands out invocations one at a time and takes their ends; `started` is set by the first."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.address = ""
        self.waiting: queue.Queue[tuple[str, bytes, float]] = queue.Queue()
        self.ended: queue.Queue[Outcome] = queue.Queue()
        self._number = 0

    def begin(self, event: object, *, remaining_s: float) -> None:
        """Begin an invocation."""
        self._number += 1
        request_id = f"11111111-2222-3333-4444-{self._number:012d}"
        self.waiting.put((request_id, json.dumps(event).encode(), remaining_s))

    def invoke(self, event: object, *, remaining_s: float, timeout_s: float = 60.0) -> Outcome:
        """Invoke once. Raises queue.Empty when there is no end in time."""
        self.begin(event, remaining_s=remaining_s)
        return self.ended.get(timeout=timeout_s)


@contextmanager
def serve_runtime_api() -> Iterator[RuntimeApi]:
    """Serve on a free port of the loopback interface; `address` is for AWS_LAMBDA_RUNTIME_API."""
    api = RuntimeApi()
    server = _Server(("127.0.0.1", 0), _handler_of(api))
    api.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """A server whose client may be killed at any time."""

    daemon_threads = True

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler_of(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Hand out the next invocation; without one the function waits, frozen in Lambda."""
            api.started.set()
            request_id, event, remaining_s = api.waiting.get()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(event)))
            self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
            deadline_ms = round((time.time() + remaining_s) * 1000)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline_ms))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", _ARN)
            self.end_headers()
            self.wfile.write(event)

        def do_POST(self) -> None:
            """Take how an invocation, or the start, ended."""
            path = self.path.removeprefix(_ROOT)
            body = self._body()
            kind = "init/error" if path.startswith("init/") else path.rpartition("/")[2]
            api.ended.put(Outcome(kind, json.loads(body)))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
