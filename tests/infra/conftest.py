"""Archives to deploy, and a folder that looks as `hatch run build-artifacts` leaves it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto import mock_aws

from tests.infra.deploying import Deployment, deploy, merged, stack_values

EVERYTHING: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("everything.yaml").read_text(encoding="utf-8")
)
KEY: str = EVERYTHING["checkpoint"]["kmsKeyArn"]
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


@pytest.fixture
def empty_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give an account in which nothing is deployed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield
