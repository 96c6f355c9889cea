"""The function with its role and its log group, its published versions and the alias."""

import json

import pulumi
import pulumi_aws as aws

from checkpoint_infra.compute.artifacts import Archive
from checkpoint_infra.compute.environment import function_variables, telemetry_variables
from checkpoint_infra.naming import Names
from checkpoint_infra.policies import function_policy, function_trust
from checkpoint_infra.settings.stack import Configuration

__all__ = ["Function"]

_HANDLER = "checkpoint_lambda.handler.lambda_handler"


class Function(pulumi.ComponentResource):
    """The function; its alias is what is to be invoked.

    Guarantee: every change publishes a version, which stays; the alias follows, or is kept on
    `pinned_version`.

    Args:
        config: the stack's configuration.
        archive: the function's code.
        layers: the layers' ARNs in order.
        failed_runs: the ARN of the queue that invocations go to when they fail.

    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    alias_arn: pulumi.Output[str]
    log_group: pulumi.Output[str]
    layers: pulumi.Output[list[str]]

    def __init__(
        self,
        config: Configuration,
        archive: Archive,
        *,
        layers: list[pulumi.Output[str]],
        failed_runs: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:Function", "function", None, opts)
        self._config = config
        self._names = Names(config)
        log_group = self._make_log_group()
        role, policy = self._make_role()
        function = self._make_function(archive, layers, role, [log_group, policy])
        alias = self._make_alias(function)
        self._set_invocation(function, alias, failed_runs, policy)
        self.name = function.name
        self.arn = function.arn
        self.alias_arn = alias.arn
        self.log_group = log_group.name
        self.layers = function.layers.apply(lambda arns: list(arns or []))
        self.register_outputs({"name": self.name, "alias_arn": self.alias_arn})

    def _make_log_group(self) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            "log-group",
            name=self._names.log_group,
            retention_in_days=self._config.function.log_retention_days,
            kms_key_id=self._config.function.log_kms_key_arn,
            # Another name for the service, or the stack's end, must not take the logs along.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )

    def _make_role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        role = aws.iam.Role(
            "role",
            name=self._names.role,
            description=f"What {self._names.function} may do",
            assume_role_policy=json.dumps(function_trust()),
            permissions_boundary=self._config.permissions_boundary_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        policy = aws.iam.RolePolicy(
            "role",
            name=self._names.role,
            role=role.name,
            policy=json.dumps(function_policy(self._config)),
            opts=pulumi.ResourceOptions(parent=role),
        )
        return role, policy

    def _make_function(
        self,
        archive: Archive,
        layers: list[pulumi.Output[str]],
        role: aws.iam.Role,
        depends_on: list[pulumi.Resource],
    ) -> aws.lambda_.Function:
        wanted = self._config.function
        telemetry = [wanted.telemetry_layer_arn] if wanted.telemetry_layer_arn else []
        variables = function_variables(self._config) | telemetry_variables(self._config)
        return aws.lambda_.Function(
            "function",
            name=self._names.function,
            description="Brings the checkpoint of visit events up to date",
            role=role.arn,
            handler=_HANDLER,
            runtime=wanted.runtime,
            architectures=[wanted.architecture],
            code=pulumi.FileArchive(str(archive.path)),
            source_code_hash=archive.identity.code_hash,
            layers=[*layers, *telemetry],
            memory_size=wanted.memory_mb,
            timeout=wanted.timeout_s,
            ephemeral_storage={"size": wanted.ephemeral_storage_mb},
            reserved_concurrent_executions=wanted.reserved_concurrency,
            environment={"variables": variables},
            logging_config={
                "log_format": "JSON",
                "log_group": self._names.log_group,
                # The function decides by itself, and the metrics line must never be filtered out.
                "application_log_level": "DEBUG",
                "system_log_level": "INFO",
            },
            tracing_config={"mode": "Active" if wanted.tracing else "PassThrough"},
            vpc_config=self._network(),
            publish=True,
            # Without its log group Lambda would make one that keeps everything for ever.
            opts=pulumi.ResourceOptions(parent=self, depends_on=depends_on),
        )

    def _network(self) -> aws.lambda_.FunctionVpcConfigArgsDict | None:
        vpc = self._config.vpc
        if vpc is None:
            return None
        return {"subnet_ids": vpc.subnet_ids, "security_group_ids": vpc.security_group_ids}

    def _make_alias(self, function: aws.lambda_.Function) -> aws.lambda_.Alias:
        pinned = self._config.function.pinned_version
        return aws.lambda_.Alias(
            "alias",
            name=self._names.alias,
            description=f"What runs in {self._config.environment}",
            function_name=function.name,
            function_version=function.version if pinned is None else str(pinned),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _set_invocation(
        self,
        function: aws.lambda_.Function,
        alias: aws.lambda_.Alias,
        failed_runs: pulumi.Input[str],
        policy: aws.iam.RolePolicy,
    ) -> None:
        aws.lambda_.FunctionEventInvokeConfig(
            "invocation",
            function_name=function.name,
            qualifier=alias.name,
            # The next scheduled run is the retry.
            maximum_retry_attempts=self._config.function.max_retries,
            maximum_event_age_in_seconds=self._config.function.max_event_age_s,
            destination_config={"on_failure": {"destination": failed_runs}},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
