"""Event objects and checkpoints in S3."""

from checkpoint_storage.s3._source import S3Source
from checkpoint_storage.s3._store import S3Store

__all__ = ["S3Source", "S3Store"]
