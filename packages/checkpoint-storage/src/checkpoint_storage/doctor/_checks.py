"""The tables of checks: for each kind of place the small functions that look at it, in order."""

from checkpoint_storage.doctor._checkpoint import condition, folder_listing, missing_file
from checkpoint_storage.doctor._directory import (
    folder_permissions,
    free_space,
    locks,
    one_file_system,
    writing_in_folder,
)
from checkpoint_storage.doctor._examination import Check, Subject
from checkpoint_storage.doctor._machine import temporary_room, versions
from checkpoint_storage.doctor._probing import conditional_writes, removing, writing_beside_ledgers
from checkpoint_storage.doctor._source import directory_listing, object_reading


def checks_for(subject: Subject) -> list[Check]:
    """Return the checks that a source and a checkpoint of these kinds need, in their order."""
    source_in_s3, checkpoint_in_s3 = (
        place.location.startswith("s3://") for place in (subject.source, subject.store)
    )
    return [
        Check("versions", versions),
        *(_access_to_s3() if source_in_s3 or checkpoint_in_s3 else ()),
        *(_source_in_s3() if source_in_s3 else _source_in_directory()),
        *(_checkpoint_in_s3() if checkpoint_in_s3 else _checkpoint_in_directory()),
    ]


def _access_to_s3() -> list[Check]:
    # Here, because what is only on directories needs nothing of it, and it takes its time.
    from checkpoint_storage.doctor._s3.access import clock, credentials  # noqa: PLC0415

    return [Check("credentials", credentials), Check("clock", clock, needs=("credentials",))]


def _source_in_directory() -> list[Check]:
    return [
        Check("source listing", directory_listing),
        Check("source reading", object_reading, needs=("source listing",)),
    ]


def _source_in_s3() -> list[Check]:
    from checkpoint_storage.doctor._s3.access import source_bucket, source_listing  # noqa: PLC0415

    return [
        Check("source bucket", source_bucket, needs=("credentials",)),
        Check("source listing", source_listing, needs=("source bucket",)),
        Check("source reading", object_reading, needs=("source listing",)),
    ]


def _checkpoint_in_directory() -> list[Check]:
    folder = ("checkpoint folder",)
    return [
        Check("checkpoint folder", folder_permissions),
        Check("one file system", one_file_system, needs=folder),
        Check("ledgers", folder_listing, needs=folder),
        Check("checkpoint", condition, needs=folder),
        Check("writing", writing_in_folder, needs=folder, writes=True),
        Check("conditional writes", conditional_writes, needs=("writing",), writes=True),
        Check("locks", locks, needs=folder, writes=True),
        Check("free space", free_space, needs=folder),
    ]


def _checkpoint_in_s3() -> list[Check]:
    from checkpoint_storage.doctor._s3.access import checkpoint_bucket  # noqa: PLC0415
    from checkpoint_storage.doctor._s3.bucket import (  # noqa: PLC0415
        default_encryption,
        lifecycle,
        probe_encryption,
        public_access,
        versioning,
    )

    bucket, written = ("checkpoint bucket",), ("writing",)
    return [
        Check("checkpoint bucket", checkpoint_bucket, needs=("credentials",)),
        Check("ledgers", folder_listing, needs=bucket),
        Check("missing file", missing_file, needs=bucket),
        Check("checkpoint", condition, needs=bucket),
        Check("writing", writing_beside_ledgers, needs=bucket, writes=True),
        Check("conditional writes", conditional_writes, needs=written, writes=True),
        Check("encryption", probe_encryption, needs=written, writes=True),
        Check("removing", removing, needs=written, writes=True),
        Check("default encryption", default_encryption, needs=bucket),
        Check("versioning", versioning, needs=bucket),
        Check("public access", public_access, needs=bucket),
        Check("lifecycle", lifecycle, needs=bucket),
        Check("free space", temporary_room),
    ]
