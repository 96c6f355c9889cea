"""The role's policy where moto cannot judge it: conditions, keys, logs, queues, traces."""

import fnmatch
from typing import Any

import pytest

from checkpoint_infra.policies import function_policy
from checkpoint_infra.reading import read_configuration
from tests.infra.conftest import EVERYTHING, KEY
from tests.infra.deploying import as_texts, merged, stack_values


def statements(changes: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Return prod's statements, with changes of its configuration, by their names."""
    config = read_configuration(as_texts(merged(stack_values("prod"), changes or {})))
    return {each["Sid"]: each for each in function_policy(config)["Statement"]}


def may_list(statement: dict[str, Any], prefix: str) -> bool:
    """Say whether S3 would let a listing below this prefix through."""
    if "Condition" not in statement:
        return True
    assert list(statement["Condition"]) == ["StringLike"]
    return fnmatch.fnmatchcase(prefix, statement["Condition"]["StringLike"]["s3:prefix"])


@pytest.mark.parametrize(
    "prefix,is_allowed",
    [
        ("prod/", True),
        ("prod/log-submit-2024", True),
        ("", False),
        ("staging/", False),
        ("production/", False),
    ],
)
def test_only_the_sources_folder_can_be_listed(prefix: str, *, is_allowed: bool) -> None:
    """And what is missing in it is said to be missing, instead of refused.

    S3 holds the key that is asked for against s3:prefix before it admits that there is none.
    """
    assert may_list(statements()["ListEventObjects"], prefix) is is_allowed


@pytest.mark.parametrize(
    "prefix,is_allowed",
    [
        ("checkpoints/", True),
        ("checkpoints/events.parquet", True),
        ("checkpoints/_ledger/events/", True),
        ("checkpoints/_rejects/events.parquet", True),
        ("", False),
        ("reports/", False),
    ],
)
def test_only_the_checkpoints_folder_can_be_listed(prefix: str, *, is_allowed: bool) -> None:
    """With it all the keys that a run asks for, of which none need exist on the first."""
    assert may_list(statements()["ListCheckpointFolder"], prefix) is is_allowed


def test_a_source_or_checkpoint_without_a_folder_is_a_whole_bucket() -> None:
    """There is no prefix to hold a listing to."""
    changes = {
        "source": {"prefix": ""},
        "checkpoint": {"key": "events.parquet"},
        "athena": None,
    }
    found = statements(changes)

    assert "Condition" not in found["ListEventObjects"]
    assert found["ReadEventObjects"]["Resource"] == ["arn:aws:s3:::nacc-events/*"]
    assert (
        "arn:aws:s3:::nacc-checkpoints/events.parquet"
        in (found["ReadAndWriteCheckpoint"]["Resource"])
    )


def test_keys_are_used_only_where_they_are_configured() -> None:
    """Through S3, and the source's only to read."""
    found = statements({"source": {"kmsKeyArn": KEY}, "checkpoint": {"kmsKeyArn": KEY}})
    through = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}

    assert not [name for name in statements() if "Key" in name]
    assert found["UseSourceKey"]["Action"] == ["kms:Decrypt"]
    assert found["UseCheckpointKey"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    for name in ("UseSourceKey", "UseCheckpointKey"):
        assert found[name]["Resource"] == [KEY]
        assert found[name]["Condition"] == through


def test_the_rest_is_the_functions_own() -> None:
    """Its log group, its queue, and traces, which belong to nobody."""
    found = statements()

    assert found["WriteOwnLog"]["Resource"] == [
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/event-log-checkpoint-prod:*"
    ]
    assert "logs:CreateLogGroup" not in found["WriteOwnLog"]["Action"]
    assert found["KeepFailedRuns"]["Resource"] == [
        "arn:aws:sqs:us-east-1:123456789012:event-log-checkpoint-prod-failed-runs"
    ]
    assert found["SendTraces"]["Resource"] == ["*"]


@pytest.mark.parametrize(
    "region,partition,host",
    [
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("eu-west-2", "aws", "amazonaws.com"),
    ],
)
def test_other_partitions_have_their_own_arns(region: str, partition: str, host: str) -> None:
    """Government and China regions."""
    layers = {"observability": None, "dataProcessing": None, "awsSdk": None}
    key = KEY.replace("arn:aws:", f"arn:{partition}:")
    changes = {
        "region": region,
        "layers": layers,
        "artifacts": {"bucket": "archives"},
        "checkpoint": {"kmsKeyArn": key},
    }
    found = statements(changes)

    assert found["ReadEventObjects"]["Resource"] == [f"arn:{partition}:s3:::nacc-events/prod/*"]
    service = found["UseCheckpointKey"]["Condition"]["StringEquals"]["kms:ViaService"]
    assert service == f"s3.{region}.{host}"


def test_the_policy_fits_into_what_iam_takes() -> None:
    """10,240 characters for all inline policies of a role, without spaces."""
    config = read_configuration(as_texts(merged(stack_values("dev"), EVERYTHING)))

    assert len(str(function_policy(config)).replace(" ", "")) < 5_000
