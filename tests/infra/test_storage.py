"""Buckets and their lifecycle, and the table over the checkpoint."""

from pathlib import Path
from typing import Any

import pytest

from checkpoint_format.event_columns import event_schema
from checkpoint_format.names import Names as CheckpointNames
from checkpoint_infra.analysis.table import columns
from checkpoint_infra.settings.reading import read_configuration
from nacc_event_model import EventFormat
from tests.infra.deploying import Deployment, as_texts, deploy, merged, stack_values

LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
ATHENA_TYPES = {
    "String": "string",
    "Int32": "int",
    "Date": "date",
    "Datetime(time_unit='us', time_zone='UTC')": "timestamp",
}


def rules(deployment: Deployment, name: str) -> dict[str, dict[str, Any]]:
    """Return a bucket's lifecycle rules by their ids."""
    return {rule["id"]: rule for rule in deployment.one(LIFECYCLE, name)["rules"]}


def test_no_rule_touches_current_objects_beside_event_objects(
    stacks: dict[str, Deployment], everything: Deployment
) -> None:
    """Rules know age, not reference: a ledger that is in force may be old.

    Results of queries are elsewhere in the bucket, and go.
    """
    for deployment in (*stacks.values(), everything):
        found = rules(deployment, "checkpoint")
        results = found.pop("query-results", None)

        assert results is None or results["filter"] == {"prefix": "athena-results/"}
        assert found.keys() == {"unfinished-uploads", "noncurrent-versions"}
        for rule in found.values():
            assert "transitions" not in rule
            assert "days" not in rule.get("expiration", {})


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
    configuration = everything.one(LIFECYCLE, "source")
    assert configuration["transitionDefaultMinimumObjectSize"] == "varies_by_storage_class"


def test_an_existing_bucket_is_left_as_it_is_but_for_rules_on_request(artifacts: Path) -> None:
    """Neither made nor changed; `ownsLifecycle` says that its rules are this stack's."""
    source = {"ownsLifecycle": True, "archive": {"glacierDays": 90}}
    there = {"checkpoint": {"create": None}, "artifacts": {"bucket": "there"}, "source": source}
    shared = {"athena": {"database": "shared", "createDatabase": False}}
    deployment = deploy(merged(stack_values("prod"), there | shared), artifacts)
    made = [each for each in deployment.resources if each.kind.startswith("aws:s3")]

    assert [(each.kind, each.name) for each in made] == [(LIFECYCLE, "source")]
    assert "event-objects" in rules(deployment, "source")
    # So is a database.
    assert [] == deployment.all("aws:glue/catalogDatabase:CatalogDatabase")
    assert deployment.one("aws:glue/catalogTable:CatalogTable")["databaseName"] == "shared"


@pytest.mark.parametrize("event_format", list(EventFormat))
def test_athenas_table_has_the_checkpoints_columns(event_format: EventFormat) -> None:
    """In its order, with the types that Athena has for them."""
    values = merged(stack_values("prod"), {"run": {"eventFormat": str(event_format)}})
    expected = [
        (name, ATHENA_TYPES[str(kind)]) for name, kind in event_schema(event_format).items()
    ]

    assert list(columns(read_configuration(as_texts(values))).items()) == expected
