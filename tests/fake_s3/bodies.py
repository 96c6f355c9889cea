"""Bodies of requests: read from the connection without being copied twice, and checked."""

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping

from tests.fake_s3.errors import S3Error
from tests.fake_s3.requests import BadRequestError

_DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "content-md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "x-amz-checksum-crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "x-amz-checksum-sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "x-amz-checksum-sha256": lambda data: hashlib.sha256(data).digest(),
}


class LengthBody:
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        self._missing = length
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> bytes | None:
        """Take what belongs to the body; return what follows it, or None while it goes on."""
        if len(data) < self._missing:
            self._missing -= len(data)
            self._pieces.append(data)
            return None
        self._pieces.append(data[: self._missing])
        rest = data[self._missing :]
        self._missing = 0
        return rest

    def content(self) -> bytes:
        return b"".join(self._pieces)


class ChunkedBody:
    """A body in the chunks of HTTP/1.1, until the empty one and its trailers."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._line = b""
        self._missing = 0
        self._ends = False

    def feed(self, data: bytes) -> bytes | None:
        """Take what belongs to the body; return what follows it, or None while it goes on."""
        while True:
            if self._missing:
                piece = data[: self._missing]
                self._pieces.append(piece)
                self._missing -= len(piece)
                data = data[len(piece) :]
                if self._missing:
                    return None
            line, ended, data = (self._line + data).partition(b"\r\n")
            if not ended:
                self._line = line
                return None
            self._line = b""
            if self._ends:
                if not line:
                    return data
            elif line:
                self._missing = _hexadecimal(line)
                self._ends = self._missing == 0

    def content(self) -> bytes:
        return b"".join(self._pieces)


def body_of(headers: Mapping[str, str]) -> LengthBody | ChunkedBody | None:
    """Return what reads the body that the headers announce, None where they announce none."""
    if "transfer-encoding" in headers:
        return ChunkedBody()
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise BadRequestError(f"not a length: {length}")
    return LengthBody(int(length)) if length != "0" else None


def _hexadecimal(line: bytes) -> int:
    """Return the length that a chunk's first line announces."""
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError as error:
        raise BadRequestError("not a chunk's length") from error


def decoded(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the content of an object's body: without aws-chunked framing, with intact checksums.

    Raises S3Error BadDigest where the content does not have a checksum that came with it. Of the
    checksums CRC32, SHA-1, SHA-256 and Content-MD5 are checked; signatures of chunks are not.
    """
    stated = {name: headers[name] for name in _DIGESTS if name in headers}
    if headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        body, trailers = _without_chunks(body)
        stated.update((name, trailers[name]) for name in _DIGESTS if name in trailers)
        if int(headers.get("x-amz-decoded-content-length", len(body))) != len(body):
            raise S3Error("BadDigest")
    for name, value in stated.items():
        if base64.b64encode(_DIGESTS[name](body)).decode() != value:
            raise S3Error("BadDigest", elements={"Checksum": name})
    return body


def _without_chunks(body: bytes) -> tuple[bytes, dict[str, str]]:
    """Split an aws-chunked body into its content and its trailers."""
    view, pieces, position = memoryview(body), [], 0
    try:
        while True:
            line_end = body.index(b"\r\n", position)
            size = _hexadecimal(body[position:line_end])
            position = line_end + 2
            if size == 0:
                break
            pieces.append(view[position : position + size])
            position += size
            if body[position : position + 2] != b"\r\n":
                raise S3Error("BadDigest")
            position += 2
    except (ValueError, BadRequestError) as error:
        raise S3Error("BadDigest") from error
    trailers = {}
    for line in body[position:].decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        trailers[name.strip().lower()] = value.strip()
    return b"".join(pieces), trailers
