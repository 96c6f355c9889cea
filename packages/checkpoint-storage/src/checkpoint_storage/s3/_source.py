"""Event objects in S3, listed and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkpoint_format.stores import unlimited
from checkpoint_storage.s3._clients import S3Clients, current_clients
from checkpoint_storage.s3._errors import FAILURES
from checkpoint_storage.s3._explanations import explained, storage_error
from checkpoint_storage.s3._listing import list_ranges
from checkpoint_storage.s3._pages import Pages, as_listing
from checkpoint_storage.s3._reading import ObjectReader
from checkpoint_storage.settings import S3Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

    from checkpoint_format.stores import Content, ReadFailure

_USUAL = S3Settings()


class S3Source:
    """Everything below a folder of a bucket as a source of event objects.

    Keys are whole, as S3 has them; etags are without their quotation marks, in listings as in what
    is read. Nothing in the bucket is changed.

    Args:
        bucket: the bucket's name.
        prefix: the folder; a slash is put at its end where it lacks one, empty is the whole bucket.
        reading_threads: how many objects are read at a time.
        listing_threads: how many pages are listed at a time.
        page_size: how many keys are asked for at a time, 1,000 at most.
        first_pause_s: how long to wait before asking again; doubles each time.

    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        reading_threads: int = _USUAL.read_concurrency,
        listing_threads: int = 32,
        page_size: int = 1000,
        first_pause_s: float = 0.5,
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
        self._reading_threads = reading_threads
        self._listing_threads = listing_threads
        self._page_size = page_size
        self._first_pause_s = first_pause_s
        self._region: str | None = None
        self.proof: str | None = None
        """How the last listing was shown to be whole; None where there was none."""

    @property
    def location(self) -> str:
        """The source's `s3://` URI, ending with a slash."""
        return f"s3://{self._bucket}/{self._prefix}"

    def list_objects(self, *, restore_states: bool) -> pl.DataFrame:
        """List everything below the folder in LISTING_SCHEMA, each key once, in any order.

        Up to a page is one request; more is listed by several threads, with `restore_states` by
        boto3 alone, which takes far longer. The end is where S3 says so, never where keys fail to
        come. Raises StorageError when any request has failed four times or was refused, and when
        an answer is, each time, none that a listing can have.
        """
        self.proof = None
        with explained(self.location, "listing"):
            pages = self._pages(restore_states=restore_states)
            first = pages.page("")
            region = first.region or self._clients().told_region(self._bucket)
            if region and self._clients().region != region:
                # boto3 follows S3's redirections, libcurl does not.
                self._region = region
                pages = self._pages(restore_states=restore_states)
            if not first.truncated:
                self.proof = "one page, of which S3 says that it is the last"
                return as_listing([first.objects])
            rest = list_ranges(
                pages,
                where=self.location,
                prefix=self._prefix,
                after=first.objects["key"][-1],
                page_size=self._page_size,
                threads=self._listing_threads,
            )
            self.proof = (
                f"{1 + len(rest):,} pages: each part ends before a key that comes after it, or "
                "where S3 says that nothing follows"
            )
            return as_listing([first.objects, *rest])

    def read(
        self,
        keys: Sequence[str],
        *,
        max_size_bytes: int,
        remaining_s: Callable[[], float] = unlimited,
    ) -> Iterator[Content | ReadFailure]:
        """Read the objects, many at a time, and yield one answer for each key, in any order.

        The etag and time are those of the very content. At most `max_size_bytes + 1` bytes of an
        object are read. Every request is repeated up to three times where that may help; what was
        asked for and not yet taken is limited in number and bytes. When no time is left, what has
        been read is yielded and the iterator ends. Then, or when it is closed, also by an error, its
        threads have ended, but for those that S3 leaves without an answer: they end when it answers
        or the connection does, within half a minute, and ask for nothing more.

        Raises StorageError when the store as a whole fails: no usable credentials, no bucket, no
        connection, or a hundred failures of S3's in a row.
        """
        try:
            clients = self._clients()
            reader = ObjectReader(
                clients.fast(self._bucket),
                clients.single,
                self._bucket,
                where=self.location,
                max_size_bytes=max_size_bytes,
                first_pause_s=self._first_pause_s,
                attempts=clients.attempts,
            )
            yield from reader.read(keys, at_once=self._reading_threads, remaining_s=remaining_s)
        except FAILURES as error:
            raise storage_error(error, self.location, "reading") from error

    def _clients(self) -> S3Clients:
        return current_clients(self._region)

    def _pages(self, *, restore_states: bool) -> Pages:
        return Pages(
            self._clients(),
            self._bucket,
            self._prefix,
            page_size=self._page_size,
            restore_states=restore_states,
            first_pause_s=self._first_pause_s,
        )
