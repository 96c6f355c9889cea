"""When the function runs."""

import json

import pulumi
import pulumi_aws as aws

from checkpoint_infra.config import Configuration
from checkpoint_infra.naming import Names
from checkpoint_infra.policies import scheduler_policy, scheduler_trust

__all__ = ["Schedule"]


class Schedule(pulumi.ComponentResource):
    """A schedule that invokes the alias; what it cannot deliver goes to a queue.

    Delivery alone is tried again here. A run that fails is the function's own concern.

    Args:
        config: the stack's configuration.
        target: the ARN of the function's alias.
        undelivered: the ARN of the queue.

    """

    def __init__(
        self,
        config: Configuration,
        *,
        target: pulumi.Input[str],
        undelivered: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:Schedule", "schedule", None, opts)
        names, wanted = Names(config), config.schedule
        inside = pulumi.ResourceOptions(parent=self)
        # Schedules have no tags of their own; their group has, and the role is for this group only.
        group = aws.scheduler.ScheduleGroup("schedule", name=names.function, opts=inside)
        role = aws.iam.Role(
            "scheduler",
            name=names.scheduler_role,
            description=f"Invokes {names.function}",
            assume_role_policy=json.dumps(scheduler_trust(names)),
            opts=inside,
        )
        policy = aws.iam.RolePolicy(
            "scheduler",
            name=names.scheduler_role,
            role=role.name,
            policy=json.dumps(scheduler_policy(names)),
            opts=pulumi.ResourceOptions(parent=role),
        )
        aws.scheduler.Schedule(
            "schedule",
            name=names.function,
            group_name=group.name,
            description=f"Runs {names.function}",
            schedule_expression=wanted.expression,
            schedule_expression_timezone=wanted.time_zone,
            state="ENABLED" if wanted.enabled else "DISABLED",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": target,
                "role_arn": role.arn,
                # Everything that the function needs is in its environment.
                "input": "{}",
                "retry_policy": {
                    "maximum_retry_attempts": wanted.max_retries,
                    "maximum_event_age_in_seconds": wanted.max_event_age_s,
                },
                "dead_letter_config": {"arn": undelivered},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({})
