"""What a bucket may be called."""

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["name_problems"]

_ADDRESS: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
# S3 keeps these for access points, directory buckets and its like.
_PREFIXES: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def name_problems(setting: str, name: str) -> Iterator[str]:
    """Say why S3 would refuse a name that has the right characters and length."""
    if ".." in name:
        yield f"{setting}: has two dots in a row, which no bucket's name has"
    if _ADDRESS.fullmatch(name):
        yield f"{setting}: looks like an IP address, which no bucket's name does"
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            yield f"{setting}: must not begin with {prefix}, which S3 keeps for itself"
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            yield f"{setting}: must not end with {suffix}, which S3 keeps for itself"
