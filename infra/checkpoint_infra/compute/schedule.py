"""When the function runs, and when a run must have succeeded."""

import json

import pulumi
import pulumi_aws as aws

from checkpoint_infra.monitoring.metrics import NAMESPACE, RUN_EXPECTED, Metrics
from checkpoint_infra.naming import Names
from checkpoint_infra.policies import Policy, deadline_policy, scheduler_policy, scheduler_trust
from checkpoint_infra.settings.stack import Configuration

__all__ = ["Schedule"]


class Schedule(pulumi.ComponentResource):
    """A schedule that invokes the alias; what it cannot deliver goes to a queue.

    Delivery alone is tried again here. A run that fails is the function's own concern. Where the
    stack has a deadline, a second schedule puts a metric there that says that it has come.

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
        self._config, self._undelivered = config, undelivered
        self._names = names = Names(config)
        # Schedules have no tags of their own; their group has, and the roles are for it only.
        self._group = aws.scheduler.ScheduleGroup(
            "schedule", name=names.function, opts=pulumi.ResourceOptions(parent=self)
        )
        self._add(
            "schedule",
            name=names.function,
            description=f"Runs {names.function}",
            expression=config.schedule.expression,
            # Everything that the function needs is in its environment.
            target={"arn": target, "input": "{}"},
            policies=self._role("scheduler", names.scheduler_role, scheduler_policy(names)),
        )
        if config.alarms.deadline:
            self._add(
                "deadline",
                name=names.deadline,
                description=f"Says that a run of {names.function} must have succeeded by now",
                expression=config.alarms.deadline,
                target={
                    "arn": f"arn:{names.partition}:scheduler:::aws-sdk:cloudwatch:putMetricData",
                    "input": json.dumps(_run_expected(config)),
                },
                policies=self._role("deadline", names.deadline, deadline_policy(names)),
            )
        self.register_outputs({})

    def _role(
        self, resource_name: str, name: str, policy: Policy
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        role = aws.iam.Role(
            resource_name,
            name=name,
            description=f"What the schedules of {self._names.function} may do",
            assume_role_policy=json.dumps(scheduler_trust(self._names)),
            permissions_boundary=self._config.permissions_boundary_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return role, aws.iam.RolePolicy(
            resource_name,
            name=name,
            role=role.name,
            policy=json.dumps(policy),
            opts=pulumi.ResourceOptions(parent=role),
        )

    def _add(
        self,
        resource_name: str,
        *,
        name: str,
        description: str,
        expression: str,
        target: dict[str, pulumi.Input[str]],
        policies: tuple[aws.iam.Role, aws.iam.RolePolicy],
    ) -> None:
        wanted, (role, policy) = self._config.schedule, policies
        aws.scheduler.Schedule(
            resource_name,
            name=name,
            group_name=self._group.name,
            description=description,
            schedule_expression=expression,
            schedule_expression_timezone=wanted.time_zone,
            state="ENABLED" if wanted.enabled else "DISABLED",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": target["arn"],
                "input": target["input"],
                "role_arn": role.arn,
                "retry_policy": {
                    "maximum_retry_attempts": wanted.max_retries,
                    "maximum_event_age_in_seconds": wanted.max_event_age_s,
                },
                "dead_letter_config": {"arn": self._undelivered},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


def _run_expected(config: Configuration) -> dict[str, object]:
    """Return what PutMetricData is asked for."""
    dimensions = [
        {"Name": name, "Value": value} for name, value in Metrics(config).dimensions.items()
    ]
    datum = {"MetricName": RUN_EXPECTED, "Dimensions": dimensions, "Value": 1}
    return {"Namespace": NAMESPACE, "MetricData": [datum]}
