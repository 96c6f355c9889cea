"""What a check can say about the checkpoint bucket's settings, as far as looking is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from checkpoint_storage.doctor._examination import Subject, Verdict, failed, ok, skipped, warning
from checkpoint_storage.doctor._s3.access import FIRST_PAUSE_S, bucket_of, key_of
from checkpoint_storage.doctor._s3.key import state_of_key
from checkpoint_storage.s3._clients import current_clients
from checkpoint_storage.s3._errors import FAILURES, code_of, status_of, summary_of
from checkpoint_storage.s3._pages import ARCHIVE_CLASSES
from checkpoint_storage.s3._retrying import retrying

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_s3 import S3Client

_UNKNOWN_TO_SERVER: Final = {404, 405, 501}


def probe_encryption(subject: Subject) -> Verdict:
    """Look how the probe was encrypted, and so whatever a run writes."""
    probe = subject.probe
    assert probe is not None  # noqa: S101 - this comes after writing it
    bucket, key = bucket_of(subject.store.location), key_of(subject.store.location)
    folder = key[: key.rfind("/") + 1]
    client = current_clients().single
    try:
        head: Mapping[str, Any] = retrying(
            lambda: client.head_object(Bucket=bucket, Key=folder + probe.name),
            first_pause_s=FIRST_PAUSE_S,
        )
    except FAILURES as error:
        return warning(f"could not be looked at ({summary_of(error)}), which runs need not do.")
    algorithm = head.get("ServerSideEncryption")
    if algorithm is None:
        return warning("the server does not say that what is written is encrypted.")
    if key_id := head.get("SSEKMSKeyId"):
        return state_of_key(key_id, algorithm)
    return ok(f"what is written is encrypted: {algorithm}")


def default_encryption(subject: Subject) -> Verdict:
    """Look what the bucket encrypts with where a request says nothing."""
    return _setting(
        subject,
        "s3:GetEncryptionConfiguration",
        lambda client, bucket: client.get_bucket_encryption(Bucket=bucket),
        _of_encryption,
    )


def versioning(subject: Subject) -> Verdict:
    """Look whether a checkpoint that was damaged or removed could be restored."""
    return _setting(
        subject,
        "s3:GetBucketVersioning",
        lambda client, bucket: client.get_bucket_versioning(Bucket=bucket),
        _of_versioning,
    )


def public_access(subject: Subject) -> Verdict:
    """Look whether the public is kept out whatever a policy says."""
    return _setting(
        subject,
        "s3:GetBucketPublicAccessBlock",
        lambda client, bucket: client.get_public_access_block(Bucket=bucket),
        _of_public_access,
    )


def lifecycle(subject: Subject) -> Verdict:
    """Look for rules that would remove or archive the checkpoint or what belongs to it."""
    key = key_of(subject.store.location)
    folder = key[: key.rfind("/") + 1]
    stem = subject.store.checkpoint_name.removesuffix(".parquet")
    kept = [f"{subject.ledgers}/", f"_rejects/{stem}.parquet", f"_previous/{stem}/"]
    kept.append(f"_withheld/{stem}.json")
    return _setting(
        subject,
        "s3:GetLifecycleConfiguration",
        lambda client, bucket: client.get_bucket_lifecycle_configuration(Bucket=bucket),
        lambda answer: _of_lifecycle(
            answer.get("Rules", []), [key, *(f"{folder}{name}" for name in kept)]
        ),
    )


def _setting(
    subject: Subject,
    permission: str,
    ask: Callable[[S3Client, str], Any],
    judge: Callable[[Mapping[str, Any]], Verdict],
) -> Verdict:
    """Ask for one of the bucket's settings and judge it; what is not set is an empty answer.

    Who runs this may well not be allowed to look: the function's role is not.
    """
    bucket = bucket_of(subject.store.location)
    client = current_clients().single
    try:
        answer = retrying(lambda: ask(client, bucket), first_pause_s=FIRST_PAUSE_S)
    except FAILURES as error:
        status = status_of(error)
        if status in {401, 403}:
            return warning(
                f"not allowed to look ({permission}), which the function's role need not be. "
                "Look with an administrator's credentials."
            )
        if status == 404 and code_of(error) != "NoSuchBucket":
            return judge({})
        if status in _UNKNOWN_TO_SERVER:
            return skipped("the server does not know this setting")
        return warning(f"could not be looked at ({summary_of(error)}), which runs need not do.")
    return judge(answer)


def _of_encryption(answer: Mapping[str, Any]) -> Verdict:
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    for rule in rules:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if algorithm := default.get("SSEAlgorithm"):
            key_id = default.get("KMSMasterKeyID")
            return ok(f"{algorithm}{f', {key_id}' if key_id else ''}")
    return warning("none is set. Set the bucket's default encryption.")


def _of_versioning(answer: Mapping[str, Any]) -> Verdict:
    if answer.get("Status") == "Enabled":
        return ok("on: an earlier checkpoint can be restored")
    return warning(
        "off: a checkpoint that is damaged or removed could not be restored. Turn it on."
    )


def _of_public_access(answer: Mapping[str, Any]) -> Verdict:
    block = answer.get("PublicAccessBlockConfiguration", {})
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    missing = [name for name in names if not block.get(name)]
    if missing:
        return warning(f"not blocked: {', '.join(missing)} off. Block all public access.")
    return ok("blocked")


def _of_lifecycle(rules: Sequence[Mapping[str, Any]], kept: Sequence[str]) -> Verdict:
    harmful = [
        f"{rule.get('ID', 'without a name')} ({what})"
        for rule in rules
        if rule.get("Status") == "Enabled" and _concerns(rule, kept)
        for what in _harm(rule)
    ]
    if harmful:
        return failed(
            f"rules that meet the checkpoint or its files: {', '.join(harmful)}. Rules know age, "
            f"not what is in force: leave alone {', '.join(kept)}. Where events are in the same "
            "bucket, limit their rules to their prefix."
        )
    return ok(f"{len(rules)} rules, none removes or archives what is in force")


def _concerns(rule: Mapping[str, Any], kept: Sequence[str]) -> bool:
    """Tell whether a rule may meet a file, or anything in a folder; ours have no tags."""
    chosen = rule.get("Filter", {})
    both = chosen.get("And", {})
    if "Tag" in chosen or both.get("Tags"):
        return False
    prefix = rule.get("Prefix") or chosen.get("Prefix") or both.get("Prefix") or ""
    return any(
        each.startswith(prefix) or (each.endswith("/") and prefix.startswith(each)) for each in kept
    )


def _harm(rule: Mapping[str, Any]) -> list[str]:
    expiration = rule.get("Expiration", {})
    harm = ["removes"] if "Days" in expiration or "Date" in expiration else []
    archives = {step.get("StorageClass") for step in rule.get("Transitions", [])} & ARCHIVE_CLASSES
    return [*harm, *(["archives"] if archives else [])]
