"""Buckets, Athena and layers: sections that are each right, and contradict one another."""

import re
from collections.abc import Iterator

from checkpoint_infra.naming import Names
from checkpoint_infra.settings.stack import Configuration

__all__ = [
    "artifact_problems",
    "athena_problems",
    "bucket_problems",
    "layer_problems",
    "retention_problems",
]


def bucket_problems(config: Configuration) -> Iterator[str]:
    """Refuse to make, or to set rules for, a bucket that has another purpose too."""
    logs = config.access_logs
    buckets = {
        "source": config.source.bucket,
        "checkpoint": config.checkpoint.bucket,
        "artifacts": config.artifacts.bucket,
        "accessLogs": logs.bucket if logs else None,
    }
    ours = {
        "source": config.source.create or config.source.owns_lifecycle,
        "checkpoint": config.checkpoint.create or config.checkpoint.owns_lifecycle,
        "artifacts": config.artifacts.create,
        "accessLogs": bool(logs and logs.create),
    }
    for name, bucket in buckets.items():
        if ours[name] and list(buckets.values()).count(bucket) > 1:
            yield (
                f"{name}: a bucket that is created here, or whose lifecycle is, "
                "must have one purpose only"
            )
    made = [config.source.create, config.checkpoint.create, config.artifacts.create]
    if logs and not any(made):
        yield "accessLogs: no bucket is created here whose requests could be logged; leave it out"


def retention_problems(config: Configuration) -> Iterator[str]:
    """Refuse to remove ledgers that a restored version of the checkpoint would need."""
    if config.run.ledger_retention_days < config.checkpoint.noncurrent_days:
        yield (
            "run.ledgerRetentionDays: must not be shorter than checkpoint.noncurrentDays, or a "
            "restored version of the checkpoint would lack its ledger"
        )


def athena_problems(config: Configuration) -> Iterator[str]:
    """Refuse a table in whose folder there would be something else."""
    source, checkpoint, athena = config.source, config.checkpoint, config.athena
    if athena is None:
        return
    if not checkpoint.folder:
        yield "athena: needs checkpoint.key to be in a folder, which becomes the table's location"
    if source.bucket == checkpoint.bucket and source.prefix.startswith(checkpoint.folder):
        yield "athena: the event objects must not be below the checkpoint's folder"
    workgroup = athena.workgroup
    if workgroup is None:
        return
    for section, bucket, folder in (
        ("source", source.bucket, source.prefix),
        ("checkpoint", checkpoint.bucket, checkpoint.folder),
    ):
        if workgroup.results_bucket == bucket and workgroup.results_prefix.startswith(folder):
            yield (
                f"athena.workgroup.resultsPrefix: must not be below the {section}'s folder, "
                f"{folder or 'which is the whole bucket'}"
            )


def artifact_problems(config: Configuration) -> Iterator[str]:
    """Refuse to build layers without a bucket through which they are published."""
    layers = config.layers.by_name().values()
    if any(layer.mode == "build" for layer in layers) and not config.artifacts.bucket:
        yield "artifacts.bucket: is missing; layers in mode build are published through it"


def layer_problems(config: Configuration) -> Iterator[str]:
    """Refuse one layer in two places: Lambda takes one version of a layer for a function."""
    names = Names(config)
    seen: dict[str, str] = {}
    for name, layer in config.layers.by_name().items():
        setting = re.sub("-(.)", lambda found: found[1].upper(), name)
        arn = layer.arn or names.arn("lambda", f"layer:{names.layer(name)}:")
        without_version = arn.rpartition(":")[0]
        if without_version in seen:
            yield (
                f"layers.{setting}: is the same layer as layers.{seen[without_version]}; "
                "give each a name or an ARN of its own"
            )
        seen.setdefault(without_version, setting)
