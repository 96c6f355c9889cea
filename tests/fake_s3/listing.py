"""Listings: which keys stand on a page, and the XML document of the page."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.fake_s3.errors import S3Error
from tests.fake_s3.objects import Bucket, Restore, StoredObject, iso_date

_PROLOGUE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
)
_LAST_CHARACTER = "\U0010ffff"


@dataclass(slots=True)
class Page:
    """Keys with their objects (the position of generated ones), and common prefixes.

    Where all keys of the page are generated, `run` is their positions, and there are no entries.
    `token` goes on after this page; None where it is the last one.
    """

    run: range = range(0)
    entries: list[tuple[str, StoredObject | int]] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    token: str | None = None


def list_page(
    bucket: Bucket,
    *,
    prefix: str,
    delimiter: str,
    start_after: str,
    token: str | None,
    limit: int,
) -> Page:
    """Return at most `limit` keys and common prefixes that come after the start or the token."""
    page = Page()
    if limit <= 0:
        return page
    after = start_after if token is None else _after(token)
    start = max(prefix, after + "\0" if after else "")
    if bucket.generated is not None and not delimiter:
        run = bucket.untouched_run(start, prefix, limit + 1)
        if run is not None:
            page.run = run[:-1]
            page.token = _token(bucket.generated.keys[run[-2]])
            return page
    last, count, skipped = "", 0, None
    for key, entry in bucket.scan(start):
        if skipped is not None and key.startswith(skipped):
            continue
        if not key.startswith(prefix):
            break
        if count == limit:
            page.token = _token(last)
            break
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            page.entries.append((key, entry))
            last = key
        else:
            skipped = key[: end + len(delimiter)]
            page.prefixes.append(skipped)
            # Behind everything that the prefix stands for.
            last = skipped + _LAST_CHARACTER
        count += 1
    return page


def _token(after: str) -> str:
    return base64.b64encode(after.encode()).decode()


def _after(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except ValueError as error:
        raise S3Error("InvalidArgument", elements={"ArgumentName": "continuation-token"}) from error


def page_document(
    page: Page, query: dict[str, str], *, bucket: Bucket, max_keys: int, restore_states: bool
) -> bytes:
    """Write the page as ListObjectsV2 answers it."""
    written = _encoder(query)
    generated = bucket.generated
    parts = [_PROLOGUE, f"<Name>{bucket.name}</Name>"]
    for name, element in {"prefix": "Prefix", "delimiter": "Delimiter"}.items():
        if name == "prefix" or name in query:
            parts.append(f"<{element}>{written(query.get(name, ''))}</{element}>")
    if "encoding-type" in query:
        parts.append("<EncodingType>url</EncodingType>")
    parts.append(
        f"<KeyCount>{len(page.run) + len(page.entries) + len(page.prefixes)}</KeyCount><MaxKeys>{max_keys}</MaxKeys>"
        f"<IsTruncated>{'true' if page.token else 'false'}</IsTruncated>"
    )
    if page.token:
        parts.append(f"<NextContinuationToken>{page.token}</NextContinuationToken>")
    if generated is not None and page.run:
        parts.append(generated.fragments(page.run))
    for key, entry in page.entries:
        if generated is not None and isinstance(entry, int):
            parts.append(generated.fragments(range(entry, entry + 1)))
        elif isinstance(entry, StoredObject):
            restore = entry.restore if restore_states else None
            parts.append(_fragment(written(key), entry, restore))
    parts += [
        f"<CommonPrefixes><Prefix>{written(prefix)}</Prefix></CommonPrefixes>"
        for prefix in page.prefixes
    ]
    parts.append("</ListBucketResult>")
    return "".join(parts).encode()


def _encoder(query: dict[str, str]) -> Callable[[str], str]:
    return (lambda text: quote(text, safe="/-_.~")) if "encoding-type" in query else escape


def _fragment(written_key: str, stored: StoredObject, restore: Restore | None) -> str:
    return (
        f"<Contents><Key>{written_key}</Key>"
        f"<LastModified>{iso_date(stored.last_modified)}</LastModified>"
        f"<ETag>&quot;{stored.etag}&quot;</ETag><Size>{len(stored.data)}</Size>"
        f"<StorageClass>{stored.storage_class}</StorageClass>"
        f"{_restore_status(restore.expires) if restore else ''}</Contents>"
    )


def _restore_status(expires: datetime | None) -> str:
    status = f"<IsRestoreInProgress>{'true' if expires is None else 'false'}</IsRestoreInProgress>"
    if expires is not None:
        status += f"<RestoreExpiryDate>{iso_date(expires)}</RestoreExpiryDate>"
    return f"<RestoreStatus>{status}</RestoreStatus>"
