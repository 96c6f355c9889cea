"""What a tag may be, for all services that get it."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

__all__ = ["MOST_TAGS", "tag_problems"]

# An object in S3 takes ten, and no other resource fewer.
MOST_TAGS: Final = 10

# What all services accept; some accept more.
_TEXT: Final = re.compile(r"[\w .:/=+@-]*")


def tag_problems(tags: Mapping[str, str], own: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong with a stack's tags, to which `own` are added.

    IAM compares keys without regard to case, so that `Environment` beside our own `environment`
    would be refused in the middle of a deployment.
    """
    most = MOST_TAGS - len(own)
    if len(tags) > most:
        yield f"tags: {len(tags)} are too many; with our own {len(own)} there is room for {most}"
    seen = {key.lower(): f"{key}, which every resource has anyway" for key in own}
    for key, value in tags.items():
        at = f"tags.{key}"
        if key.lower() in seen:
            yield f"{at}: is the same as {seen[key.lower()]}; case makes no difference"
        seen[key.lower()] = key
        if key.lower().startswith("aws:"):
            yield f"{at}: must not begin with aws:, which AWS keeps for itself"
        if not 1 <= len(key) <= 128:
            yield f"{at}: must be 1 to 128 characters long"
        if len(value) > 256:
            yield f"{at}: must have at most 256 characters"
        for what, text in (("name", key), ("value", value)):
            if not _TEXT.fullmatch(text):
                yield f"{at}: its {what} may have letters, digits, spaces and _ . : / = + - @"
