"""The queues that keep failed runs, and invocations that could not be delivered."""

import json

import pulumi
import pulumi_aws as aws

from checkpoint_infra.naming import Names
from checkpoint_infra.policies import refuse_insecure_transport

__all__ = ["Queue"]

_RETENTION_S = 14 * 24 * 3600


class Queue(pulumi.ComponentResource):
    """An encrypted queue that keeps messages for two weeks, the longest that SQS offers."""

    arn: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        queue_name: str,
        *,
        names: Names,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:Queue", resource_name, None, opts)
        queue = aws.sqs.Queue(
            resource_name,
            name=queue_name,
            message_retention_seconds=_RETENTION_S,
            sqs_managed_sse_enabled=True,
            # Another name must not take along what nobody has read yet.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        arn = names.arn("sqs", queue_name)
        aws.sqs.QueuePolicy(
            resource_name,
            queue_url=queue.url,
            policy=json.dumps(refuse_insecure_transport("sqs:*", arn)),
            opts=pulumi.ResourceOptions(parent=queue, retain_on_delete=True),
        )
        self.arn = queue.arn
        self.register_outputs({"arn": self.arn})
