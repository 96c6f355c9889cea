"""ARNs that must be of the stack's own partition, and of its region or account."""

from collections.abc import Iterator

from msgspec import structs

from checkpoint_infra.naming import Names
from checkpoint_infra.settings.stack import Configuration

__all__ = ["arn_problems"]


def arn_problems(config: Configuration) -> Iterator[str]:
    """Say which ARNs the service that gets them would refuse."""
    partition = Names(config).partition
    for where, arn in _all(config):
        if arn.split(":")[1] != partition:
            yield f"{where}: must be of the stack's partition, arn:{partition}:..."
    for where, arn, why in _regional(config):
        if arn.split(":")[3] != config.region:
            yield f"{where}: {why} must be in the stack's region, {config.region}"
    boundary = config.permissions_boundary_arn
    if boundary and boundary.split(":")[4] not in {config.account, "aws"}:
        yield "permissionsBoundaryArn: must be a policy of the stack's account, or of AWS"


def _all(config: Configuration) -> Iterator[tuple[str, str]]:
    yield from ((where, arn) for where, arn, _ in _regional(config))
    role = config.credentials.assume_role
    if role:
        yield "credentials.assumeRole.roleArn", role.role_arn
    if config.permissions_boundary_arn:
        yield "permissionsBoundaryArn", config.permissions_boundary_arn


def _regional(config: Configuration) -> Iterator[tuple[str, str, str]]:
    """Yield each ARN that must be of the region, with what it is."""
    notification, athena = config.notification, config.athena
    workgroup = athena.workgroup if athena else None
    layers: dict[str, str | None] = {
        f"layers.{field.encode_name}.arn": getattr(config.layers, field.name).arn
        for field in structs.fields(config.layers)
    }
    layers["function.telemetryLayerArn"] = config.function.telemetry_layer_arn
    keys = {
        "source.kmsKeyArn": config.source.kms_key_arn,
        "checkpoint.kmsKeyArn": config.checkpoint.kms_key_arn,
        "function.logKmsKeyArn": config.function.log_kms_key_arn,
        "alarms.topicKmsKeyArn": config.alarms.topic_kms_key_arn,
        "notification.topicKmsKeyArn": notification.topic_kms_key_arn if notification else None,
        "athena.workgroup.kmsKeyArn": workgroup.kms_key_arn if workgroup else None,
    }
    topics = {"alarms.topicArn": config.alarms.topic_arn}
    targets = notification.target_arns if notification else []
    for what, arns in (("a layer", layers), ("a key", keys), ("the topic of an alarm", topics)):
        yield from ((where, arn, what) for where, arn in arns.items() if arn)
    for number, arn in enumerate(targets):
        yield f"notification.targetArns[{number}]", arn, "a target of EventBridge"
