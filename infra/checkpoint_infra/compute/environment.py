"""The function's environment variables."""

import json

from msgspec import structs

from checkpoint_infra.settings.stack import Configuration

__all__ = ["function_variables", "telemetry_variables"]


def function_variables(config: Configuration) -> dict[str, str]:
    """Return what the function is told; variables of settings left out are left out, too."""
    variables = {
        "SOURCE_BUCKET": config.source.bucket,
        "SOURCE_PREFIX": config.source.prefix,
        "CHECKPOINT_BUCKET": config.checkpoint.bucket,
        "CHECKPOINT_KEY": config.checkpoint.key,
        "CHECKPOINT_KMS_KEY_ID": config.checkpoint.kms_key_arn,
        "POWERTOOLS_SERVICE_NAME": config.service,
        "ENVIRONMENT": config.environment,
        "EXPORTS": _exports(config),
    }
    for name, value in structs.asdict(config.run).items():
        variables[name.upper()] = _text(value)
    return {name: text for name, text in variables.items() if text}


def telemetry_variables(config: Configuration) -> dict[str, str]:
    """Return what sets up AWS's managed OpenTelemetry layer so that only our own spans cost."""
    if config.function.telemetry_layer_arn is None:
        return {}
    return {
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument",
        "OTEL_SERVICE_NAME": f"{config.service}-{config.environment}",
        # With Application Signals off the layer no longer names its own set-up, which is what
        # sends spans to X-Ray.
        "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
        "OTEL_PYTHON_DISTRO": "aws_distro",
        "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        # Whatever the layer could instrument by itself, now or later. A request to S3 would
        # otherwise be a span, and the machinery around it would be loaded at every cold start.
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*",
    }


def _exports(config: Configuration) -> str | None:
    """Return the definitions as the function reads them; an empty list is one, too."""
    if config.exports is None:
        return None
    return json.dumps([structs.asdict(each) for each in config.exports], separators=(",", ":"))


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else str(value)
