"""Reading one object: quickly through obstore, and once more, exactly, where that failed."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC
from typing import TYPE_CHECKING, Final

import obstore
from botocore.exceptions import IncompleteReadError

from checkpoint_format.errors import StorageError
from checkpoint_format.stores import Content, FailureOutcome, ReadFailure
from checkpoint_storage.s3._errors import (
    FAILURES,
    code_of,
    is_store_wide,
    is_transient,
    status_of,
    summary_of,
)
from checkpoint_storage.s3._explanations import storage_error
from checkpoint_storage.s3._pages import ARCHIVE_CLASSES
from checkpoint_storage.s3._retrying import retrying

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client
    from obstore.store import S3Store as FastStore

    from checkpoint_storage.threaded_reading import Reserve

_MOST_FAILURES_IN_A_ROW: Final = 100
_ARCHIVED: Final = "the object is in an archive storage class and not restored"
_DENIED: Final = "access to the object was refused"
_MISSING: Final = "the object was gone when it was to be read"


class ObjectReader:
    """Reads objects of one bucket; may be shared by threads.

    obstore asks first. Where it fails, boto3 asks: HEAD after a refusal, because that tells an
    archived object without failing again, otherwise GET, whose error code decides.

    Args:
        fast: obstore's view of the bucket, which asks each thing once.
        client: boto3's, which asks once too.
        bucket: the bucket.
        where: the source, for errors.
        max_size_bytes: of a larger object one byte more than this is read.
        first_pause_s: how long to wait before the first repetition.
        attempts: how often an object is asked for at most.

    """

    def __init__(
        self,
        fast: FastStore,
        client: S3Client,
        bucket: str,
        *,
        where: str,
        max_size_bytes: int,
        first_pause_s: float,
        attempts: int,
    ) -> None:
        self._fast = fast
        self._client = client
        self._bucket = bucket
        self._where = where
        self._limit = max_size_bytes
        self._first_pause_s = first_pause_s
        self._attempts = attempts
        self._failures_in_a_row = 0

    def read(self, key: str, reserve: Reserve) -> Content | ReadFailure:
        """Return the object's content, or why there is none; `reserve` its bytes before they come.

        Asks no further where `reserve` raises. Raises StorageError when the store as a whole fails.
        """
        # obstore would read the object whose key lacks the slash.
        if key.startswith("/") or key.endswith("/"):
            return self._ask(key, reserve, failed=0)
        try:
            result = obstore.get(self._fast, key)
            meta = result.meta
            size = meta["size"]
            if size > self._limit:
                reserve(self._limit + 1)
                data = next(iter(result.stream(min_chunk_size=self._limit + 1)))[: self._limit + 1]
                whole = len(data) == self._limit + 1
            else:
                reserve(size)
                data = result.bytes().to_bytes()
                whole = len(data) == size
        except obstore.exceptions.PermissionDeniedError:
            return self._ask_refused(key, reserve)
        except FileNotFoundError:
            return self._ask(key, reserve, failed=1, at_once=True)
        except (obstore.exceptions.BaseError, OSError, ValueError, StopIteration):
            return self._ask(key, reserve, failed=1)
        etag = (meta["e_tag"] or "").strip('"')
        # A proxy's page begins with a < , which no JSON does; obstore has 1970 where no time came.
        if (
            not whole
            or not etag
            or data[:99].lstrip()[:1] == b"<"
            or not meta["last_modified"].timestamp()
        ):
            return self._ask(key, reserve, failed=1)
        self._failures_in_a_row = 0
        return Content(key=key, data=data, etag=etag, last_modified=meta["last_modified"])

    def _ask_refused(self, key: str, reserve: Reserve) -> Content | ReadFailure:
        if self._head_tells_archived(key):
            return self._failure(key, "archived", _ARCHIVED)
        return self._ask(key, reserve, failed=1, at_once=True)

    def _head_tells_archived(self, key: str) -> bool:
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=key)
        except FAILURES:
            # An answer to HEAD has no body, and so no code; the one to GET has.
            return False
        return _is_archived(head)

    def _ask(
        self, key: str, reserve: Reserve, *, failed: int, at_once: bool = False
    ) -> Content | ReadFailure:
        try:
            content = retrying(
                lambda: self._get(key, reserve),
                first_pause_s=self._first_pause_s,
                attempts=self._attempts,
                failed=failed,
                at_once=at_once,
            )
        except FAILURES as error:
            return self._judge(key, error)
        self._failures_in_a_row = 0
        return content

    def _get(self, key: str, reserve: Reserve) -> Content:
        # Nobody may be waiting any more, after a pause.
        reserve(0)
        answer = self._client.get_object(Bucket=self._bucket, Key=key)
        with closing(answer["Body"]) as body:
            size = answer["ContentLength"]
            wanted = min(size, self._limit + 1)
            reserve(wanted)
            data = body.read() if wanted == size else body.read(wanted)
            if len(data) != wanted:
                raise IncompleteReadError(actual_bytes=len(data), expected_bytes=wanted)
        return Content(
            key=key,
            data=data,
            etag=answer["ETag"].strip('"'),
            last_modified=answer["LastModified"].astimezone(UTC),
        )

    def _judge(self, key: str, error: BaseException) -> ReadFailure:
        if is_store_wide(error):
            raise storage_error(error, self._where, "reading") from error
        code, status = code_of(error), status_of(error)
        if code == "InvalidObjectState":
            return self._failure(key, "archived", _ARCHIVED)
        if status == 404:
            return self._failure(key, "missing", _MISSING)
        if status in {401, 403}:
            # Without a code the answer was cut short.
            if not code and self._head_tells_archived(key):
                return self._failure(key, "archived", _ARCHIVED)
            return self._failure(key, "denied", _DENIED)
        if is_transient(error):
            self._failures_in_a_row += 1
            if self._failures_in_a_row >= _MOST_FAILURES_IN_A_ROW:
                raise StorageError(
                    f"{self._where}: reading failed: {self._failures_in_a_row} objects in a row "
                    f"could not be read, the last one because of {summary_of(error)}. "
                    "Run again later, or with fewer at a time."
                ) from error
        reason = f"the object could not be read: {summary_of(error)}"
        return ReadFailure(key=key, outcome="unreadable", reason=reason)

    def _failure(self, key: str, outcome: FailureOutcome, reason: str) -> ReadFailure:
        self._failures_in_a_row = 0
        return ReadFailure(key=key, outcome=outcome, reason=reason)


def _is_archived(head: Mapping[str, object]) -> bool:
    if head.get("ArchiveStatus"):
        return True
    restored = 'ongoing-request="false"' in str(head.get("Restore"))
    return head.get("StorageClass") in ARCHIVE_CLASSES and not restored
