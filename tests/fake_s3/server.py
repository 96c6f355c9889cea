"""The server: the store behind a port of the loopback interface, in a thread of this process."""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fake_s3.faults import Fault
from tests.fake_s3.operations import handle
from tests.fake_s3.requests import BadRequestError, Reply, Request, read_request
from tests.fake_s3.store import FakeS3

_HOST = "127.0.0.1"
_START_TIMEOUT_S = 10.0
_MAX_WORKERS = 64
_LARGE_BYTES = 1_048_576
# A client may open hundreds of connections at once, and waits a second where one is turned away.
_BACKLOG = 1_024


class Server:
    """Serves a store; `start` returns when requests are answered, `stop` when all is closed.

    Each client's requests are answered in their order, also when several are sent at once. Hooks
    and large bodies are left to threads, so that other connections go on; everything else is done
    where it arrives.

    Args:
        s3: The store; may be used directly at the same time.
        port: 0 for any that is free.
        latency_s: How long the answers to an operation wait, by the operation's name. Any number
            of them wait at once.
        certificate: A PEM file with its key, where it is to be talked to by TLS.

    """

    def __init__(
        self,
        s3: FakeS3,
        *,
        port: int = 0,
        latency_s: Mapping[str, float] | None = None,
        certificate: Path | None = None,
    ) -> None:
        self.s3 = s3
        self.errors: list[BaseException] = []
        self._latency_s = latency_s or {}
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if certificate else None
        if self._tls and certificate:
            self._tls.load_cert_chain(certificate)
        self._executor = ThreadPoolExecutor(_MAX_WORKERS, thread_name_prefix="fake-s3")
        self._conversations: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake-s3", daemon=True)
        self._socket = socket.create_server((_HOST, port))
        self.port = int(self._socket.getsockname()[1])

    @property
    def endpoint_url(self) -> str:
        """What clients take as the endpoint's URL, with addressing by path."""
        return f"{'https' if self._tls else 'http'}://{_HOST}:{self.port}"

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
        listening = await asyncio.start_server(
            self._converse, sock=self._socket, ssl=self._tls, backlog=_BACKLOG
        )
        self._ready.set()
        await self._stopping.wait()
        listening.close()
        # Again in each turn of the loop: one may have been accepted just before.
        while self._conversations:
            for conversation in tuple(self._conversations):
                conversation.cancel()
            await asyncio.sleep(0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until either ends the connection."""
        conversation = asyncio.current_task()
        if conversation is None:
            raise AssertionError("this is run as a task")
        self._conversations.add(conversation)
        try:
            while request := await read_request(reader, writer):
                if not await self._answer(request, reader, writer):
                    break
        except BadRequestError:
            writer.write(Reply(400, "Connection: close\r\n").rendered_head())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._conversations.discard(conversation)
            writer.close()

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Call the hooks, choose the fault, and answer as far as it lets; whether it goes on."""
        if self.s3.plan.hooks:
            await self._elsewhere(self._call_hooks, request)
        planned = self.s3.plan.fault_for(request)
        fault, delay_s = (planned.fault, planned.delay_s) if planned else (None, 0.0)
        if fault is Fault.TIMEOUT or fault is Fault.RESET:
            self.s3.log.add(request, 0, fault)
            if fault is Fault.RESET:
                _reset(writer)
            await reader.read()  # until the client ends it
            return False
        if fault is Fault.LATE:
            await asyncio.sleep(delay_s)
        if len(request.body) > _LARGE_BYTES:
            reply = await self._elsewhere(self._handle, request, fault)
        else:
            reply = self._handle(request, fault)
        self.s3.log.add(request, 0 if fault is Fault.RESPONSE_LOST else reply.status, fault)
        if fault is Fault.RESPONSE_LOST:
            return False
        if fault is Fault.CUT_SHORT or fault is Fault.STALLED:
            writer.write(reply.half())
            if fault is Fault.STALLED:
                await reader.read()
            return False
        latency_s = self._latency_s.get(request.operation, 0.0)
        if fault is Fault.SLOW:
            latency_s += delay_s
        if latency_s:
            await asyncio.sleep(latency_s)
        writer.write(reply.rendered_head() + reply.body)
        return request.headers.get("connection", "").lower() != "close"

    async def _elsewhere(self, work: Callable[..., Reply], *arguments: object) -> Reply:
        """Do the work in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    def _call_hooks(self, request: Request) -> Reply:
        for hook in self.s3.plan.hooks_for(request):
            try:
                hook.callback(request)
            except BaseException as error:  # noqa: BLE001 - raised where the server is stopped
                self.errors.append(error)
        return Reply(200)

    def _handle(self, request: Request, fault: Fault | None) -> Reply:
        try:
            return handle(self.s3, request, fault)
        except Exception as error:  # noqa: BLE001 - raised where the server is stopped
            self.errors.append(error)
            return Reply(500)


def _reset(writer: asyncio.StreamWriter) -> None:
    connected = writer.get_extra_info("socket")
    # Lingering for no time: closing sends RST instead of FIN.
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.contextmanager
def serve(
    s3: FakeS3,
    *,
    port: int = 0,
    latency_s: Mapping[str, float] | None = None,
    certificate: Path | None = None,
) -> Iterator[Server]:
    """Serve a store while the block runs; then raise what a hook raised, if the block did not."""
    server = Server(s3, port=port, latency_s=latency_s, certificate=certificate)
    server.start()
    try:
        yield server
    finally:
        server.stop()
    if server.errors:
        raise server.errors[0]
