"""moto's server, in a thread of this process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

from moto.server import ThreadedMotoServer


@contextmanager
def serving_moto() -> Iterator[str]:
    """Serve on a free port of the loopback interface, and give the address."""
    # It logs every request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
        # It only ends its loop by itself.
        assert server._server is not None
        server._server.server_close()


def empty_moto(endpoint_url: str) -> None:
    """Remove everything that was made at this server."""
    with urlopen(Request(f"{endpoint_url}/moto-api/reset", method="POST")):
        pass
