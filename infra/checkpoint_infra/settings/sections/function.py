"""The function: its size, what it is told, and its network."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, field
from typing_extensions import override

from checkpoint_infra.settings.kinds import (
    KmsKeyArn,
    LayerArn,
    Pattern,
    RetentionDays,
    RouteTableId,
    SecurityGroupId,
    SubnetId,
    VpcId,
)
from checkpoint_infra.settings.sections.base import Section

__all__ = ["Endpoint", "Function", "Run", "Vpc"]


class Function(Section, frozen=True):
    """The function's size, logs, traces and versions.

    `telemetry_layer_arn` adds AWS's managed OpenTelemetry layer; without it the function still
    appears in X-Ray, without the stages of a run. `pinned_version` keeps the alias on that
    published version; otherwise it follows the newest.
    """

    runtime: Literal["python3.11", "python3.12", "python3.13"] = "python3.12"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    memory_mb: Annotated[int, Meta(ge=128, le=10_240)] = 3_008
    timeout_s: Annotated[int, Meta(ge=60, le=900)] = 900
    ephemeral_storage_mb: Annotated[int, Meta(ge=512, le=10_240)] = 2_048
    log_retention_days: RetentionDays = 30
    log_kms_key_arn: KmsKeyArn | None = None
    tracing: bool = True
    telemetry_layer_arn: LayerArn | None = None
    reserved_concurrency: Annotated[int, Meta(ge=1)] | None = None
    max_retries: Annotated[int, Meta(ge=0, le=2)] = 0
    max_event_age_s: Annotated[int, Meta(ge=60, le=21_600)] = 3_600
    pinned_version: Annotated[int, Meta(ge=1)] | None = None

    @override
    def problems(self) -> Iterator[str]:
        """Refuse a layer for traces that nobody takes."""
        if self.telemetry_layer_arn and not self.tracing:
            yield "telemetryLayerArn needs tracing"


class Run(Section, frozen=True):
    """What the function is told beside the locations; what is left out has the code's default.

    Each is the environment variable of the same name, in upper case. The event format and the
    projects left out are those of today's producers: practice submissions are no data.
    """

    event_format: Literal["1.0", "1.1"] = "1.1"
    exclude_projects: list[Pattern] = field(default_factory=lambda: ["sandbox-*"])
    compression: Literal["snappy", "zstd", "lz4", "uncompressed"] | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    max_object_size_bytes: Annotated[int, Meta(ge=1, le=1_073_741_824)] | None = None
    max_events_per_run: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    batch_objects: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    row_group_rows: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    commit_attempts: Annotated[int, Meta(ge=1, le=100)] | None = None
    listed_failures: Annotated[int, Meta(ge=0, le=1_000)] | None = None
    reserve_seconds: Annotated[float, Meta(ge=0, le=900)] | None = None
    future_tolerance_seconds: Annotated[float, Meta(ge=0, le=315_360_000)] | None = None
    ledger_retention_days: Annotated[float, Meta(ge=0, le=36_500)] = 30
    read_concurrency: Annotated[int, Meta(ge=1, le=1_024)] | None = None


class Endpoint(Section, frozen=True):
    """The way from the subnets to S3 that does not need the internet, to be made here.

    A gateway endpoint costs nothing. It belongs to the VPC: make it in one stack only.
    """

    vpc_id: VpcId
    route_table_ids: Annotated[list[RouteTableId], Meta(min_length=1)]


class Vpc(Section, frozen=True):
    """The network that the function runs in; without it Lambda's own, which reaches S3 only by TLS.

    S3 is all that the function's code calls. Logs, metrics, traces and failed runs are sent by
    Lambda itself, and KMS is called by S3.
    """

    subnet_ids: Annotated[list[SubnetId], Meta(min_length=1, max_length=16)]
    security_group_ids: Annotated[list[SecurityGroupId], Meta(min_length=1, max_length=5)]
    endpoint: Endpoint | None = None
