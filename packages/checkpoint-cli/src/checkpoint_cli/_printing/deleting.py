"""The commands by which an operator deletes event objects, which nothing here may delete."""

import json
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["commands_for"]


def commands_for(keys: Iterable[str], source: str) -> list[str]:
    """Return a shell command for each object, which deletes it and in a bucket all its versions.

    `source` is the location that the keys are of: in S3 they are whole, in a directory below it.
    """
    bucket = re.match(r"s3://([^/]+)", source)
    if bucket:
        return [_of_object(bucket[1], key) for key in keys]
    folder = Path(unquote(urlsplit(source).path) if source.startswith("file://") else source)
    return [f"rm -- {shlex.quote(str(folder / key))}" for key in keys]


def _of_object(bucket: str, key: str) -> str:
    """In a bucket without versions the one there is has the id `null`."""
    literal = json.dumps(key).replace("`", "\\`")
    query = f"[Versions,DeleteMarkers][] | [?Key==`{literal}`].VersionId"
    at = f"--bucket {shlex.quote(bucket)}"
    return (
        f"aws s3api list-object-versions {at} --prefix {shlex.quote(key)} "
        f"--query {shlex.quote(query)} --output text | tr '\\t' '\\n' | while read -r id; do "
        f'aws s3api delete-object {at} --key {shlex.quote(key)} --version-id "$id"; done'
    )
