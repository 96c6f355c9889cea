"""Archives to deploy, and a folder that looks as `hatch run build-artifacts` leaves it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.infra.deploying import Deployment, deploy, merged, stack_values

ARCHIVES = (
    "function.zip",
    "layers/observability.zip",
    "layers/data-processing.zip",
    "layers/aws-sdk.zip",
)


def write_artifacts(
    folder: Path,
    contents: Mapping[str, str] | None = None,
    *,
    runtime: str = "python3.12",
    architecture: str = "arm64",
) -> Path:
    """Write all archives and their manifest; `contents` tells an archive's content apart."""
    files = {}
    for name in ARCHIVES:
        archive = _archive((contents or {}).get(name, name))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(archive)
        files[name] = {"sha256": hashlib.sha256(archive).hexdigest(), "size_bytes": len(archive)}
    manifest = {"runtime": runtime, "architecture": architecture, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def _archive(content: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("python/module.py"), content)
    return stream.getvalue()


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of built archives."""
    return write_artifacts(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def stacks(artifacts: Path) -> dict[str, Deployment]:
    """Give the three stacks as their files have them."""
    return {stack: deploy(stack_values(stack), artifacts) for stack in ("dev", "staging", "prod")}


@pytest.fixture(scope="session")
def everything(artifacts: Path) -> Deployment:
    """Give a stack with every option on."""
    return deploy(merged(stack_values("dev"), EVERYTHING), artifacts)


KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d"

ROLES = "arn:aws:iam::123456789012"

EVERYTHING: dict[str, Any] = {
    "environment": "full",
    "tags": {"cost-center": "data"},
    "credentials": {
        "profile": "deployer",
        "assumeRole": {
            "roleArn": f"{ROLES}:role/deploys-checkpoints",
            "externalId": "checkpoints",
            "durationMinutes": 30,
        },
    },
    "permissionsBoundaryArn": f"{ROLES}:policy/boundary",
    "source": {
        "bucket": "events-of-full",
        "prefix": "full/",
        "create": True,
        "noncurrentDays": 10,
        "kmsKeyArn": KEY,
        "archive": {"glacierDays": 90, "deepArchiveDays": 365, "expiryDays": 3650},
    },
    "checkpoint": {
        "bucket": "checkpoints-of-full",
        "key": "data/events.parquet",
        "create": True,
        "kmsKeyArn": KEY,
    },
    "accessLogs": {"bucket": "access-logs-of-full", "create": True},
    "layers": {
        "dataProcessing": {
            "sharedWith": ["111122223333", "444455556666"],
            "sharedWithOrganization": "o-a1b2c3d4e5",
        }
    },
    "function": {
        "telemetryLayerArn": "arn:aws:lambda:us-east-1:111122223333:layer:telemetry:9",
        "reservedConcurrency": 1,
        "logKmsKeyArn": KEY,
    },
    "vpc": {
        "subnetIds": ["subnet-0a1b2c3d", "subnet-4e5f6a7b"],
        "securityGroupIds": ["sg-0a1b2c3d"],
        "endpoint": {"vpcId": "vpc-0a1b2c3d", "routeTableIds": ["rtb-0a1b2c3d"]},
    },
    "run": {
        "eventFormat": "1.1",
        "excludeProjects": ["sandbox-*", "trial-*"],
        "compression": "zstd",
        "logLevel": "WARNING",
        "maxObjectSizeBytes": 2_000_000,
        "maxEventsPerRun": 1_000_000,
        "batchObjects": 5_000,
        "rowGroupRows": 50_000,
        "commitAttempts": 7,
        "listedFailures": 30,
        "reserveSeconds": 90.5,
        "futureToleranceSeconds": 7200,
        "ledgerRetentionDays": 45,
        "readConcurrency": 128,
    },
    "schedule": {"expression": "cron(0 6 ? * MON *)", "enabled": True},
    "alarms": {
        "emails": ["checkpoint-alarms@example.org", "on-call@example.org"],
        "topicKmsKeyArn": KEY,
        "requireActions": True,
        "expectedRunHours": 4,
        "deadline": "cron(0 8 ? * MON *)",
        "runbookUrl": "https://docs.example.org/checkpoint/operating.md",
    },
    "notification": {
        "targetArns": ["arn:aws:sqs:us-east-1:123456789012:reports"],
        "createTopic": True,
        "topicKmsKeyArn": KEY,
    },
    "athena": {
        "database": "nacc_full",
        "workgroup": {
            "resultsBucket": "checkpoints-of-full",
            "kmsKeyArn": KEY,
            "scanLimitMb": 1_000,
        },
    },
}
