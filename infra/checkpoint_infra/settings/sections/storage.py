"""Where event objects, checkpoint, archives and access logs are."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta
from typing_extensions import override

from checkpoint_infra.settings.kinds import BucketName, Days, Folder, Key, KmsKeyArn
from checkpoint_infra.settings.rules.buckets import name_problems
from checkpoint_infra.settings.sections.base import Section

__all__ = ["AccessLogs", "Archive", "Artifacts", "Checkpoint", "Source"]


class Archive(Section, frozen=True):
    """When event objects are moved to cheaper storage, and when they are removed.

    Objects of a few hundred bytes cost more archived than not: an archived object is billed for
    40 KB more than it has. A run cannot read what is archived, only what is restored.
    """

    glacier_days: Days | None = None
    deep_archive_days: Days | None = None
    expiry_days: Days | None = None

    @override
    def problems(self) -> Iterator[str]:
        """Ask for at least one of them, each later than the one before, as S3 does."""
        steps = [self.glacier_days, self.deep_archive_days, self.expiry_days]
        days = [step for step in steps if step is not None]
        if not days:
            yield "give at least one of glacierDays, deepArchiveDays and expiryDays"
        if days != sorted(set(days)):
            yield "glacierDays, deepArchiveDays and expiryDays must follow one another"
        # A minimum of storage time is billed anyhow, and S3 refuses the second step before it.
        if (
            self.glacier_days
            and self.deep_archive_days
            and self.deep_archive_days - self.glacier_days < 90
        ):
            yield "deepArchiveDays must be at least 90 days after glacierDays"


class _DataBucket(Section, frozen=True):
    """A bucket that holds what nobody can make again.

    `create` makes the bucket, `owns_lifecycle` replaces whatever lifecycle rules an existing one
    has; a bucket has one set of rules, so that only one stack may own them.
    """

    bucket: BucketName
    create: bool = False
    owns_lifecycle: bool = False
    noncurrent_days: Days = 30
    kms_key_arn: KmsKeyArn | None = None

    @override
    def problems(self) -> Iterator[str]:
        """Refuse a name that S3 would refuse."""
        yield from name_problems("bucket", self.bucket)


class Source(_DataBucket, frozen=True):
    """The bucket of the event objects, and the folder that they are in."""

    prefix: Folder = ""
    archive: Archive | None = None

    @override
    def problems(self) -> Iterator[str]:
        """Refuse rules for a bucket whose rules are somebody else's."""
        yield from super().problems()
        if self.archive and not (self.create or self.owns_lifecycle):
            yield "archive needs create or ownsLifecycle: it replaces the bucket's lifecycle rules"


class Checkpoint(_DataBucket, frozen=True):
    """The bucket and the key of the checkpoint."""

    key: Key = "checkpoints/events.parquet"

    @property
    def folder(self) -> str:
        """The part of the key before the file's name, with its slash; may be empty."""
        return self.key[: self.key.rfind("/") + 1]

    @property
    def stem(self) -> str:
        """The file's name without its suffix."""
        return self.key[len(self.folder) :].removesuffix(".parquet")


class Artifacts(Section, frozen=True):
    """The archives that were built, and the bucket through which layers are published."""

    path: Annotated[str, Meta(min_length=1)] = "../dist/lambda"
    bucket: BucketName | None = None
    prefix: Folder = "lambda-layers/"
    create: bool = False

    @override
    def problems(self) -> Iterator[str]:
        """Refuse to create a bucket without a name."""
        if self.create and self.bucket is None:
            yield "create needs a bucket's name"
        if self.bucket is not None:
            yield from name_problems("bucket", self.bucket)


class AccessLogs(Section, frozen=True):
    """Where S3 logs the requests to the buckets that are created here.

    The logs hold the keys of event objects, and with them participants' ids: they are removed after
    `retention_days`. An existing bucket must let `logging.s3.amazonaws.com` in.
    """

    bucket: BucketName
    prefix: Folder = "access-logs/"
    create: bool = False
    retention_days: Days = 90

    @override
    def problems(self) -> Iterator[str]:
        """Refuse a name that S3 would refuse."""
        yield from name_problems("bucket", self.bucket)
