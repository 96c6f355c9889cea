"""The Pulumi program: reads the stack's configuration and joins the components together."""

# ruff: noqa: INP001 - Pulumi runs it

from pathlib import Path

import pulumi

from checkpoint_infra.analysis.exports import ExportTables
from checkpoint_infra.analysis.table import CheckpointTable
from checkpoint_infra.analysis.workgroup import AnalystsWorkgroup
from checkpoint_infra.compute.artifacts import Artifacts
from checkpoint_infra.compute.function import Function
from checkpoint_infra.compute.layers import Layers
from checkpoint_infra.compute.network import StorageEndpoint
from checkpoint_infra.compute.queues import Queue
from checkpoint_infra.compute.schedule import Schedule
from checkpoint_infra.monitoring.alarms import Alarms
from checkpoint_infra.monitoring.dashboard import Dashboard
from checkpoint_infra.monitoring.log_queries import LogQueries
from checkpoint_infra.naming import Names
from checkpoint_infra.provider import make_provider
from checkpoint_infra.settings.reading import configured, read_configuration
from checkpoint_infra.storage.buckets import ArtifactBucket, Bucket, LogBucket
from checkpoint_infra.storage.lifecycle import checkpoint_rules, source_rules
from checkpoint_infra.storage.notification import CheckpointNotification

config = read_configuration(configured(pulumi.get_project()))
names = Names(config)
artifacts = Artifacts(Path(__file__).parent / config.artifacts.path, config)

provider = make_provider(config)
options = pulumi.ResourceOptions(providers=[provider])

logs = LogBucket(config.access_logs, names=names, opts=options) if config.access_logs else None
Bucket(
    "source",
    names=names,
    bucket=config.source.bucket,
    create=config.source.create,
    rules=source_rules(config.source),
    kms_key_arn=config.source.kms_key_arn,
    logs=logs,
    opts=options,
)
checkpoint_bucket = Bucket(
    "checkpoint",
    names=names,
    bucket=config.checkpoint.bucket,
    create=config.checkpoint.create,
    rules=checkpoint_rules(config),
    kms_key_arn=config.checkpoint.kms_key_arn,
    logs=logs,
    opts=options,
)
artifact_bucket = (
    ArtifactBucket(
        config.artifacts, config.artifacts.bucket, names=names, logs=logs, opts=options
    ).name
    if config.artifacts.bucket
    else None
)
after_bucket = pulumi.ResourceOptions(providers=[provider], depends_on=[checkpoint_bucket])
workgroup = None
if config.athena:
    table = CheckpointTable(config, config.athena, opts=after_bucket)
    if config.exports:
        ExportTables(config, config.exports, database=table.database, opts=after_bucket)
    if config.athena.workgroup:
        after_table = pulumi.ResourceOptions(providers=[provider], depends_on=[table])
        workgroup = AnalystsWorkgroup(
            config, config.athena, config.athena.workgroup, opts=after_table
        ).name
notification = (
    CheckpointNotification(
        config, config.notification, bucket=checkpoint_bucket.name, opts=after_bucket
    ).topic_arn
    if config.notification
    else None
)
if config.vpc and config.vpc.endpoint:
    StorageEndpoint(config, config.vpc.endpoint, opts=options)

failed_runs = Queue("failed-runs", names.failed_runs, names=names, opts=options)
undelivered = Queue("undelivered", names.undelivered, names=names, opts=options)
layers = Layers(config, artifacts, artifact_bucket, opts=options)
function = Function(
    config,
    artifacts.function(),
    layers=list(layers.arns.values()),
    failed_runs=failed_runs.arn,
    opts=options,
)
Schedule(config, target=function.alias_arn, undelivered=undelivered.arn, opts=options)
alarms = Alarms(config, opts=options)
Dashboard(config, alarms=alarms.arns, opts=options)
LogQueries(config, log_group=function.log_group, opts=options)

pulumi.export("lambda_function_arn", function.arn)
pulumi.export("lambda_function_name", function.name)
pulumi.export("lambda_alias", names.alias)
pulumi.export("lambda_alias_arn", function.alias_arn)
for layer, arn in layers.arns.items():
    pulumi.export(f"{layer.replace('-', '_')}_layer_arn", arn)
pulumi.export("all_layer_arns", function.layers)
pulumi.export("checkpoint_location", names.checkpoint_location)
pulumi.export("log_group", function.log_group)
pulumi.export("failed_runs_queue", names.failed_runs)
pulumi.export("undelivered_queue", names.undelivered)
pulumi.export("alarm_topic_arn", alarms.topic_arn)
pulumi.export("checkpoint_topic_arn", notification)
pulumi.export("athena_workgroup", workgroup)
pulumi.export("athena_database", config.athena.database if config.athena else None)
