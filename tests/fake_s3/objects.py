"""What a bucket holds: objects, one after the other in the order of their keys."""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(time: datetime) -> str:
    """Write a time as HTTP headers have it, to the second, in English whatever the locale."""
    time = time.astimezone(UTC)
    return (
        f"{_DAYS[time.weekday()]}, {time.day:02} {_MONTHS[time.month - 1]} {time.year:04}"
        f" {time.hour:02}:{time.minute:02}:{time.second:02} GMT"
    )


def iso_date(time: datetime) -> str:
    """Write a time as S3's documents have it, to the millisecond."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"


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
    """One version of an object; `is_marker` if it marks a deletion. The etag is without quotes.

    `headers` are those that were written with it and come back with it. `head` and `fragment`
    are kept by those who render responses and listings.
    """

    data: bytes
    etag: str
    last_modified: datetime
    storage_class: str = "STANDARD"
    restore: Restore | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    version_id: str | None = None
    is_marker: bool = False
    head: str | None = None
    fragment: str | None = None


class SortedKeys(Protocol):
    """Keys in their order; negative positions are not asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, position: int, /) -> str: ...


class Generated(Protocol):
    """Objects that exist by computation: a million of them cost no memory."""

    @property
    def keys(self) -> SortedKeys:
        """All keys."""
        ...

    def find(self, key: str) -> StoredObject | None:
        """Return the object of a key."""
        ...

    def fragments(self, positions: range) -> str:
        """Return what stands in a listing for the objects at these positions of `keys`."""
        ...


class Bucket:
    """Objects by key, written ones over generated ones; not thread-safe by itself.

    Python compares text by code points, which is the order of its UTF-8 bytes, which is S3's.
    A key that was touched keeps its place, with no versions after its removal: that hides what is
    generated.
    """

    def __init__(self, name: str, *, versioned: bool = False, region: str | None = None) -> None:
        self.name = name
        self.versioned = versioned
        self.region = region
        self.may_list = True
        self.wrong_region_code = "AuthorizationHeaderMalformed"
        self.region_in_headers = True
        self.denied: list[tuple[Callable[[str], bool], frozenset[str] | None]] = []
        self.generated: Generated | None = None
        self._versions: dict[str, list[StoredObject]] = {}
        self._touched: list[str] = []

    def find(self, key: str) -> StoredObject | None:
        """Return the current version, which may be a deletion's mark."""
        versions = self._versions.get(key)
        if versions is None:
            return self.generated.find(key) if self.generated is not None else None
        return versions[-1] if versions else None

    def version(self, key: str, version_id: str) -> StoredObject | None:
        """Return one version of an object."""
        for stored in self._all_versions(key):
            if (stored.version_id or "null") == version_id:
                return stored
        return None

    def write(self, key: str, stored: StoredObject) -> None:
        """Make it the current version: the only one where the bucket is not versioned."""
        self._set(key, [*(self._all_versions(key) if self.versioned else ()), stored])

    def load(self, objects: Mapping[str, StoredObject]) -> None:
        """Add many objects that nothing else has written, in one sort."""
        self._versions.update((key, [stored]) for key, stored in objects.items())
        self._touched = sorted(self._versions)

    def remove(self, key: str, version_id: str | None = None) -> None:
        """Remove an object, or one version of it, for good."""
        left = []
        if version_id is not None:
            left = [
                stored
                for stored in self._all_versions(key)
                if (stored.version_id or "null") != version_id
            ]
        self._set(key, left)

    def _all_versions(self, key: str) -> Sequence[StoredObject]:
        if key in self._versions:
            return self._versions[key]
        found = self.find(key)
        return () if found is None else (found,)

    def _set(self, key: str, versions: list[StoredObject]) -> None:
        if key not in self._versions:
            insort(self._touched, key)
        self._versions[key] = versions

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
        generated: SortedKeys = self.generated.keys if self.generated is not None else ()
        position = bisect_left(generated, start)
        for key in self._touched[bisect_left(self._touched, start) :]:
            while position < len(generated) and generated[position] <= key:
                if generated[position] != key:
                    yield generated[position], position
                position += 1
            versions = self._versions[key]
            if versions and not versions[-1].is_marker:
                yield key, versions[-1]
        for at in range(position, len(generated)):
            yield generated[at], at
