"""What a bucket keeps of objects besides the objects: noncurrent versions, marks of deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkpoint_storage.s3._answers import BadAnswerError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectVersionsRequestTypeDef


def older_versions(client: S3Client, bucket: str, key: str) -> list[tuple[str, str]]:
    """Return key and version of each, of one object or, below a prefix that ends in `/`, of all.

    Versions before marks: a mark that goes first would bring a version back into force.
    The list is whole only where S3 has said that it ends. Raises what is in FAILURES.
    """
    versions, marks = [], []
    is_folder = key[-1:] in {"", "/"}
    wanted: ListObjectVersionsRequestTypeDef = {"Bucket": bucket, "Prefix": key}
    while True:
        page = client.list_object_versions(**wanted)
        versions += [
            (each["Key"], each["VersionId"])
            for each in page.get("Versions", [])
            if not each["IsLatest"] and (is_folder or each["Key"] == key)
        ]
        marks += [
            (each["Key"], each["VersionId"])
            for each in page.get("DeleteMarkers", [])
            if is_folder or each["Key"] == key
        ]
        if page.get("IsTruncated") is False:
            return versions + marks
        if not page.get("NextKeyMarker"):
            raise BadAnswerError(200, "no end of the list of versions")
        wanted["KeyMarker"] = page["NextKeyMarker"]
        wanted["VersionIdMarker"] = page.get("NextVersionIdMarker", "")
