"""Buckets and objects with S3's semantics: the state, and what each operation does to it."""

import hashlib
import itertools
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime

from tests.fake_s3.errors import S3Error
from tests.fake_s3.faults import Plan
from tests.fake_s3.listing import Page, list_page
from tests.fake_s3.log import RequestLog
from tests.fake_s3.objects import (
    ARCHIVES,
    Bucket,
    Restore,
    StoredObject,
    md5_etag,
)
from tests.fake_s3.synthetic import SyntheticEvents

_KMS = "x-amz-server-side-encryption"


def _now() -> datetime:
    return datetime.now(UTC)


class FakeS3:
    """Several buckets, every operation atomic under one lock; strongly consistent, as S3 is.

    Operations raise S3Error. `plan` holds the faults and hooks to come, see `Fault`; `log`
    the requests.

    Args:
        page_size: The most keys that one page of a listing has, whatever is asked for.
        clock: Gives the time of a write.
        opaque_etags: Make etags that cannot be computed from the content and never come twice,
            as with SSE-KMS; otherwise they are MD5, except for writes that ask for KMS.
        ignored_conditions: The headers, in lower case, that are no conditions of a write here, as
            on servers that do not know them.

    """

    def __init__(
        self,
        *,
        page_size: int = 1000,
        clock: Callable[[], datetime] = _now,
        opaque_etags: bool = False,
        ignored_conditions: Collection[str] = (),
    ) -> None:
        self.lock = threading.RLock()
        self.plan = Plan(self.lock)
        self.log = RequestLog()
        self.page_size = page_size
        self.clock = clock
        self.opaque_etags = opaque_etags
        self.ignored_conditions = ignored_conditions
        self._buckets: dict[str, Bucket] = {}
        self._serial = itertools.count(1)

    def create_bucket(self, name: str, *, region: str | None = None) -> Bucket:
        """Make a bucket; with a region, requests signed for another one are refused."""
        with self.lock:
            self._buckets[name] = Bucket(name, region=region)
            return self._buckets[name]

    def bucket(self, name: str) -> Bucket:
        """Return a bucket; its attributes may be set."""
        bucket = self._buckets.get(name)
        if bucket is None:
            raise S3Error("NoSuchBucket", elements={"BucketName": name})
        return bucket

    def generate(self, bucket: str, objects: SyntheticEvents) -> None:
        """Put computed objects under the written ones."""
        with self.lock:
            self.bucket(bucket).generated = objects

    def load(self, bucket: str, contents: Mapping[str, bytes]) -> None:
        """Write many objects at once, unconditionally, over none."""
        with self.lock:
            self.bucket(bucket).load(
                {key: self._make(data, {}, "STANDARD") for key, data in contents.items()}
            )

    def put_object(
        self,
        bucket: str,
        key: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        storage_class: str = "STANDARD",
        headers: Mapping[str, str] | None = None,
    ) -> StoredObject:
        """Write an object, whole, if the conditions hold at that moment."""
        stored = self._make(data, headers or {}, storage_class)
        if_match = None if "if-match" in self.ignored_conditions else if_match
        if_none_match = None if "if-none-match" in self.ignored_conditions else if_none_match
        with self.lock:
            target = self.bucket(bucket)
            self._check_allowed(target, key, "PutObject")
            if if_none_match not in {None, "*"}:
                raise S3Error("NotImplemented", elements={"Header": "If-None-Match"})
            current = target.find(key)
            if if_none_match and current is not None:
                raise S3Error("PreconditionFailed", elements={"Condition": "If-None-Match"})
            if if_match is not None:
                self._check_allowed(target, key, "GetObject")
                self._check_match(target, key, current, if_match)
            target.set(key, stored)
            return stored

    def head_object(
        self,
        bucket: str,
        key: str,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> StoredObject:
        """Find an object, archived or not, and check the conditions of a read."""
        with self.lock:
            target = self.bucket(bucket)
            self._check_allowed(target, key, "GetObject")
            stored = target.find(key)
            if stored is None:
                raise self._missing(target, key)
            if if_match is not None:
                self._check_match(target, key, stored, if_match)
            if if_none_match is not None and _is_same(stored, if_none_match):
                raise S3Error("NotModified", headers={"ETag": f'"{stored.etag}"'})
            return stored

    def get_object(
        self,
        bucket: str,
        key: str,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> StoredObject:
        """Find an object that can be read now."""
        stored = self.head_object(bucket, key, if_match=if_match, if_none_match=if_none_match)
        if stored.storage_class in ARCHIVES and not (
            stored.restore and stored.restore.is_readable(self.clock())
        ):
            raise S3Error("InvalidObjectState", elements={"StorageClass": stored.storage_class})
        return stored

    def delete_object(self, bucket: str, key: str) -> None:
        """Delete an object, if it exists."""
        with self.lock:
            target = self.bucket(bucket)
            self._check_allowed(target, key, "DeleteObject")
            target.set(key, None)

    def list_objects(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        start_after: str = "",
        token: str | None = None,
        max_keys: int = 1000,
    ) -> Page:
        """Return one page of the keys in their order."""
        with self.lock:
            target = self.bucket(bucket)
            if not target.may_list:
                raise S3Error("AccessDenied")
            return list_page(
                target,
                prefix=prefix,
                delimiter=delimiter,
                start_after=start_after,
                token=token,
                limit=min(max_keys, self.page_size),
            )

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """Return all keys that exist, in their order, however many and without a request."""
        with self.lock:
            scanned = itertools.takewhile(
                lambda found: found[0].startswith(prefix), self.bucket(bucket).scan(prefix)
            )
            return [key for key, _ in scanned]

    def archive(self, bucket: str, key: str, storage_class: str = "GLACIER") -> None:
        """Move an object to another storage class, as a lifecycle rule does."""
        with self.lock:
            stored = self.head_object(bucket, key)
            stored.storage_class, stored.restore = storage_class, None
            self.bucket(bucket).set(key, stored)

    def restore(self, bucket: str, key: str, *, until: datetime | None) -> None:
        """Restore an archived object: readable until a time, or None while it is under way."""
        with self.lock:
            stored = self.head_object(bucket, key)
            stored.restore = Restore(until)
            self.bucket(bucket).set(key, stored)

    def deny(
        self,
        bucket: str,
        key: str | Callable[[str], bool],
        *operations: str,
    ) -> None:
        """Refuse GetObject (also HEAD), PutObject or DeleteObject on keys; all if none is named."""
        fits = (lambda asked: asked == key) if isinstance(key, str) else key
        with self.lock:
            self.bucket(bucket).denied.append((fits, frozenset(operations) or None))

    def _make(self, data: bytes, headers: Mapping[str, str], storage_class: str) -> StoredObject:
        if self.opaque_etags or headers.get(_KMS, "").startswith("aws:kms"):
            serial = f"not of the content {next(self._serial)}".encode()
            etag = hashlib.sha256(serial).hexdigest()[:32]
        else:
            etag = md5_etag(data)
        return StoredObject(
            data=data,
            etag=etag,
            last_modified=self.clock().replace(microsecond=0),
            storage_class=storage_class,
            headers=headers,
        )

    def _check_allowed(self, bucket: Bucket, key: str, operation: str) -> None:
        for fits, operations in bucket.denied:
            if (operations is None or operation in operations) and fits(key):
                raise S3Error("AccessDenied")

    def _check_match(
        self, bucket: Bucket, key: str, stored: StoredObject | None, etag: str
    ) -> None:
        if stored is None:
            raise self._missing(bucket, key)
        if not _is_same(stored, etag):
            raise S3Error("PreconditionFailed", elements={"Condition": "If-Match"})

    def _missing(self, bucket: Bucket, key: str) -> S3Error:
        if not bucket.may_list:
            return S3Error("AccessDenied")
        return S3Error("NoSuchKey", elements={"Key": key})


def _is_same(stored: StoredObject, etags: str) -> bool:
    wanted = [etag.strip().removeprefix("W/").strip('"') for etag in etags.split(",")]
    return "*" in wanted or stored.etag in wanted
