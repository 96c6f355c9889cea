"""What a bucket holds: objects, one after the other in the order of their keys."""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

    from tests.fake_s3.synthetic import SyntheticEvents

ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})


def http_date(time: datetime) -> str:
    """Write a time as HTTP headers have it, to the second, in English whatever the locale."""
    return format_datetime(time.astimezone(UTC), usegmt=True)


def iso_date(time: datetime) -> str:
    """Write a time as S3's documents have it, to the millisecond."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def md5_etag(data: bytes) -> str:
    """Return what S3 gives as the etag of an object written whole, without SSE-KMS."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Restore:
    """A restoration from an archive: under way, or done and valid until a time."""

    expires: datetime | None

    def is_readable(self, now: datetime) -> bool:
        return self.expires is not None and now < self.expires


@dataclass(slots=True, kw_only=True)
class StoredObject:
    """An object; the etag is without quotes. `headers` were written with it and come back."""

    data: bytes
    etag: str
    last_modified: datetime
    storage_class: str = "STANDARD"
    restore: Restore | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Bucket:
    """Objects by key, written ones over generated ones; not thread-safe by itself.

    Python compares text by code points, which is the order of its UTF-8 bytes, which is S3's.
    A key that was removed keeps its place, without an object: that hides what is generated.
    """

    def __init__(self, name: str, *, region: str | None = None) -> None:
        self.name = name
        self.region = region
        self.may_list = True
        self.region_in_headers = True
        self.denied: list[tuple[Callable[[str], bool], frozenset[str] | None]] = []
        self.generated: SyntheticEvents | None = None
        self._written: dict[str, StoredObject | None] = {}
        self._touched: list[str] = []

    def find(self, key: str) -> StoredObject | None:
        """Return the object of a key."""
        if key in self._written or self.generated is None:
            return self._written.get(key)
        return self.generated.find(key)

    def set(self, key: str, stored: StoredObject | None) -> None:
        """Make it the object of the key; None removes what is there."""
        if key not in self._written:
            insort(self._touched, key)
        self._written[key] = stored

    def load(self, objects: Mapping[str, StoredObject]) -> None:
        """Add many objects that nothing else has written, in one sort."""
        self._written.update(objects)
        self._touched = sorted(self._written)

    def untouched_run(self, start: str, prefix: str, count: int) -> range | None:
        """Return the positions of the next `count` keys where all are generated, or None."""
        if self.generated is None:
            return None
        keys = self.generated.keys
        first = bisect_left(keys, start)
        if first + count > len(keys) or not keys[first].startswith(prefix):
            return None
        last = keys[first + count - 1]
        if not last.startswith(prefix):
            return None
        touched = bisect_left(self._touched, start)
        if touched < len(self._touched) and self._touched[touched] <= last:
            return None
        return range(first, first + count)

    def scan(self, start: str) -> Iterator[tuple[str, StoredObject | int]]:
        """Yield what can be listed, from `start` on: an object, or a generated one's position."""
        generated: SupportsLenAndGetItem[str] = (
            self.generated.keys if self.generated is not None else ()
        )
        position = bisect_left(generated, start)
        for key in self._touched[bisect_left(self._touched, start) :]:
            while position < len(generated) and generated[position] <= key:
                if generated[position] != key:
                    yield generated[position], position
                position += 1
            if (written := self._written[key]) is not None:
                yield key, written
        for at in range(position, len(generated)):
            yield generated[at], at
