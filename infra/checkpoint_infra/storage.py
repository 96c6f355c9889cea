"""Buckets: existing ones by name, or made here with everything that a bucket must have."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from checkpoint_infra.config import Archive, Artifacts, Checkpoint, Source
from checkpoint_infra.naming import Names
from checkpoint_infra.policies import refuse_insecure_transport

__all__ = ["ArtifactBucket", "Bucket", "checkpoint_rules", "source_rules"]

_UNFINISHED_DAYS = 7
_OLD_ARTIFACT_DAYS = 90

Rule = aws.s3.BucketLifecycleConfigurationRuleArgsDict


class Bucket(pulumi.ComponentResource):
    """A bucket that is versioned, encrypted, private and protected, or an existing one as it is.

    Args:
        resource_name: what it is for.
        names: the stack's names.
        bucket: the bucket's name.
        create: whether to make it.
        rules: its lifecycle; replaces what there is. None: left alone.
        kms_key_arn: what it encrypts with by default, S3's own key otherwise.

    """

    name: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        names: Names,
        bucket: str,
        create: bool,
        rules: Sequence[Rule] | None,
        kms_key_arn: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:Bucket", resource_name, None, opts)
        self._resource_name = resource_name
        self._names = names
        self.name = pulumi.Output.from_input(bucket)
        if create:
            self.name = self._create(bucket, kms_key_arn)
        if rules is not None:
            self._set_lifecycle(rules)
        self.register_outputs({"name": self.name})

    def _create(self, bucket: str, kms_key_arn: str | None) -> pulumi.Output[str]:
        made = aws.s3.Bucket(
            self._resource_name,
            bucket=bucket,
            force_destroy=False,
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        name, inside = self._resource_name, pulumi.ResourceOptions(parent=made)
        aws.s3.BucketVersioning(
            name,
            bucket=made.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=inside,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=made.bucket,
            rules=[_encryption(kms_key_arn)],
            opts=inside,
        )
        aws.s3.BucketOwnershipControls(
            name,
            bucket=made.bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=inside,
        )
        private = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=made.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=inside,
        )
        arn = self._names.bucket_arn(bucket)
        aws.s3.BucketPolicy(
            name,
            bucket=made.bucket,
            policy=json.dumps(refuse_insecure_transport("s3:*", arn, f"{arn}/*")),
            # Two changes of one bucket at a time can conflict.
            opts=pulumi.ResourceOptions(parent=made, depends_on=[private]),
        )
        return made.bucket

    def _set_lifecycle(self, rules: Sequence[Rule]) -> None:
        aws.s3.BucketLifecycleConfiguration(
            self._resource_name,
            bucket=self.name,
            rules=list(rules),
            # The default leaves objects below 128 KB alone, and event objects are far smaller.
            transition_default_minimum_object_size="varies_by_storage_class",
            opts=pulumi.ResourceOptions(parent=self),
        )


class ArtifactBucket(Bucket):
    """The bucket through which layers are published; Lambda keeps a copy of its own."""

    def __init__(
        self,
        artifacts: Artifacts,
        bucket: str,
        *,
        names: Names,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        rules = _tidying(noncurrent_days=_OLD_ARTIFACT_DAYS)
        super().__init__(
            "artifacts",
            names=names,
            bucket=bucket,
            create=artifacts.create,
            rules=rules if artifacts.create else None,
            opts=opts,
        )


def source_rules(source: Source) -> list[Rule] | None:
    """Archive event objects, and nothing else that may be in the bucket; tidy up the bucket.

    None where the bucket's lifecycle is somebody else's.
    """
    if not (source.create or source.owns_lifecycle):
        return None
    rules = _tidying(noncurrent_days=source.noncurrent_days)
    if source.archive:
        # Event objects are named so, and checkpoint, ledgers and rejects are not.
        rules.append(_archiving(f"{source.prefix}log-", source.archive))
    return rules


def checkpoint_rules(checkpoint: Checkpoint) -> list[Rule] | None:
    """Remove what replaced versions leave behind, and never what is current.

    Rules know age, not reference: one that expired current objects would take ledgers that are in
    force. None where the bucket's lifecycle is somebody else's.
    """
    if not (checkpoint.create or checkpoint.owns_lifecycle):
        return None
    return _tidying(noncurrent_days=checkpoint.noncurrent_days)


def _encryption(
    kms_key_arn: str | None,
) -> aws.s3.BucketServerSideEncryptionConfigurationRuleArgsDict:
    if kms_key_arn is None:
        return {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
    return {
        "apply_server_side_encryption_by_default": {
            "sse_algorithm": "aws:kms",
            "kms_master_key_id": kms_key_arn,
        },
        # One request to KMS for many objects instead of one for each.
        "bucket_key_enabled": True,
    }


def _tidying(*, noncurrent_days: int) -> list[Rule]:
    return [
        {
            "id": "unfinished-uploads",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": _UNFINISHED_DAYS},
        },
        {
            "id": "noncurrent-versions",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": noncurrent_days},
            # What is left of an object without versions.
            "expiration": {"expired_object_delete_marker": True},
        },
    ]


def _archiving(prefix: str, archive: Archive) -> Rule:
    steps = [("GLACIER", archive.glacier_days), ("DEEP_ARCHIVE", archive.deep_archive_days)]
    rule: Rule = {
        "id": "event-objects",
        "status": "Enabled",
        "filter": {"prefix": prefix},
        "transitions": [
            {"days": days, "storage_class": kind} for kind, days in steps if days is not None
        ],
    }
    if archive.expiry_days is not None:
        rule["expiration"] = {"days": archive.expiry_days}
    return rule
