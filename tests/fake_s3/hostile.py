"""Answers with a good status that are not what S3 answers, as proxies and other servers give them."""

import base64
import re

from tests.fake_s3.faults import Fault
from tests.fake_s3.requests import Reply, Request

_HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title><meta charset=utf-8></head><br></html>"
_XHTML = b"<html><body><p>Sign in</p></body></html>"
_ERROR = b'<?xml version="1.0"?>\n<Error><Code>InternalError</Code><Message>Oops</Message></Error>'
_PAGE = "Content-Type: text/html; charset=utf-8\r\n"
_OF_A_FILE = 'ETag: "66cf2f6d-264"\r\nLast-Modified: Wed, 28 Aug 2024 13:56:45 GMT\r\n'
_CONTENTS = re.compile(rb"<Contents>.*?</Contents>", re.DOTALL)
_TRUNCATED = re.compile(rb"<IsTruncated>.*?</IsTruncated>")
_TOKEN = re.compile(rb"<NextContinuationToken>.*?</NextContinuationToken>")
_IS = b"<IsTruncated>true</IsTruncated>"
_LEFT_OUT = {
    Fault.NO_KEYS: rb"<Key>[^<]*</Key>",
    Fault.NO_SIZES: rb"<Size>[^<]*</Size>",
    Fault.NO_TIMES: rb"<LastModified>[^<]*</LastModified>",
    Fault.NO_ETAGS: rb"<ETag>[^<]*</ETag>",
}


def instead(fault: Fault, request: Request) -> Reply:
    """Return the answer that comes instead of the effect."""
    if fault is Fault.ERROR_WITH_200:
        head, body = "Content-Type: application/xml\r\n", _ERROR
    elif fault is Fault.XHTML_WITH_200:
        head, body = _PAGE, _XHTML
    elif fault is Fault.EMPTY_WITH_200:
        head, body = "", b""
    else:
        head, body = _PAGE, _HTML
        if fault is Fault.STATIC_HTML:
            head += _OF_A_FILE
    if request.method == "HEAD":
        return Reply(200, head, length=len(body))
    return Reply(200, head, body)


def changed(fault: Fault, request: Request, reply: Reply) -> Reply:
    """Return what becomes of an answer whose effect has taken place."""
    if reply.status >= 300:
        return reply
    if fault is Fault.HTML_AFTER:
        return instead(fault, request)
    if fault is Fault.NO_ETAG:
        lines = reply.head.splitlines(keepends=True)
        head = "".join(line for line in lines if not line.lower().startswith("etag:"))
        return Reply(reply.status, head, reply.body, reply.length)
    if fault is Fault.WRONG_CHECKSUM:
        wrong = base64.b64encode(b"rong").decode()
        return Reply(
            reply.status,
            reply.head + f"x-amz-checksum-crc32: {wrong}\r\n",
            reply.body,
            reply.length,
        )
    return Reply(reply.status, reply.head, _page(fault, request, reply.body))


def _page(fault: Fault, request: Request, body: bytes) -> bytes:
    """Return what becomes of the document of a page."""
    if fault in _LEFT_OUT:
        return re.sub(_LEFT_OUT[fault], b"", body)
    if fault is Fault.HALF_A_PAGE:
        return body[: len(body) // 2]
    if fault is Fault.NO_TOKEN:
        return _TOKEN.sub(b"", _TRUNCATED.sub(_IS, body))
    if fault is Fault.EMPTY_TOKEN:
        with_none = _TOKEN.sub(b"", body)
        return _TRUNCATED.sub(_IS + b"<NextContinuationToken></NextContinuationToken>", with_none)
    if fault in {Fault.EMPTY_TRUNCATED, Fault.LEADS_BACK}:
        token = request.query.get("continuation-token")
        if token is None or fault is Fault.EMPTY_TRUNCATED:
            token = _next_to(token, request.query.get("start-after", ""))
        following = f"<NextContinuationToken>{token}</NextContinuationToken>".encode()
        return _TRUNCATED.sub(_IS + following, _TOKEN.sub(b"", _CONTENTS.sub(b"", body)))
    odd = b"<IsTruncated>perhaps</IsTruncated>" if fault is Fault.ODD_IS_TRUNCATED else b""
    return _TRUNCATED.sub(odd, body)


def _next_to(token: str | None, after: str) -> str:
    """Return another token with which the same keys come."""
    if token is not None:
        after = base64.b64decode(token).decode()
    return base64.b64encode(f"{after}\0".encode()).decode()
