"""What analysts find in Athena."""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta
from typing_extensions import override

from checkpoint_infra.settings.kinds import BucketName, DatabaseName, Days, Folder, KmsKeyArn
from checkpoint_infra.settings.rules.buckets import name_problems
from checkpoint_infra.settings.sections.base import Section

__all__ = ["TABLE", "VIEW", "Athena", "Workgroup"]

TABLE: Final = "checkpoint_events"
# What analysts make of it, by a saved query.
VIEW: Final = "checkpoint_submissions"


class Workgroup(Section, frozen=True):
    """A workgroup with saved queries; its settings hold for everybody who works in it.

    Results are encrypted, in an existing bucket or the checkpoint's; there this stack removes them
    after `result_days` where the bucket's lifecycle is its own. A query that would scan more than
    `scan_limit_mb` is stopped.
    """

    results_bucket: BucketName
    results_prefix: Annotated[Folder, Meta(min_length=2)] = "athena-results/"
    result_days: Days = 30
    kms_key_arn: KmsKeyArn | None = None
    scan_limit_mb: Annotated[int, Meta(ge=10, le=10_000_000)] = 10_000

    @override
    def problems(self) -> Iterator[str]:
        """Refuse a name that S3 would refuse."""
        yield from name_problems("resultsBucket", self.results_bucket)


class Athena(Section, frozen=True):
    """The database of the table `checkpoint_events`; a stack's own, or one made here."""

    database: DatabaseName
    create_database: bool = True
    workgroup: Workgroup | None = None
