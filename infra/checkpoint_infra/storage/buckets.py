"""Buckets: existing ones by name, or made here with everything that a bucket must have."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from checkpoint_infra.naming import Names
from checkpoint_infra.policies import Statement, allow_service, refuse_insecure_transport
from checkpoint_infra.settings.sections.storage import AccessLogs, Artifacts
from checkpoint_infra.storage.lifecycle import Rule, artifact_rules, log_rules

__all__ = ["ArtifactBucket", "Bucket", "LogBucket"]


class Bucket(pulumi.ComponentResource):
    """A bucket that is versioned, encrypted, private and protected, or an existing one as it is.

    Args:
        resource_name: what it is for.
        names: the stack's names.
        bucket: the bucket's name.
        create: whether to make it.
        rules: its lifecycle; replaces what there is. None: left alone.
        kms_key_arn: what it encrypts with by default, S3's own key otherwise.
        logs: where requests to it are logged, if it is made.
        besides: what its policy allows, if it is made.

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
        logs: "LogBucket | None" = None,
        besides: tuple[Statement, ...] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:Bucket", resource_name, None, opts)
        self._resource_name = resource_name
        self._names = names
        self._logs = logs
        self._besides = besides
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
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True),
        )
        # A bucket that is given away, or outlives its stack, keeps its settings.
        inside = pulumi.ResourceOptions(parent=made, retain_on_delete=True)
        name = self._resource_name
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
        policy = refuse_insecure_transport("s3:*", arn, f"{arn}/*", besides=self._besides)
        aws.s3.BucketPolicy(
            name,
            bucket=made.bucket,
            policy=json.dumps(policy),
            # Two changes of one bucket at a time can conflict.
            opts=pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[private])),
        )
        if self._logs:
            aws.s3.BucketLogging(
                name,
                bucket=made.bucket,
                target_bucket=self._logs.name,
                target_prefix=f"{self._logs.prefix}{bucket}/",
                opts=inside,
            )
        return made.bucket

    def _set_lifecycle(self, rules: Sequence[Rule]) -> None:
        aws.s3.BucketLifecycleConfiguration(
            self._resource_name,
            bucket=self.name,
            rules=list(rules),
            # The default leaves objects below 128 KB alone, and event objects are far smaller.
            transition_default_minimum_object_size="varies_by_storage_class",
            # Removed, they would leave a bucket without any rules.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )


class LogBucket(Bucket):
    """The bucket that S3 logs the requests to other buckets to.

    S3 writes to it without KMS keys of customers.
    """

    prefix: str

    def __init__(
        self,
        access_logs: AccessLogs,
        *,
        names: Names,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self.prefix = access_logs.prefix
        arn = f"{names.bucket_arn(access_logs.bucket)}/{access_logs.prefix}*"
        ours = {"StringEquals": {"aws:SourceAccount": names.config.account}}
        service = "logging.s3.amazonaws.com"
        super().__init__(
            "access-logs",
            names=names,
            bucket=access_logs.bucket,
            create=access_logs.create,
            rules=log_rules(access_logs) if access_logs.create else None,
            besides=(allow_service("TakeAccessLogs", service, "s3:PutObject", arn, ours),),
            opts=opts,
        )


class ArtifactBucket(Bucket):
    """The bucket through which layers are published; Lambda keeps a copy of its own."""

    def __init__(
        self,
        artifacts: Artifacts,
        bucket: str,
        *,
        names: Names,
        logs: LogBucket | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            "artifacts",
            names=names,
            bucket=bucket,
            create=artifacts.create,
            rules=artifact_rules() if artifacts.create else None,
            logs=logs,
            opts=opts,
        )


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
