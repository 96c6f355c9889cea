"""The server: the store behind a port of the loopback interface, in a thread of this process."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from tests.fake_s3.protocol import Connection
from tests.fake_s3.store import FakeS3

_HOST = "127.0.0.1"
_START_TIMEOUT_S = 10.0
_MAX_WORKERS = 64


class Server:
    """Serves a store; `start` returns when requests are answered, `stop` when all is closed.

    Args:
        s3: The store; may be used directly at the same time.
        port: 0 for any that is free.
        latency_s: How long the answers to an operation wait, by the operation's name. Any number
            of them wait at once.

    """

    def __init__(
        self, s3: FakeS3, *, port: int = 0, latency_s: Mapping[str, float] | None = None
    ) -> None:
        self.s3 = s3
        self.errors: list[BaseException] = []
        self._latency_s = {name: delay for name, delay in (latency_s or {}).items() if delay}
        self._executor = ThreadPoolExecutor(_MAX_WORKERS, thread_name_prefix="fake-s3")
        self._connections: set[Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake-s3", daemon=True)
        self._socket = socket.create_server((_HOST, port), backlog=1024)
        self.port = int(self._socket.getsockname()[1])

    @property
    def endpoint_url(self) -> str:
        """What clients take as the endpoint's URL, with addressing by path."""
        return f"http://{_HOST}:{self.port}"

    def start(self) -> None:
        """Start answering."""
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT_S):
            raise TimeoutError("the server does not start")

    def stop(self) -> None:
        """Cut all connections, and return when nothing of the server is left."""
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        listening = await self._loop.create_server(self._connect, sock=self._socket)
        self._ready.set()
        await self._stopping.wait()
        listening.close()
        # Again in each turn of the loop: one may have been accepted just before.
        while self._connections:
            for connection in tuple(self._connections):
                connection.abort()
            await asyncio.sleep(0)

    def _connect(self) -> Connection:
        return Connection(
            self.s3,
            executor=self._executor,
            latency_s=self._latency_s,
            on_error=self.errors.append,
            connections=self._connections,
        )


@contextlib.contextmanager
def serve(
    s3: FakeS3, *, port: int = 0, latency_s: Mapping[str, float] | None = None
) -> Iterator[Server]:
    """Serve a store while the block runs; then raise what a hook raised, if the block did not."""
    server = Server(s3, port=port, latency_s=latency_s)
    server.start()
    try:
        yield server
    finally:
        server.stop()
    if server.errors:
        raise server.errors[0]
