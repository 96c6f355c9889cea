"""What the roles are for: the stack's names and buckets, as its own file has them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from msgspec import structs

from checkpoint_infra.settings.stack import Configuration

__all__ = ["PROJECT", "Deployed", "read_deployed"]

# The program whose stacks are deployed, as its Pulumi.yaml names it.
PROJECT = "event-log-checkpoint"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One stack: where it is, what its resources are called, and which buckets it knows.

    `changed_buckets` are those whose settings are the stack's to change; `data_keys` are the ARNs of
    the keys that event objects and checkpoint are encrypted with, maybe another account's.
    """

    account: str
    region: str
    service: str
    environment: str
    buckets: tuple[str, ...]
    artifact_bucket: str | None
    changed_buckets: tuple[str, ...]
    databases: tuple[str, ...]
    data_keys: tuple[str, ...]

    @property
    def name(self) -> str:
        """The first part of the names of all that the stack has."""
        return f"{self.service}-{self.environment}"

    @property
    def partition(self) -> str:
        """The first part of ARNs in this region."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def iam(self, resource: str) -> str:
        """Return the ARN of something of IAM's, which has no regions."""
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    def s3(self, path: str) -> str:
        """Return the ARN of a bucket, or of objects in it."""
        return f"arn:{self.partition}:s3:::{path}"

    @property
    def boundary_arn(self) -> str:
        """The policy beyond which no role of the stack may go."""
        return self.iam(f"policy/{self.name}-boundary")


def read_deployed(file: Path) -> Deployed:
    """Read a stack's file; raises KeyError for a setting that the stack's program requires."""
    document = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    values = {key.removeprefix(f"{PROJECT}:"): value for key, value in document.items()}
    sections = list(_sections(values))
    return Deployed(
        account=values["account"],
        region=values["region"],
        service=values.get("service", _default("service")),
        environment=values["environment"],
        buckets=_unique(
            text
            for section in sections
            for key, text in section.items()
            if key.lower().endswith("bucket")
        ),
        artifact_bucket=values.get("artifacts", {}).get("bucket"),
        changed_buckets=_unique(_changed_buckets(values, sections)),
        databases=_unique(each["database"] for each in sections if "database" in each),
        data_keys=_unique(
            values[section]["kmsKeyArn"]
            for section in ("source", "checkpoint")
            if "kmsKeyArn" in values[section]
        ),
    )


def _default(setting: str) -> Any:
    return next(field.default for field in structs.fields(Configuration) if field.name == setting)


def _sections(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for value in values.values():
        if isinstance(value, dict):
            yield value
            yield from _sections(value)


def _changed_buckets(values: Mapping[str, Any], sections: list[Mapping[str, Any]]) -> Iterator[str]:
    for section in sections:
        if section.get("create") or section.get("ownsLifecycle"):
            yield section["bucket"]
    if "notification" in values:
        yield values["checkpoint"]["bucket"]


def _unique(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
