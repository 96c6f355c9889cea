"""Telling others of each new checkpoint."""

import hashlib
import json

import pulumi
import pulumi_aws as aws

from checkpoint_infra.naming import Names
from checkpoint_infra.policies import allow_service, refuse_insecure_transport
from checkpoint_infra.settings.sections.operation import Notification
from checkpoint_infra.settings.stack import Configuration

__all__ = ["CheckpointNotification"]


class CheckpointNotification(pulumi.ComponentResource):
    """A rule of EventBridge about the checkpoint's key alone, and who is told.

    Ledgers and rejects, which are written into the same folder, tell nobody.

    Args:
        config: the stack's configuration.
        wanted: who is told.
        bucket: the checkpoint's bucket.

    """

    topic_arn: pulumi.Output[str] | None

    def __init__(
        self,
        config: Configuration,
        wanted: Notification,
        *,
        bucket: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:CheckpointNotification", "notification", None, opts)
        self._names = Names(config)
        inside = pulumi.ResourceOptions(parent=self)
        if config.checkpoint.create or wanted.owns_bucket_notifications:
            aws.s3.BucketNotification(
                "checkpoint",
                bucket=bucket,
                eventbridge=True,
                opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
            )
        rule = aws.cloudwatch.EventRule(
            "new-checkpoint",
            name=self._names.updates,
            description=f"A new version of {self._names.checkpoint_location}",
            event_pattern=json.dumps(_pattern(config)),
            opts=inside,
        )
        self.topic_arn = self._topic(wanted) if wanted.create_topic else None
        targets: dict[str, pulumi.Input[str]] = {
            hashlib.sha256(arn.encode()).hexdigest()[:12]: arn for arn in wanted.target_arns
        }
        if self.topic_arn is not None:
            targets["topic"] = self.topic_arn
        for name, arn in targets.items():
            aws.cloudwatch.EventTarget(
                f"new-checkpoint-{name}",
                rule=rule.name,
                target_id=name,
                arn=arn,
                opts=pulumi.ResourceOptions(parent=rule),
            )
        self.register_outputs({})

    def _topic(self, wanted: Notification) -> pulumi.Output[str]:
        names = self._names
        topic = aws.sns.Topic(
            "checkpoints",
            name=names.updates,
            kms_master_key_id=wanted.topic_kms_key_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        arn = names.arn("sns", names.updates)
        rule = names.arn("events", f"rule/{names.updates}")
        told = allow_service(
            "TellOfCheckpoints",
            "events.amazonaws.com",
            "sns:Publish",
            arn,
            {"ArnEquals": {"aws:SourceArn": rule}},
        )
        aws.sns.TopicPolicy(
            "checkpoints",
            arn=topic.arn,
            policy=json.dumps(refuse_insecure_transport("sns:Publish", arn, besides=(told,))),
            opts=pulumi.ResourceOptions(parent=topic),
        )
        return topic.arn


def _pattern(config: Configuration) -> dict[str, object]:
    checkpoint = config.checkpoint
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [checkpoint.bucket]}, "object": {"key": [checkpoint.key]}},
    }
