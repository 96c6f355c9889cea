"""The role's policy where moto cannot judge it: conditions, keys, logs, queues, traces."""

from typing import Any

import pytest

from checkpoint_infra.policies import function_policy
from checkpoint_infra.settings.reading import read_configuration
from tests.infra.conftest import EVERYTHING, KEY
from tests.infra.deploying import as_texts, merged, stack_values
from tests.infra.evaluating import Access, allows


def policy(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return prod's policy, with changes of its configuration."""
    return function_policy(
        read_configuration(as_texts(merged(stack_values("prod"), changes or {})))
    )


def statements(changes: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Return prod's statements, with changes of its configuration, by their names."""
    return {each["Sid"]: each for each in policy(changes)["Statement"]}


def may(
    action: str, resource: str, context: dict[str, str] | None = None, **changes: dict[str, Any]
) -> bool:
    """Say whether the role may do this in S3, in prod with changes of its configuration."""
    access = Access(action=action, resource=f"arn:aws:s3:::{resource}", context=context or {})
    return allows(policy(changes), access)


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
    assert may("s3:ListBucket", "nacc-events", {"s3:prefix": prefix}) is is_allowed


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
    assert may("s3:ListBucket", "nacc-checkpoints", {"s3:prefix": prefix}) is is_allowed


def test_a_listing_of_a_whole_bucket_is_refused() -> None:
    """Without a prefix there is nothing to hold against the condition."""
    assert not may("s3:ListBucket", "nacc-events")
    assert not may("s3:ListBucket", "nacc-checkpoints")
    assert not may("s3:ListBucket", "somebody-elses", {"s3:prefix": "prod/"})


@pytest.mark.parametrize(
    "action",
    [
        "s3:BypassGovernanceRetention",
        "s3:DeleteBucket",
        "s3:DeleteObjectVersion",
        "s3:GetObjectVersion",
        "s3:ListBucketVersions",
        "s3:PutBucketPolicy",
        "s3:PutLifecycleConfiguration",
        "s3:PutObjectAcl",
    ],
)
@pytest.mark.parametrize(
    "resource",
    [
        "nacc-events",
        "nacc-events/prod/log-1.json",
        "nacc-checkpoints",
        "nacc-checkpoints/checkpoints/events.parquet",
        "nacc-checkpoints/checkpoints/_ledger/events/00000001-a.parquet",
    ],
)
def test_versions_and_buckets_are_out_of_reach(action: str, resource: str) -> None:
    """What a run deletes by mistake, an earlier version brings back."""
    assert not may(action, resource, {"s3:prefix": "checkpoints/"})


@pytest.mark.parametrize(
    "key,actions",
    [
        ("events.parquet", {"Get", "Put"}),
        ("_ledger/events/00000001-a.parquet", {"Get", "Put", "Delete"}),
        ("_ledger/events/00000001-a.json", {"Get", "Put", "Delete"}),
        ("_rejects/events.parquet", {"Get", "Put"}),
        ("_previous/events/a.parquet", set()),
        ("_ledger/other/00000001-a.parquet", set()),
        ("_rejects/other.parquet", set()),
        ("other.parquet", set()),
    ],
)
def test_a_run_writes_its_checkpoints_files_and_deletes_its_ledgers_alone(
    key: str, actions: set[str]
) -> None:
    """With their digests; what people keep, and what other checkpoints have, is out of reach."""
    file = f"nacc-checkpoints/checkpoints/{key}"

    assert actions == {
        action for action in ("Get", "Put", "Delete") if may(f"s3:{action}Object", file)
    }


def test_a_source_or_checkpoint_without_a_folder_is_a_whole_bucket() -> None:
    """There is no prefix to hold a listing to."""
    changes: dict[str, Any] = {
        "source": {"prefix": ""},
        "checkpoint": {"key": "events.parquet"},
        "athena": None,
    }

    assert may("s3:ListBucket", "nacc-events", **changes)
    assert may("s3:GetObject", "nacc-events/anything", **changes)
    assert may("s3:PutObject", "nacc-checkpoints/events.parquet", **changes)
    assert not may("s3:PutObject", "nacc-checkpoints/anything", **changes)


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
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/visit-event-checkpoint-prod:*"
    ]
    assert "logs:CreateLogGroup" not in found["WriteOwnLog"]["Action"]
    assert found["KeepFailedRuns"]["Resource"] == [
        "arn:aws:sqs:us-east-1:123456789012:visit-event-checkpoint-prod-failed-runs"
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
    changes: dict[str, Any] = {
        "region": region,
        "layers": layers,
        "alarms": {"topicArn": f"arn:{partition}:sns:{region}:123456789012:operations"},
        "artifacts": {"bucket": "archives"},
        "checkpoint": {"kmsKeyArn": key.replace("us-east-1", region)},
    }
    found = statements(changes)

    assert found["ReadEventObjects"]["Resource"] == [f"arn:{partition}:s3:::nacc-events/prod/*"]
    service = found["UseCheckpointKey"]["Condition"]["StringEquals"]["kms:ViaService"]
    assert service == f"s3.{region}.{host}"


def test_the_policy_fits_into_what_iam_takes() -> None:
    """10,240 characters for all inline policies of a role, without spaces."""
    config = read_configuration(as_texts(merged(stack_values("dev"), EVERYTHING)))

    assert len(str(function_policy(config)).replace(" ", "")) < 5_000


def test_network_interfaces_are_made_by_lambda_and_not_by_the_functions_code() -> None:
    """Lambda asks with the function's role; the code has the same role, and is refused."""
    policies = policy(
        {"vpc": {"subnetIds": ["subnet-0a1b2c3d"], "securityGroupIds": ["sg-0a1b2c3d"]}}
    )
    arn = "arn:aws:lambda:us-east-1:123456789012:function:visit-event-checkpoint-prod"
    code = {"lambda:SourceFunctionArn": arn}

    def can(context: dict[str, str]) -> bool:
        access = Access(action="ec2:CreateNetworkInterface", resource="*", context=context)
        return allows(policies, access)

    assert can({})
    assert not can(code)
    assert "AttachToNetwork" not in statements()
