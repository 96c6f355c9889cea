"""Pages of a listing: quickly where they are as S3 writes them, through boto3 where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from msgspec import Struct

from checkpoint_format.stores import LISTING_SCHEMA
from checkpoint_storage.s3._answers import BadAnswerError
from checkpoint_storage.s3._list_document import read_page
from checkpoint_storage.s3._retrying import retrying

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_s3.type_defs import (
        ListObjectsV2OutputTypeDef,
        ListObjectsV2RequestTypeDef,
        ObjectTypeDef,
    )

    from checkpoint_storage.s3._clients import S3Clients

ARCHIVE_CLASSES: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})


def as_listing(pages: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the objects of some pages of one listing, in LISTING_SCHEMA."""
    filled = [page for page in pages if page.height]
    if not filled:
        return LISTING_SCHEMA.to_frame()
    # In the order of their keys, because that is how the core wants them.
    return pl.concat(sorted(filled, key=lambda page: str(page["key"][0])))


def answers(
    clients: S3Clients,
    wanted: ListObjectsV2RequestTypeDef,
    *,
    first_pause_s: float,
    failed: int = 0,
) -> Iterator[ListObjectsV2OutputTypeDef]:
    """Yield S3's answers to a listing, up to the one that says that it is the last.

    Each is asked for as often as is allowed, the first after so many `failed` attempts at it.
    Raises what is in FAILURES.
    """
    token: str | None = None

    def ask() -> ListObjectsV2OutputTypeDef:
        further: ListObjectsV2RequestTypeDef = wanted
        if token is not None:
            further = {**wanted, "ContinuationToken": token}
        answer = clients.single.list_objects_v2(**further)
        if answer["IsTruncated"] and answer["NextContinuationToken"] == token:
            status = answer["ResponseMetadata"]["HTTPStatusCode"]
            raise BadAnswerError(status, "a page that leads back to itself")
        return answer

    while True:
        answer = retrying(
            ask, first_pause_s=first_pause_s, attempts=clients.attempts, failed=failed
        )
        yield answer
        if not answer["IsTruncated"]:
            return
        token, failed = answer["NextContinuationToken"], 0


class Page(Struct, frozen=True, kw_only=True):
    """One page as S3 has it, whether there are more, and in which region the bucket says it is.

    The objects are in LISTING_SCHEMA. Only the last page may be empty.
    """

    objects: pl.DataFrame
    truncated: bool
    region: str | None


class Pages:
    """Lists the keys below a prefix from any point on, in order.

    Args:
        clients: the connections.
        bucket: the bucket.
        prefix: empty, or ending with a slash.
        page_size: keys to a page, 1,000 at most.
        restore_states: ask for those too, which takes several times as long.
        first_pause_s: how long to wait before the first repetition.

    """

    def __init__(
        self,
        clients: S3Clients,
        bucket: str,
        prefix: str,
        *,
        page_size: int,
        restore_states: bool,
        first_pause_s: float,
    ) -> None:
        self._clients = clients
        self._bucket = bucket
        self._prefix = prefix
        self._page_size = page_size
        self._restore_states = restore_states
        self._first_pause_s = first_pause_s

    def after(self, key: str) -> Iterator[pl.DataFrame]:
        """Yield what follows the key, page by page, none of them empty.

        Only an answer that says that nothing follows is the end. Raises what is in FAILURES.
        """
        while True:
            page = self.page(key)
            if page.objects.height:
                key = page.objects["key"][-1]
                yield page.objects
            if not page.truncated:
                return

    def page(self, after: str) -> Page:
        """Return the page that follows a key. What is none, or of another form, boto3 asks again."""
        failed = 0
        if not self._restore_states:
            page = self._fast(after)
            if page:
                return page
            failed = 1
        return self._exact(after, failed)

    def _fast(self, after: str) -> Page | None:
        query = {
            "encoding-type": "url",
            "list-type": "2",
            "max-keys": str(self._page_size),
            "prefix": self._prefix,
        }
        if after:
            query["start-after"] = after
        answer = self._clients.fast(self._bucket).page(query)
        found = read_page(answer.body) if answer.status == 200 else None
        if found is None:
            return None
        objects, truncated = found
        return Page(
            objects=objects,
            truncated=truncated,
            region=answer.header(b"x-amz-bucket-region") or None,
        )

    def _exact(self, after: str, failed: int) -> Page:
        """Ask through boto3, after so many `failed` attempts."""
        wanted: ListObjectsV2RequestTypeDef = {
            "Bucket": self._bucket,
            "Prefix": self._prefix,
            "MaxKeys": self._page_size,
        }
        if after:
            wanted["StartAfter"] = after
        if self._restore_states:
            wanted["OptionalObjectAttributes"] = ["RestoreStatus"]
        found = answers(self._clients, wanted, first_pause_s=self._first_pause_s, failed=failed)
        answer = next(found)
        # What is empty and not the last is followed.
        while answer["IsTruncated"] and not answer.get("Contents"):
            answer = next(found)
        objects = answer.get("Contents", [])
        columns: dict[str, list[Any]] = {
            "key": [each["Key"] for each in objects],
            "etag": [each["ETag"].strip('"') for each in objects],
            "size": [each["Size"] for each in objects],
            "last_modified": [each["LastModified"] for each in objects],
            "archived": [_is_archived(each) if self._restore_states else None for each in objects],
        }
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return Page(
            objects=pl.DataFrame(columns, schema=LISTING_SCHEMA),
            truncated=answer["IsTruncated"],
            region=headers.get("x-amz-bucket-region"),
        )


def _is_archived(listed: ObjectTypeDef) -> bool:
    if listed.get("StorageClass") not in ARCHIVE_CLASSES:
        return False
    restored = listed.get("RestoreStatus", {})
    return restored.get("IsRestoreInProgress", True) or "RestoreExpiryDate" not in restored
