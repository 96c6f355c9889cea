"""Buckets and their lifecycle, and the table over the checkpoint."""

from pathlib import Path
from typing import Any

import pytest

from checkpoint_core._files.event_columns import event_schema
from checkpoint_core._files.layout import Names as CheckpointNames
from nacc_event_model import EventFormat
from tests.infra.deploying import Deployment, deploy, merged, stack_values

BUCKET = "aws:s3/bucket:Bucket"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
TABLE = "aws:glue/catalogTable:CatalogTable"
DATABASE = "aws:glue/catalogDatabase:CatalogDatabase"
ATHENA_TYPES = {
    "String": "string",
    "Int32": "int",
    "Date": "date",
    "Datetime(time_unit='us', time_zone='UTC')": "timestamp",
}


def rules(deployment: Deployment, name: str) -> dict[str, dict[str, Any]]:
    """Return a bucket's lifecycle rules by their ids."""
    return {rule["id"]: rule for rule in deployment.one(LIFECYCLE, name)["rules"]}


def test_existing_buckets_are_left_as_they_are(artifacts: Path) -> None:
    """Neither made nor changed."""
    values = merged(
        stack_values("prod"), {"checkpoint": {"create": None}, "artifacts": {"bucket": "there"}}
    )
    deployment = deploy(values, artifacts)

    assert [each.name for each in deployment.resources if each.kind.startswith("aws:s3")] == []


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_no_rule_touches_current_objects_beside_event_objects(
    stacks: dict[str, Deployment], everything: Deployment, stack: str
) -> None:
    """Rules know age, not reference: a ledger that is in force may be old.

    Results of queries are elsewhere in the bucket, and go.
    """
    for deployment in (stacks[stack], everything):
        found = rules(deployment, "checkpoint")
        results = found.pop("query-results", None)

        assert results is None or results["filter"] == {"prefix": "athena-results/"}
        assert found.keys() == {"unfinished-uploads", "noncurrent-versions"}
        for rule in found.values():
            assert "transitions" not in rule
            assert "days" not in rule.get("expiration", {})


def test_replaced_versions_and_unfinished_uploads_go(everything: Deployment) -> None:
    """Replaced versions after the stack's days, uploads after a week."""
    found = rules(everything, "source")

    assert found["noncurrent-versions"]["noncurrentVersionExpiration"] == {"noncurrentDays": 10}
    assert found["noncurrent-versions"]["expiration"] == {"expiredObjectDeleteMarker": True}
    assert found["unfinished-uploads"]["abortIncompleteMultipartUpload"] == {
        "daysAfterInitiation": 7
    }


def test_event_objects_are_archived_by_their_name_alone(everything: Deployment) -> None:
    """And although they are far smaller than what S3 moves by default."""
    rule = rules(everything, "source")["event-objects"]
    checkpoint = CheckpointNames("events.parquet")
    others = [
        checkpoint.checkpoint,
        checkpoint.ledgers,
        checkpoint.rejects,
        checkpoint.replaced("1"),
    ]

    assert rule["filter"] == {"prefix": "full/log-"}
    assert not [name for name in others if name.startswith("log-")]
    assert rule["transitions"] == [
        {"days": 90, "storageClass": "GLACIER"},
        {"days": 365, "storageClass": "DEEP_ARCHIVE"},
    ]
    assert rule["expiration"] == {"days": 3650}
    configuration = everything.one(LIFECYCLE, "source")
    assert configuration["transitionDefaultMinimumObjectSize"] == "varies_by_storage_class"


def test_an_existing_buckets_rules_are_replaced_only_on_request(artifacts: Path) -> None:
    """`ownsLifecycle` says that they are this stack's."""
    source = {"ownsLifecycle": True, "archive": {"glacierDays": 90}}
    deployment = deploy(merged(stack_values("prod"), {"source": source}), artifacts)

    assert [each.name for each in deployment.all(BUCKET)] == ["checkpoint"]
    assert "event-objects" in rules(deployment, "source")


def test_a_bucket_encrypts_with_the_configured_key(everything: Deployment) -> None:
    """And asks KMS once for many objects."""
    kind = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    [rule] = everything.one(kind, "checkpoint")["rules"]

    assert rule["bucketKeyEnabled"] is True
    assert rule["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d",
    }


@pytest.mark.parametrize("event_format", list(EventFormat))
def test_athenas_table_has_the_checkpoints_columns(
    artifacts: Path, event_format: EventFormat
) -> None:
    """In its order, with the types that Athena has for them."""
    changes = {"run": {"eventFormat": str(event_format)}}
    deployment = deploy(merged(stack_values("prod"), changes), artifacts)
    shown = deployment.one(TABLE)["storageDescriptor"]["columns"]
    expected = [
        {"name": name, "type": ATHENA_TYPES[str(kind)]}
        for name, kind in event_schema(event_format).items()
    ]

    assert shown == expected


def test_athenas_table_is_over_the_checkpoints_folder(stacks: dict[str, Deployment]) -> None:
    """Under the name that the queries in the documents use."""
    table = stacks["prod"].one(TABLE)

    assert (table["databaseName"], table["name"]) == ("nacc", "checkpoint_events")
    assert table["storageDescriptor"]["location"] == "s3://nacc-checkpoints/checkpoints/"
    assert table["parameters"]["classification"] == "parquet"
    serializer = table["storageDescriptor"]["serDeInfo"]["serializationLibrary"]
    assert serializer.endswith("ParquetHiveSerDe")


def test_athena_is_optional_and_may_use_an_existing_database(
    stacks: dict[str, Deployment], artifacts: Path
) -> None:
    """Without the section there is neither."""
    athena = {"athena": {"database": "shared", "createDatabase": False}}
    deployment = deploy(merged(stack_values("prod"), athena), artifacts)

    assert [] == stacks["dev"].all(TABLE) + stacks["dev"].all(DATABASE)
    assert [] == deployment.all(DATABASE)
    assert deployment.one(TABLE)["databaseName"] == "shared"
