"""What may be set of reading from S3 and writing to it, with its default and its meaning."""

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["S3Settings"]


class S3Settings(Struct, frozen=True, kw_only=True):
    """How S3 is used."""

    kms_key_id: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9:/_-]{1,2048}\Z")] | None,
        Meta(
            description="The KMS key, by id, ARN or alias, that everything written is encrypted with.",
            title="the id, the ARN or the alias of a KMS key",
            extra={"missing": "the bucket's own default encryption"},
        ),
    ] = None
    read_concurrency: Annotated[
        int,
        Meta(
            ge=1,
            le=1_024,
            description="How many objects are read from S3 at once; fewer where this machine's limits of open files and threads demand it.",
        ),
    ] = 256
