"""Pages of a listing: through obstore where it can tell the truth, through boto3 where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import obstore
import polars as pl
from msgspec import Struct

from checkpoint_format.stores import LISTING_SCHEMA
from checkpoint_storage.s3._answers import BadAnswerError
from checkpoint_storage.s3._retrying import retrying

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from mypy_boto3_s3.type_defs import (
        ListObjectsV2OutputTypeDef,
        ListObjectsV2RequestTypeDef,
        ObjectTypeDef,
    )
    from obstore.store import S3Store as FastStore

    from checkpoint_storage.s3._clients import S3Clients

ARCHIVE_CLASSES: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})


_TYPES: Final[Mapping[str, pl.DataType]] = {
    "path": pl.String(),
    "e_tag": pl.String(),
    "size": pl.UInt64(),
    "last_modified": pl.Datetime("us", "UTC"),
}
"""The columns of a page, as obstore has them; a listing is translated once, in the end.

Where restore states were asked for, there is `archived` too.
"""


def as_listing(pages: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the objects of some pages of one listing in LISTING_SCHEMA."""
    filled = [page for page in pages if page.height]
    if not filled:
        return LISTING_SCHEMA.to_frame()
    # In the order of their keys, because that is how the core wants them.
    objects = pl.concat(sorted(filled, key=lambda page: str(page["path"][0])))
    archived = pl.col("archived") if "archived" in objects.columns else pl.lit(None)
    return objects.select(
        key="path",
        etag=pl.col("e_tag").str.strip_chars('"'),
        size="size",
        last_modified="last_modified",
        archived=archived,
    ).cast(LISTING_SCHEMA)


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


class ExactPage(Struct, frozen=True, kw_only=True):
    """One page as S3 has it, whether there are more, and in which region the bucket says it is.

    Only the last page may be empty.
    """

    page: pl.DataFrame
    truncated: bool
    region: str | None


class _NotExactError(Exception):
    """Obstore failed, or what it reports may not be what S3 has."""


class Pages:
    """Lists the keys below a prefix from any point on, in order.

    obstore is some thirty times as fast and does not know every key: it refuses keys with empty,
    `.` or `..` segments and with control characters, and drops a slash at either end. Such a slash
    is found out by the size 0 that folder markers have, or by a key that is not in its order; where
    it is alone, an object *with* content whose key ends with a slash is reported without it, or,
    as the first of those that were asked for, not at all.

    Args:
        clients: the connections.
        bucket: the bucket.
        prefix: empty, or ending with a slash.
        page_size: keys to a page, 1,000 at most.
        restore_states: ask for those too, which obstore cannot.
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

    def after(self, key: str, *, exact: bool) -> Generator[pl.DataFrame]:
        """Yield what follows the key, page by page, none of them empty; see `as_listing`.

        Only an answer that says that nothing follows is the end. obstore takes for it whatever has
        no more keys, so that where it ends boto3 asks what comes then; boto3 asks also for a page
        that obstore failed on. Raises what is in FAILURES.
        """
        exact = exact or self._restore_states
        pages = 1
        while True:
            failed = 0
            if not exact:
                try:
                    for page in self._fast(key):
                        key = page["path"][-1]
                        yield page
                except _NotExactError:
                    failed = 1
            # Where strange keys follow one another, not every page shall cost two requests.
            for _ in range(pages):
                answer = self.exact(key, failed=failed)
                failed = 0
                if answer.page.height:
                    key = answer.page["path"][-1]
                    yield answer.page
                if not answer.truncated:
                    return
            pages *= 2

    def exact(self, after: str, *, failed: int = 0) -> ExactPage:
        """Return one page through boto3, after so many `failed` attempts at it."""
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
            "path": [each["Key"] for each in objects],
            "e_tag": [each["ETag"] for each in objects],
            "size": [each["Size"] for each in objects],
            "last_modified": [each["LastModified"] for each in objects],
        }
        types: dict[str, pl.DataType] = dict(_TYPES)
        if self._restore_states:
            columns["archived"] = [_is_archived(each) for each in objects]
            types["archived"] = pl.Boolean()
        page = pl.DataFrame(columns, schema=types)
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        return ExactPage(
            page=page,
            truncated=answer["IsTruncated"],
            region=headers.get("x-amz-bucket-region"),
        )

    def _fast(self, after: str) -> Iterator[pl.DataFrame]:
        # Without its slash, this offset would come later.
        if after.startswith("/"):
            raise _NotExactError
        last = after
        stream = _stream(self._clients.fast(self._bucket), self._prefix, after, self._page_size)
        while True:
            try:
                batch = next(stream, None)
            except (obstore.exceptions.BaseError, OSError, ValueError) as error:
                raise _NotExactError from error
            if batch is None:
                return
            if (batch["size"] == 0).any() or batch["e_tag"].null_count():
                raise _NotExactError
            # An offset that ends with a slash loses it, so that its own key comes back.
            if after.endswith("/"):
                batch = batch.filter(pl.col("path") > after)
            if batch.height:
                keys = batch["path"]
                # A key that lost its slash comes where the whole one would.
                if keys[0] <= last or not keys.is_sorted() or (keys == keys.shift()).any():
                    raise _NotExactError
                last = keys[-1]
                yield batch


def _stream(store: FastStore, prefix: str, after: str, page_size: int) -> Iterator[pl.DataFrame]:
    batches = obstore.list(
        store,
        prefix=prefix.removesuffix("/") or None,
        offset=after or None,
        chunk_size=page_size,
        return_arrow=True,
    )
    for batch in batches:
        yield pl.DataFrame(batch.select(list(_TYPES)))


def _is_archived(listed: ObjectTypeDef) -> bool:
    if listed.get("StorageClass") not in ARCHIVE_CLASSES:
        return False
    restored = listed.get("RestoreStatus", {})
    return restored.get("IsRestoreInProgress", True) or "RestoreExpiryDate" not in restored
