"""What an answer of S3 must say before anything is concluded from it, whatever its status.

Proxies, gateways and other servers give a good status to error documents, pages for people and
nothing at all, and boto3 takes what is left out for what is not there. So every answer is looked
at as it came, before boto3 reads it.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_s3 import S3Client

WELL_FORMED_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,60}")
"""A code of S3's that may be told; anything else could be something from somewhere."""

_HTML: Final = re.compile(rb"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)
_RANGE: Final = re.compile(r"bytes \d+-\d+/\d+")
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


class BadAnswerError(Exception):
    """An answer with a good status that does not say what it must.

    The text says its status and what it is or lacks, and nothing of what is in it.
    """

    def __init__(self, status: int, what: str) -> None:
        super().__init__(f"HTTP {status} with {what}")


def examine_answers(client: S3Client) -> None:
    """Let a client raise BadAnswerError for each answer that does not say what it must."""
    # The most general name is called first. boto3's own handler, which is not to come before this
    # one, makes some of these answers look like failures of S3's.
    client.meta.events.register("before-parse.*.*", _examine)


def _examine(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    status: int = response_dict["status_code"]
    examine = _OPERATIONS.get(operation_model.name)
    if examine is None or status >= 300:
        return
    body = response_dict["body"]
    what = examine(status, response_dict["headers"], body)
    if what:
        if not isinstance(body, bytes):
            body.close()
        raise BadAnswerError(status, what)


def _of_write(_: int, headers: Mapping[str, str], body: bytes) -> str | None:
    if _is_page_or_error(body):
        return _kind(body)
    return None if headers.get("etag") else "no ETag"


def _of_removal(_: int, headers: Mapping[str, str], body: bytes) -> str | None:  # noqa: ARG001 - as the others
    return _kind(body) if _is_page_or_error(body) else None


def _of_object(status: int, headers: Mapping[str, str], body: object) -> str | None:  # noqa: ARG001 - not read yet
    # Nobody writes these files for people to look at; proxies do.
    if headers.get("content-type", "").lower().startswith("text/html"):
        return "an HTML page"
    if not headers.get("etag"):
        return "no ETag"
    if not _NUMBER.fullmatch(headers.get("content-length", "")):
        return "no length"
    if not _is_http_date(headers.get("last-modified", "")):
        return "no time of the last change"
    if status == 206 and not _RANGE.fullmatch(headers.get("content-range", "")):
        return "a part that does not say of what"
    return None


def _of_listing(_: int, headers: Mapping[str, str], body: bytes) -> str | None:  # noqa: ARG001 - as the others
    root = _parsed(body)
    if root is None or _name(root) != "ListBucketResult":
        return _kind(body)
    facts = _facts(root)
    truncated = facts.get("IsTruncated")
    if truncated not in {"true", "false"}:
        return "a page that does not say whether it is the last"
    if truncated == "true" and not facts.get("NextContinuationToken"):
        return "a page that is not the last and does not say how to go on"
    objects = (_lacking(_facts(each)) for each in root if _name(each) == "Contents")
    missing = next((each for each in objects if each), None)
    return f"an object without its {missing} on a page" if missing else None


def _lacking(listed: Mapping[str, str | None]) -> str | None:
    """Return what is missing, or cannot be what it should be, of an object on a page."""
    if not listed.get("Key"):
        return "key"
    if not _NUMBER.fullmatch(listed.get("Size") or ""):
        return "size"
    if not (listed.get("ETag") or "").strip('"'):
        return "ETag"
    return None if _is_iso_time(listed.get("LastModified") or "") else "time"


def _facts(element: ET.Element) -> dict[str, str | None]:
    return {_name(child): child.text for child in element}


def _name(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _is_iso_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_http_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text)
    except ValueError:
        return False
    return True


def _is_page_or_error(body: bytes) -> bool:
    root = _parsed(body)
    return bool(_HTML.match(body)) or (root is not None and _name(root) == "Error")


def _kind(body: bytes) -> str:
    """Say what a body is that should be another."""
    if not body.strip():
        return "an empty body"
    if _HTML.match(body):
        return "an HTML page"
    root = _parsed(body)
    if root is None:
        return "a body that is not XML, or not all of it"
    if _name(root) != "Error":
        return "a document that is not the one that was asked for"
    code = _facts(root).get("Code") or ""
    return f"an error document{f', {code}' if WELL_FORMED_CODE.fullmatch(code) else ''}"


def _parsed(body: bytes) -> ET.Element | None:
    try:
        return ET.fromstring(body)  # noqa: S314 - as above
    except ET.ParseError:
        return None


_OPERATIONS: Final[Mapping[str, Callable[[int, Mapping[str, str], Any], str | None]]] = {
    "ListObjectsV2": _of_listing,
    "PutObject": _of_write,
    "DeleteObject": _of_removal,
    "GetObject": _of_object,
    "HeadObject": _of_object,
}
