"""What a check can say about getting at S3: credentials, buckets, listing, clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError

from checkpoint_storage.doctor._examination import Subject, Verdict, failed, ok, skipped, warning
from checkpoint_storage.doctor._source import judge_listing
from checkpoint_storage.s3._clients import current_clients
from checkpoint_storage.s3._errors import (
    FAILURES,
    raw_failures,
    region_in,
    status_of,
    summary_of,
)
from checkpoint_storage.s3._explanations import explained
from checkpoint_storage.s3._pages import ARCHIVE_CLASSES
from checkpoint_storage.s3._retrying import retrying

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.credentials import Credentials

FIRST_PAUSE_S: Final = 0.5
_SOON: Final = timedelta(minutes=15)
# S3 refuses requests that are signed for another time than its own by more.
_REFUSED_FROM_S: Final = 900.0
_NOTED_FROM_S: Final = 60.0
_TIMEOUT_S: Final = 5


def bucket_of(location: str) -> str:
    """Return the bucket in an `s3://` URI."""
    return location.removeprefix("s3://").partition("/")[0]


def key_of(location: str) -> str:
    """Return the key, or the prefix, in an `s3://` URI."""
    return location.removeprefix("s3://").partition("/")[2]


def credentials(_: Subject) -> Verdict:
    """Find out who asks, until when, and where; the secret is not looked at."""
    with explained("AWS", "looking for credentials"):
        clients = current_clients()
        with raw_failures():
            session = Session()
            found = session.get_credentials()
        if found is None:
            raise NoCredentialsError
        with raw_failures():
            frozen = found.get_frozen_credentials()
    key = frozen.access_key or ""
    origin = f"key {key[:4]}...{key[-4:]} from {found.method}, profile {session.profile_name}"
    place = f"region {clients.region}, {clients.single.meta.endpoint_url}"
    until = _expiry(found)
    if until is not None and until < datetime.now(UTC) + _SOON:
        return warning(
            f"{origin} ends at {until:%Y-%m-%dT%H:%M:%SZ}. Log in again, where that is not done by "
            "itself."
        )
    ends = f" until {until:%Y-%m-%dT%H:%M:%SZ}" if until else ""
    try:
        with raw_failures():
            who = _identity(session, clients.region)
    except FAILURES as error:
        return warning(
            f"{origin}{ends}, {place}; STS did not say who that is ({summary_of(error)}). "
            "Where S3 is AWS's own, check that the credentials are valid and STS can be reached."
        )
    return ok(f"{who}, {origin}{ends}, {place}")


def source_bucket(subject: Subject) -> Verdict:
    """Find the bucket of the event objects."""
    return _bucket(bucket_of(subject.source.location))


def checkpoint_bucket(subject: Subject) -> Verdict:
    """Find the bucket of the checkpoint."""
    return _bucket(bucket_of(subject.store.location))


def clock(subject: Subject) -> Verdict:
    """Hold this machine's clock against S3's, by the second."""
    places = (subject.source.location, subject.store.location)
    bucket = next(bucket_of(place) for place in places if place.startswith("s3://"))
    answer = _asked_for(bucket)
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return skipped("the server does not tell its time")
    ahead = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    found = f"this machine's clock is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
    if abs(ahead) >= _REFUSED_FROM_S and _status(answer) in {400, 401, 403}:
        return failed(f"{found}, so that S3 refuses every request. Set the clock.")
    if abs(ahead) >= _NOTED_FROM_S:
        return warning(f"{found}; from 15 minutes on S3 refuses requests. Set the clock.")
    return ok(found)


def source_listing(subject: Subject) -> Verdict:
    """List one page below the source's folder."""
    location = subject.source.location
    client = current_clients().single
    with explained(location, "listing"):
        page = retrying(
            lambda: client.list_objects_v2(Bucket=bucket_of(location), Prefix=key_of(location)),
            first_pause_s=FIRST_PAUSE_S,
        )
    listed = page.get("Contents", [])
    keys = [each["Key"] for each in listed if each.get("StorageClass") not in ARCHIVE_CLASSES]
    return judge_listing(subject, keys, archived=len(listed) - len(keys), more=page["IsTruncated"])


def _identity(session: Session, region: str) -> str:
    config = Config(
        connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"total_max_attempts": 1}
    )
    client: Any = session.client("sts", region_name=region, config=config)
    try:
        return str(client.get_caller_identity()["Arn"])
    finally:
        client.close()


def _expiry(found: Credentials) -> datetime | None:
    """Return when temporary credentials end, None for others."""
    # botocore tells nobody, but keeps it there.
    until = getattr(found, "_expiry_time", None)
    return until.astimezone(UTC) if isinstance(until, datetime) else None


def _bucket(bucket: str) -> Verdict:
    """Find out whether a bucket exists, and where.

    The function's role may not ask for a bucket as a whole: its permission to list is for a folder.
    S3 then refuses, and tells the region nevertheless. Whether a run can list is checked afterwards.
    """
    answer = _asked_for(bucket)
    status = _status(answer)
    if status not in {200, 403}:
        # Other servers may not know this question. A run lists, and so that decides.
        client = current_clients().single
        with explained(f"s3://{bucket}", "looking for the bucket"):
            try:
                answer = retrying(
                    lambda: client.list_objects_v2(Bucket=bucket, MaxKeys=1),
                    first_pause_s=FIRST_PAUSE_S,
                )
            except ClientError as error:
                # A policy may allow the folder alone.
                if status_of(error) != 403:
                    raise
    clients = current_clients()
    region, own = region_in(answer) or clients.told_region(bucket), clients.region
    if region and region != own:
        return warning(
            f"{bucket}: is in {region}, and requests are signed for {own}, so that they are "
            f"redirected. Set AWS_REGION to {region}."
        )
    limits = "; asking for the bucket as a whole is not allowed" if status == 403 else ""
    return ok(f"{bucket}: exists{f', in {region}' if region else ''}{limits}")


def _asked_for(bucket: str) -> Mapping[str, Any]:
    """Return S3's answer for a bucket, also where it is that there is none, or a refusal."""
    client = current_clients().single
    with explained(f"s3://{bucket}", "looking for the bucket"):
        try:
            return retrying(lambda: client.head_bucket(Bucket=bucket), first_pause_s=FIRST_PAUSE_S)
        except ClientError as error:
            return error.response


def _status(answer: Mapping[str, Any]) -> int:
    """Return an answer's HTTP status."""
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])
