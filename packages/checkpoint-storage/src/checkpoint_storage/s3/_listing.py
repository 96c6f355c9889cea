"""A whole listing, by threads that share the ranges of its keys among themselves."""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from checkpoint_format.errors import StorageError
from checkpoint_storage.s3._key_ranges import KeyRange, first_ranges, split_points
from checkpoint_storage.threaded_reading import join_briefly

if TYPE_CHECKING:
    from checkpoint_storage.s3._pages import Pages

# Into how many equal parts one page may cut what follows it.
_MOST_PARTS: Final = 8
# Event objects are named after the past; a day for clocks that are ahead.
_AHEAD: Final = timedelta(days=1)


def list_ranges(
    pages: Pages, *, where: str, prefix: str, after: str, page_size: int, threads: int
) -> list[pl.DataFrame]:
    """Return the pages of everything below the prefix after a key, each key once, in any order.

    Threads without work take over parts of what others have left, so that the work is balanced
    whatever the keys look like. Raises what the pages raise, as soon as one has failed for good.
    """
    listing = _SharedListing(
        pages, where=where, prefix=prefix, page_size=page_size, threads=threads
    )
    return listing.run(first_ranges(prefix, after))


class _SharedListing:
    def __init__(
        self, pages: Pages, *, where: str, prefix: str, page_size: int, threads: int
    ) -> None:
        self._pages = pages
        self._where = where
        self._prefix = prefix
        self._page_size = page_size
        self._threads = threads
        self._latest = datetime.now(UTC).replace(tzinfo=None) + _AHEAD
        # Everything below is read and changed under this lock.
        self._changed = threading.Condition()
        self._waiting = deque[KeyRange]()
        self._busy = 0
        self._listed: list[pl.DataFrame] = []
        self._error: BaseException | None = None

    def run(self, ranges: list[KeyRange]) -> list[pl.DataFrame]:
        self._waiting.extend(ranges)
        workers = [
            threading.Thread(target=self._work, name=f"s3-listing-{n}", daemon=True)
            for n in range(self._threads)
        ]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        except BaseException as error:
            self._stop(error)
            raise
        finally:
            join_briefly([worker for worker in workers if worker.ident])
        if self._error:
            raise self._error
        return self._listed

    def _stop(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            while key_range := self._next():
                self._list(key_range)
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits for this one
            self._stop(error)

    def _next(self) -> KeyRange | None:
        """Return the next range, None when all is done or nothing is to be done any more."""
        with self._changed:
            while not self._waiting and self._busy and not self._error:
                self._changed.wait()
            if self._error or not self._waiting:
                return None
            self._busy += 1
            return self._waiting.popleft()

    def _list(self, key_range: KeyRange) -> None:
        before, until = key_range.after, key_range.until
        pages = self._pages.after(key_range.after, exact=key_range.exact)
        for page in pages:
            keys = page["path"]
            first, last = keys[0], keys[-1]
            if first <= before or not keys.is_sorted():
                raise StorageError(
                    f"{self._where}: listing failed: the keys do not come in order, so the listing "
                    "could not be whole. Nothing was read. Directory buckets are not supported."
                )
            done = until is not None and last >= until
            listed = page[: int(keys.search_sorted(until, side="right"))] if done else page
            with self._changed:
                self._listed.append(listed)
                if self._error:
                    break
            if done:
                break
            if page.height >= self._page_size:
                until = self._share(first, last, key_range, until)
            before = last
        pages.close()

    def _share(self, first: str, last: str, key_range: KeyRange, until: str | None) -> str | None:
        """Hand the far parts of a range to threads without work; return where it ends now."""
        with self._changed:
            idle = self._threads - self._busy - len(self._waiting)
            if idle <= 0:
                return until
            parts = min(1 + -(-idle // self._busy), _MOST_PARTS)
            found = split_points(
                first, last, until, prefix=self._prefix, parts=parts, latest=self._latest
            )
            if not found:
                return until
            for start, end in zip(found, [*found[1:], until], strict=True):
                self._waiting.append(KeyRange(start, end, key_range.exact))
            self._changed.notify_all()
            return found[0]
