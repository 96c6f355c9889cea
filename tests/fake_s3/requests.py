"""Requests and replies as plain data, and how they are read from and written to a connection."""

import asyncio
import http
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

_OF_OBJECTS = {
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
}
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status} {status.phrase}\r\n" for status in http.HTTPStatus
}


class BadRequestError(Exception):
    """What arrives is not a request of HTTP/1.1, or has a body of no known length."""


@dataclass(slots=True)
class Request:
    """One request: `operation` is S3's name for it, header names are in lower case.

    `target` is what it asks for as it was sent; as a proxy is asked, with the server's name.
    """

    method: str
    bucket: str
    key: str
    operation: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    target: str = ""


@dataclass(slots=True)
class Reply:
    """One reply: `head` is its header lines without Content-Length, each ended by CRLF.

    `length` is the Content-Length where it is not that of the body (HEAD); negative for none.
    """

    status: int
    head: str = ""
    body: bytes = b""
    length: int | None = None

    def rendered_head(self) -> bytes:
        """Return the status line and the headers as they are sent."""
        length = len(self.body) if self.length is None else self.length
        last = f"Content-Length: {length}\r\n" if length >= 0 else ""
        return f"{_STATUS_LINES[self.status]}{self.head}{last}\r\n".encode()

    def half(self) -> bytes:
        """Return what is sent when it breaks off: clients take a cut header for a whole."""
        if self.body:
            return self.rendered_head() + self.body[: len(self.body) // 2]
        line = _STATUS_LINES[self.status].encode()
        return line[: len(line) // 2]


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Request | None:
    """Wait for the next request on a connection; None where the client has ended it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequestError("the headers do not end") from error
    request = _parsed(head[:-4].decode("utf-8", "surrogateescape"))
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or "transfer-encoding" in request.headers:
        raise BadRequestError("not a length that is known beforehand")
    if length != "0":
        if "expect" in request.headers:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = await reader.readexactly(int(length))
    return request


def _parsed(head: str) -> Request:
    """Read a request's first line and headers."""
    first, *lines = head.split("\r\n")
    method, _, rest = first.partition(" ")
    target, _, version = rest.partition(" ")
    if version != "HTTP/1.1" or not target.startswith(("/", "http://")):
        raise BadRequestError(f"not a request: {first}")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    own = target if target.startswith("/") else "/" + target.split("/", 3)[3]
    path, _, query_text = own.partition("?")
    bucket, _, key = (unquote(path) if "%" in path else path)[1:].partition("/")
    query = dict(parse_qsl(query_text, keep_blank_values=True)) if query_text else {}
    operation = _operation(method, key, query, headers)
    return Request(method, bucket, key, operation, query, headers, target=target)


def _operation(method: str, key: str, query: dict[str, str], headers: dict[str, str]) -> str:
    """Name the operation; NotImplemented rather than something similar that was not meant."""
    if key:
        foreign = any(name != "x-id" and not name.startswith("X-Amz-") for name in query)
        if foreign or "x-amz-copy-source" in headers or "content-encoding" in headers:
            return "NotImplemented"
        return _OF_OBJECTS.get(method, "NotImplemented")
    if method == "GET" and query.get("list-type") == "2":
        return "ListObjectsV2"
    return "HeadBucket" if method == "HEAD" and not query else "NotImplemented"
