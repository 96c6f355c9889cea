"""A small Runtime API server: what a function in Lambda gets its invocations from."""

import json
import logging
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, request
from werkzeug.serving import make_server

__all__ = ["Outcome", "RuntimeApi", "serve_runtime_api"]

_ROOT = "/2018-06-01/runtime"
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

    def invoke(self, event: object, *, remaining_s: float, timeout_s: float = 60.0) -> Outcome:
        """Invoke once. Raises queue.Empty when there is no end in time."""
        self._number += 1
        request_id = f"11111111-2222-3333-4444-{self._number:012d}"
        self.waiting.put((request_id, json.dumps(event).encode(), remaining_s))
        return self.ended.get(timeout=timeout_s)


@contextmanager
def serve_runtime_api() -> Iterator[RuntimeApi]:
    """Serve on a free port of the loopback interface; `address` is for AWS_LAMBDA_RUNTIME_API."""
    # It logs every request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    api = RuntimeApi()
    server = make_server("127.0.0.1", 0, _application(api), threaded=True)
    api.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _application(api: RuntimeApi) -> Flask:
    application = Flask(__name__)

    @application.get(f"{_ROOT}/invocation/next")
    def hand_out() -> Response:
        """Hand out the next invocation; without one the function waits, frozen in Lambda."""
        api.started.set()
        request_id, event, remaining_s = api.waiting.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(round((time.time() + remaining_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": _ARN,
        }
        return Response(event, headers=headers, content_type="application/json")

    @application.post(f"{_ROOT}/invocation/<_request_id>/<kind>")
    def take(_request_id: str, kind: str) -> tuple[str, int]:
        """Take how an invocation ended."""
        api.ended.put(Outcome(kind, json.loads(request.get_data())))
        return "", 202

    @application.post(f"{_ROOT}/init/error")
    def take_failure() -> tuple[str, int]:
        """Take how a start failed."""
        return take("", "init/error")

    return application
