"""Requests and replies as plain data."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

_OF_OBJECTS = {
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
}
_OF_BUCKETS = {"HEAD": "HeadBucket", "PUT": "CreateBucket"}
_KNOWN_PARAMETERS = frozenset({"versionId", "x-id"})


class BadRequestError(Exception):
    """What arrives is not a request of HTTP/1.1."""


@dataclass(slots=True)
class Request:
    """One request: `operation` is S3's name for it, header names are in lower case."""

    method: str
    bucket: str
    key: str
    operation: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Reply:
    """One reply: `head` is its header lines without Content-Length, each ended by CRLF.

    `length` is the Content-Length where it is not that of the body (HEAD); negative for none.
    """

    status: int
    head: str = ""
    body: bytes = b""
    length: int | None = None


def parse_head(head: str) -> Request:
    """Read a request's first line and headers."""
    first, *lines = head.split("\r\n")
    method, _, rest = first.partition(" ")
    target, _, version = rest.partition(" ")
    if version != "HTTP/1.1" or not target.startswith("/"):
        raise BadRequestError(f"not a request: {first}")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    path, _, query_text = target.partition("?")
    bucket, _, key = (unquote(path) if "%" in path else path)[1:].partition("/")
    query = dict(parse_qsl(query_text, keep_blank_values=True)) if query_text else {}
    return Request(method, bucket, key, _operation(method, key, query, headers), query, headers)


def _operation(method: str, key: str, query: dict[str, str], headers: dict[str, str]) -> str:
    """Name the operation; NotImplemented rather than something similar that was not meant."""
    if key:
        foreign = query and any(
            name not in _KNOWN_PARAMETERS and not name.startswith("X-Amz-") for name in query
        )
        if foreign or "x-amz-copy-source" in headers:
            return "NotImplemented"
        return _OF_OBJECTS.get(method, "NotImplemented")
    if query:
        if method == "GET" and query.get("list-type") == "2":
            return "ListObjectsV2"
        return "DeleteObjects" if method == "POST" and "delete" in query else "NotImplemented"
    return _OF_BUCKETS.get(method, "NotImplemented")
