"""Reading a stored file: its end, or all of it, of one version."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, IncompleteReadError

from checkpoint_format.stores import Tail
from checkpoint_storage.s3._errors import status_of

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, GetObjectRequestTypeDef

_CHUNK_BYTES: Final = 1024 * 1024


def tail(client: S3Client, bucket: str, key: str, length_bytes: int) -> Tail:
    """Return the last bytes of a file with the version that they belong to.

    Raises what is in FAILURES.
    """
    if length_bytes > 0:
        try:
            answer = client.get_object(Bucket=bucket, Key=key, Range=f"bytes=-{length_bytes}")
        except ClientError as error:
            if status_of(error) != 416:
                raise
        else:
            with closing(answer["Body"]) as body:
                data = body.read()
            _check(answer, len(data))
            total = answer.get("ContentRange", "").rpartition("/")[2]
            size = int(total) if total else len(data)
            return Tail(data=data[-length_bytes:], etag=answer["ETag"], size_bytes=size)
    # Of an empty object S3 gives no last bytes.
    head = client.head_object(Bucket=bucket, Key=key)
    if length_bytes > 0 and head["ContentLength"]:
        # Replaced since by one with something in it.
        return tail(client, bucket, key, length_bytes)
    return Tail(data=b"", etag=head["ETag"], size_bytes=head["ContentLength"])


def download(client: S3Client, bucket: str, key: str, to: Path, etag: str | None) -> str:
    """Copy a file, whole, and return the etag of what came; with `etag`, asks for that version.

    Raises what is in FAILURES, and OSError where it cannot be kept.
    """
    wanted: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key}
    if etag is not None:
        wanted["IfMatch"] = etag
    answer = client.get_object(**wanted)
    with closing(answer["Body"]) as body, to.open("wb") as file:
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            file.write(chunk)
        _check(answer, file.tell())
    return answer["ETag"]


def _check(answer: GetObjectOutputTypeDef, length: int) -> None:
    if length != answer["ContentLength"]:
        raise IncompleteReadError(actual_bytes=length, expected_bytes=answer["ContentLength"])
