"""Whether the KMS key that a checkpoint's files are encrypted with can go on being used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import boto3.session
from botocore.exceptions import BotoCoreError, ClientError

from checkpoint_storage.doctor._examination import Verdict, failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Mapping

_REMEDY: Final = "Have the key enabled again, or give the bucket another one."


def state_of_key(arn: str, algorithm: str) -> Verdict:
    """Look in which state a key is that has just encrypted something, and been used to read it."""
    used = f"what is written is encrypted: {algorithm}, {arn}"
    region = arn.split(":")[3] if arn.startswith("arn:") else None
    kms: Any = boto3.session.Session().client("kms", region_name=region)
    try:
        return _judge(kms.describe_key(KeyId=arn)["KeyMetadata"], used)
    except (BotoCoreError, ClientError):
        # Who may use a key need not be allowed to look at it: the function's role is not.
        return ok(f"{used}, whose state cannot be seen from here (kms:DescribeKey)")


def _judge(described: Mapping[str, Any], used: str) -> Verdict:
    if described["KeyState"] != "Enabled":
        state = described["KeyState"]
        return failed(f"{used}, which is {state}: it will not be readable. {_REMEDY}")
    if described["KeyManager"] == "AWS":
        return warning(
            f"{used}, which is AWS's own: no other account can be let into it. Give the bucket a "
            "key of your own where others read the checkpoint."
        )
    return ok(used)
