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
    "bucket,prefixes,refused",
    [
        ("nacc-events", ["prod/", "prod/log-submit-2024"], ["", "staging/", "production/"]),
        (
            "nacc-checkpoints",
            [
                "checkpoints/",
                "checkpoints/events.parquet",
                "checkpoints/_ledger/events/",
                "checkpoints/_rejects/events.parquet",
            ],
            ["", "reports/"],
        ),
        ("somebody-elses", [], ["prod/", "checkpoints/"]),
    ],
)
def test_only_the_folders_of_source_and_checkpoint_can_be_listed(
    bucket: str, prefixes: list[str], refused: list[str]
) -> None:
    """And what is missing in them is said to be missing, instead of refused; no bucket as a whole.

    S3 holds the key that is asked for against s3:prefix before it admits that there is none.
    """
    assert all(may("s3:ListBucket", bucket, {"s3:prefix": prefix}) for prefix in prefixes)
    assert not any(may("s3:ListBucket", bucket, {"s3:prefix": prefix}) for prefix in refused)
    assert not may("s3:ListBucket", bucket)


@pytest.mark.parametrize("sections", [(), ("source", "checkpoint", "function", "vpc", "run")])
def test_versions_and_buckets_are_out_of_reach(sections: tuple[str, ...]) -> None:
    """What a run deletes by mistake, an earlier version brings back."""
    changes = {section: EVERYTHING[section] for section in sections}
    actions = {
        action for statement in statements(changes).values() for action in statement["Action"]
    }

    assert {action for action in actions if action.startswith("s3:")} == {
        f"s3:{action}" for action in ("ListBucket", "GetObject", "PutObject", "DeleteObject")
    }


@pytest.mark.parametrize(
    "key,actions",
    [
        ("nacc-events/prod/log-1.json", {"Get"}),
        ("nacc-events/staging/log-1.json", set()),
        ("somebody-elses/prod/log-1.json", set()),
        ("nacc-checkpoints/checkpoints/events.parquet", {"Get", "Put"}),
        (
            "nacc-checkpoints/checkpoints/_ledger/events/00000001-a.parquet",
            {"Get", "Put", "Delete"},
        ),
        ("nacc-checkpoints/checkpoints/_ledger/events/00000001-a.json", {"Get", "Put", "Delete"}),
        ("nacc-checkpoints/checkpoints/_rejects/events.parquet", {"Get", "Put"}),
        ("nacc-checkpoints/checkpoints/_withheld/events.json", {"Get", "Put"}),
        ("nacc-checkpoints/checkpoints/_withheld/other.json", set()),
        ("nacc-checkpoints/checkpoints/_previous/events/a.parquet", set()),
        ("nacc-checkpoints/checkpoints/_ledger/other/00000001-a.parquet", set()),
        ("nacc-checkpoints/checkpoints/_rejects/other.parquet", set()),
        ("nacc-checkpoints/checkpoints/other.parquet", set()),
        ("nacc-checkpoints/x", set()),
    ],
)
def test_a_run_reads_events_writes_its_checkpoints_files_and_deletes_its_ledgers_alone(
    key: str, actions: set[str]
) -> None:
    """With their digests; what people keep, and what other checkpoints have, is out of reach."""
    assert actions == {
        action for action in ("Get", "Put", "Delete") if may(f"s3:{action}Object", key)
    }
    assert not may("s3:DeleteObjectVersion", key)


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
