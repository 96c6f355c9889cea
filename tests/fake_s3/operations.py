"""S3's REST interface: from a request to what the store does, and back to a reply."""

import base64
import hashlib
import itertools
import re
import zlib
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from tests.fake_s3.errors import S3Error
from tests.fake_s3.faults import ERROR_BEFORE, HOSTILE, INSTEAD, OF_LISTINGS, Fault
from tests.fake_s3.hostile import changed, instead
from tests.fake_s3.listing import page_document
from tests.fake_s3.objects import StoredObject, http_date
from tests.fake_s3.requests import Reply, Request
from tests.fake_s3.store import FakeS3

_request_ids = itertools.count(1)
_XML = "Content-Type: application/xml\r\n"
_ENCRYPTION = "x-amz-server-side-encryption"
_DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "x-amz-checksum-crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "x-amz-checksum-sha256": lambda data: hashlib.sha256(data).digest(),
}
"""The checksums that are checked where they come with a body."""


def handle(s3: FakeS3, request: Request, fault: Fault | None) -> Reply:
    """Let the effect take place, unless the fault prevents it, and return the answer."""
    try:
        if request.operation != "NotImplemented":
            _check_region(s3, request)
        if fault in ERROR_BEFORE:
            return _error_reply(request, S3Error(ERROR_BEFORE[fault]))
        if fault in INSTEAD:
            return instead(fault, request)
        reply = _OPERATIONS[request.operation](s3, request)
    except S3Error as error:
        reply = _error_reply(request, error)
    if fault is Fault.FAIL_AFTER:
        return _error_reply(request, S3Error("InternalError"))
    is_listing = request.operation == "ListObjectsV2"
    if fault in HOSTILE and (is_listing or fault not in OF_LISTINGS):
        return changed(fault, request, reply)
    return reply


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


def _error_reply(request: Request, error: S3Error) -> Reply:
    head = _XML + f"x-amz-request-id: {next(_request_ids):016X}\r\n"
    head += _lines(error.headers)
    if error.status == 304:
        return Reply(304, head, length=-1)
    if request.method == "HEAD":
        return Reply(error.status, head, length=0)
    elements = {"Code": error.code, "Message": error.message, **error.elements}
    elements["Resource"] = f"/{request.bucket}/{request.key}"
    body = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items())
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{body}</Error>'.encode()
    # As S3 does, whose errors do not say how long they are.
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(document), document)
    return Reply(error.status, head + "Transfer-Encoding: chunked\r\n", chunks, length=-1)


def _check_region(s3: FakeS3, request: Request) -> None:
    bucket = s3.bucket(request.bucket)
    if bucket.region is None:
        return
    signed = re.search(r"Credential=[^/]+/\d+/([^/]+)/", request.headers.get("authorization", ""))
    if signed and signed[1] != bucket.region:
        raise S3Error(
            "AuthorizationHeaderMalformed",
            headers={"x-amz-bucket-region": bucket.region} if bucket.region_in_headers else {},
            elements={"Region": bucket.region, "Bucket": bucket.name},
        )


def _get_object(s3: FakeS3, request: Request) -> Reply:
    headers = request.headers
    stored = s3.get_object(
        request.bucket,
        request.key,
        if_match=headers.get("if-match"),
        if_none_match=headers.get("if-none-match"),
    )
    if "range" in headers:
        size = len(stored.data)
        part = _byte_range(headers["range"], size)
        if part is not None:
            content_range = f"Content-Range: bytes {part.start}-{part.stop - 1}/{size}\r\n"
            return Reply(206, _object_head(s3, stored) + content_range, stored.data[part])
    return Reply(200, _object_head(s3, stored), stored.data)


def _head_object(s3: FakeS3, request: Request) -> Reply:
    stored = s3.head_object(
        request.bucket,
        request.key,
        if_match=request.headers.get("if-match"),
        if_none_match=request.headers.get("if-none-match"),
    )
    return Reply(200, _object_head(s3, stored), length=len(stored.data))


def _object_head(s3: FakeS3, stored: StoredObject) -> str:
    """Return the header lines of an object."""
    lines = {
        "Accept-Ranges": "bytes",
        "content-type": "binary/octet-stream",
        "ETag": f'"{stored.etag}"',
        "Last-Modified": http_date(stored.last_modified),
    }
    lines |= stored.headers
    if stored.storage_class != "STANDARD":
        lines["x-amz-storage-class"] = stored.storage_class
    restore = stored.restore
    if restore and restore.expires is None:
        lines["x-amz-restore"] = 'ongoing-request="true"'
    elif restore and restore.expires and restore.is_readable(s3.clock()):
        expiry = http_date(restore.expires)
        lines["x-amz-restore"] = f'ongoing-request="false", expiry-date="{expiry}"'
    return _lines(lines)


def _byte_range(text: str, size: int) -> slice | None:
    """Return the part that is asked for; None for what is no single range, which S3 ignores."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", text)
    if match is None or not (match[1] or match[2]):
        return None
    if match[1]:
        start, stop = int(match[1]), int(match[2]) + 1 if match[2] else size
        if start >= stop and match[2]:
            return None
    else:
        start, stop = max(size - int(match[2]), 0), size
    if start >= min(stop, size):
        raise S3Error(
            "InvalidRange",
            headers={"Content-Range": f"bytes */{size}"},
            elements={"RangeRequested": text, "ActualObjectSize": str(size)},
        )
    return slice(start, min(stop, size))


def _put_object(s3: FakeS3, request: Request) -> Reply:
    headers = request.headers
    for name, digest in _DIGESTS.items():
        if name in headers and base64.b64encode(digest(request.body)).decode() != headers[name]:
            raise S3Error("BadDigest", elements={"Checksum": name})
    kept = {
        name: value
        for name, value in headers.items()
        if name == "content-type" or name.startswith(("x-amz-meta-", _ENCRYPTION))
    }
    stored = s3.put_object(
        request.bucket,
        request.key,
        request.body,
        if_match=headers.get("if-match"),
        if_none_match=headers.get("if-none-match"),
        storage_class=headers.get("x-amz-storage-class", "STANDARD"),
        headers=kept,
    )
    told = {name: value for name, value in kept.items() if name.startswith(_ENCRYPTION)}
    return Reply(200, _lines({"ETag": f'"{stored.etag}"', **told}))


def _delete_object(s3: FakeS3, request: Request) -> Reply:
    s3.delete_object(request.bucket, request.key)
    return Reply(204, length=-1)


def _list_objects(s3: FakeS3, request: Request) -> Reply:
    query = request.query
    try:
        max_keys = int(query.get("max-keys", "1000"))
    except ValueError as error:
        raise S3Error("InvalidArgument", elements={"ArgumentName": "max-keys"}) from error
    asked = request.headers.get("x-amz-optional-object-attributes", "")
    with s3.lock:
        page = s3.list_objects(
            request.bucket,
            prefix=query.get("prefix", ""),
            delimiter=query.get("delimiter", ""),
            start_after=query.get("start-after", ""),
            token=query.get("continuation-token"),
            max_keys=max_keys,
        )
        body = page_document(
            page,
            query,
            bucket=s3.bucket(request.bucket),
            max_keys=min(max_keys, 1000),
            restore_states="RestoreStatus" in asked,
        )
    return Reply(200, _XML, body)


def _head_bucket(s3: FakeS3, request: Request) -> Reply:
    bucket = s3.bucket(request.bucket)
    told = bucket.region if bucket.region_in_headers else None
    headers = {"x-amz-bucket-region": told} if told else {}
    if not bucket.may_list:
        raise S3Error("AccessDenied", headers=headers)
    return Reply(200, _lines(headers))


def _not_implemented(s3: FakeS3, request: Request) -> Reply:
    raise S3Error("NotImplemented")


_OPERATIONS: Mapping[str, Callable[[FakeS3, Request], Reply]] = {
    "GetObject": _get_object,
    "HeadObject": _head_object,
    "PutObject": _put_object,
    "DeleteObject": _delete_object,
    "ListObjectsV2": _list_objects,
    "HeadBucket": _head_bucket,
    "NotImplemented": _not_implemented,
}
