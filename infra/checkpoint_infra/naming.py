"""The names and ARNs of what a stack consists of, all derived from its configuration."""

from msgspec import Struct

from checkpoint_infra.settings.stack import Configuration

__all__ = ["Names"]


class Names(Struct, frozen=True):
    """What things are called.

    Names are fixed rather than made by Pulumi, so that a policy can be written, read and tested
    without waiting for the resources that it speaks of.
    """

    config: Configuration

    @property
    def function(self) -> str:
        """The function, its dashboard and its schedule's group; the first part of the rest."""
        return f"{self.config.service}-{self.config.environment}"

    @property
    def alias(self) -> str:
        """The alias that is invoked."""
        return self.config.environment

    @property
    def log_group(self) -> str:
        """The function's log group."""
        return f"/aws/lambda/{self.function}"

    @property
    def role(self) -> str:
        """The function's role."""
        return f"{self.function}-role"

    @property
    def scheduler_role(self) -> str:
        """The role that the scheduler invokes the function with."""
        return f"{self.function}-scheduler"

    @property
    def deadline(self) -> str:
        """The schedule that says when a run must have succeeded, and the role that it has."""
        return f"{self.function}-deadline"

    @property
    def alarm_topic(self) -> str:
        """The topic that alarms are told to."""
        return f"{self.function}-alarms"

    @property
    def updates(self) -> str:
        """The rule about new checkpoints, and the topic that tells of them."""
        return f"{self.function}-updates"

    @property
    def failed_runs(self) -> str:
        """The queue of invocations that failed."""
        return f"{self.function}-failed-runs"

    @property
    def undelivered(self) -> str:
        """The queue of invocations that the scheduler could not deliver."""
        return f"{self.function}-undelivered"

    @property
    def checkpoint_location(self) -> str:
        """The checkpoint's URI."""
        return f"s3://{self.config.checkpoint.bucket}/{self.config.checkpoint.key}"

    @property
    def partition(self) -> str:
        """The first part of ARNs in this region."""
        if self.config.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.config.region.startswith("us-gov-") else "aws"

    def alarm(self, alarm: str) -> str:
        """Return an alarm's name in CloudWatch."""
        return f"{self.function}-{alarm}"

    def layer(self, layer: str) -> str:
        """Return the name that a layer is published under, the same in all environments."""
        return self.config.layers.by_name()[layer].name or f"{self.config.service}-{layer}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something in this account and region."""
        return (
            f"arn:{self.partition}:{service}:{self.config.region}:{self.config.account}:{resource}"
        )

    def bucket_arn(self, bucket: str) -> str:
        """Return a bucket's ARN."""
        return f"arn:{self.partition}:s3:::{bucket}"

    def aws_host(self) -> str:
        """Return the domain of service endpoints."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
