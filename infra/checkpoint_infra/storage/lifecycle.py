"""The lifecycle rules of buckets: what is archived, and what is removed."""

from typing import Final

import pulumi_aws as aws

from checkpoint_infra.settings.sections.storage import AccessLogs, Archive, Source
from checkpoint_infra.settings.stack import Configuration

__all__ = ["Rule", "artifact_rules", "checkpoint_rules", "log_rules", "source_rules"]

_UNFINISHED_DAYS: Final = 7
_OLD_ARTIFACT_DAYS: Final = 90

Rule = aws.s3.BucketLifecycleConfigurationRuleArgsDict


def artifact_rules() -> list[Rule]:
    """Remove what replaced archives leave behind."""
    return _tidying(noncurrent_days=_OLD_ARTIFACT_DAYS)


def source_rules(source: Source) -> list[Rule] | None:
    """Archive event objects, and nothing else that may be in the bucket; tidy up the bucket.

    None where the bucket's lifecycle is somebody else's.
    """
    if not (source.create or source.owns_lifecycle):
        return None
    rules = _tidying(noncurrent_days=source.noncurrent_days)
    if source.archive:
        # Event objects are named so, and checkpoint, ledgers and rejects are not.
        rules.append(_archiving(f"{source.prefix}log-", source.archive))
    return rules


def checkpoint_rules(config: Configuration) -> list[Rule] | None:
    """Remove what replaced versions leave behind and old results of queries; nothing else.

    Rules know age, not reference: one that expired current objects would take ledgers that are in
    force. None where the bucket's lifecycle is somebody else's.
    """
    checkpoint, workgroup = config.checkpoint, config.athena and config.athena.workgroup
    if not (checkpoint.create or checkpoint.owns_lifecycle):
        return None
    rules = _tidying(noncurrent_days=checkpoint.noncurrent_days)
    if workgroup and workgroup.results_bucket == checkpoint.bucket:
        rules.append(_expiring("query-results", workgroup.results_prefix, workgroup.result_days))
    return rules


def log_rules(logs: AccessLogs) -> list[Rule]:
    """Remove access logs after their time."""
    return [
        *_tidying(noncurrent_days=1),
        _expiring("access-logs", logs.prefix, logs.retention_days),
    ]


def _expiring(rule_id: str, prefix: str, days: int) -> Rule:
    return {
        "id": rule_id,
        "status": "Enabled",
        "filter": {"prefix": prefix},
        "expiration": {"days": days},
    }


def _tidying(*, noncurrent_days: int) -> list[Rule]:
    return [
        {
            "id": "unfinished-uploads",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": _UNFINISHED_DAYS},
        },
        {
            "id": "noncurrent-versions",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": noncurrent_days},
            # What is left of an object without versions.
            "expiration": {"expired_object_delete_marker": True},
        },
    ]


def _archiving(prefix: str, archive: Archive) -> Rule:
    steps = [("GLACIER", archive.glacier_days), ("DEEP_ARCHIVE", archive.deep_archive_days)]
    rule: Rule = {
        "id": "event-objects",
        "status": "Enabled",
        "filter": {"prefix": prefix},
        "transitions": [
            {"days": days, "storage_class": kind} for kind, days in steps if days is not None
        ],
    }
    if archive.expiry_days is not None:
        rule["expiration"] = {"days": archive.expiry_days}
    return rule
