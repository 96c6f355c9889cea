"""Reading objects: quickly through libcurl, and once more, exactly, what did not come so."""

from __future__ import annotations

from contextlib import closing, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

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
from checkpoint_storage.s3._http import is_askable
from checkpoint_storage.s3._pages import ARCHIVE_CLASSES
from checkpoint_storage.s3._retrying import retrying
from checkpoint_storage.threaded_reading import read_in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_s3 import S3Client

    from checkpoint_storage.s3._http import Answer, FastClient
    from checkpoint_storage.threaded_reading import Reserve

_MOST_FAILURES_IN_A_ROW: Final = 100
_ARCHIVED: Final = "the object is in an archive storage class and not restored"
_DENIED: Final = "access to the object was refused"
_MISSING: Final = "the object was gone when it was to be read"


class ObjectReader:
    """Reads objects of one bucket.

    libcurl asks first, for small ones. Where it fails, boto3 asks: HEAD after a refusal, because
    that tells an archived object without failing again, otherwise GET, whose error code decides.

    Args:
        fast: what asks for each object once.
        client: boto3's, which asks once too.
        bucket: the bucket.
        where: the source, for errors.
        max_size_bytes: of a larger object one byte more than this is read.
        first_pause_s: how long to wait before the first repetition.
        attempts: how often an object is asked for at most.

    """

    def __init__(
        self,
        fast: FastClient,
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
        self._missed: dict[str, int | None] = {}

    def read(
        self, keys: Sequence[str], *, at_once: int, remaining_s: Callable[[], float]
    ) -> Iterator[Content | ReadFailure]:
        """Yield each object's content, or why there is none, in any order; see `S3Source.read`."""
        # Of what was asked for already, the status.
        self._missed = dict.fromkeys(keys)
        failures_in_a_row = 0
        answers = self._fast.objects(
            [key for key in keys if is_askable(key)],
            at_once=at_once,
            remaining_s=remaining_s,
        )
        with closing(answers):
            for key, answer in answers:
                etag = answer.header(b"etag").strip('"')
                if _is_content(answer) and etag:
                    self._missed.pop(key, None)
                    failures_in_a_row = 0
                    yield Content(
                        key=key,
                        data=answer.body[: self._limit + 1],
                        etag=etag,
                        last_modified=datetime.fromtimestamp(answer.modified_at, UTC),
                    )
                    continue
                self._missed[key] = answer.status
                failures_in_a_row += 1
                if failures_in_a_row >= _MOST_FAILURES_IN_A_ROW:
                    break
        if self._missed and remaining_s() > 0:
            yield from read_in_threads(
                lambda: nullcontext(self._read_exactly),
                list(self._missed),
                threads=at_once,
                remaining_s=remaining_s,
            )

    def _read_exactly(self, key: str, reserve: Reserve) -> Content | ReadFailure:
        """Return the object's content, or why there is none; `reserve` its bytes before they come.

        Asks no further where `reserve` raises. Raises StorageError when the store as a whole fails.
        """
        status = self._missed[key]
        if status == 403 and self._head_tells_archived(key):
            return self._failure(key, "archived", _ARCHIVED)
        failed = 0 if status is None else 1
        return self._ask(key, reserve, failed=failed, at_once=status in {403, 404})

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


def _is_content(answer: Answer) -> bool:
    # A proxy's page begins with a < , which no JSON does.
    return answer.status == 200 and answer.modified_at > 0 and answer.body[:99].lstrip()[:1] != b"<"


def _is_archived(head: Mapping[str, object]) -> bool:
    if head.get("ArchiveStatus"):
        return True
    restored = 'ongoing-request="false"' in str(head.get("Restore"))
    return head.get("StorageClass") in ARCHIVE_CLASSES and not restored
