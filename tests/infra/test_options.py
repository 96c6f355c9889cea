"""What a stack can have beside the function: who is told, who may, where it runs."""

import re
from pathlib import Path

import pytest

from checkpoint_infra.analysis.queries import ANALYSTS
from checkpoint_infra.monitoring.log_queries import OPERATORS
from checkpoint_lambda._log_events import LOG_EVENTS
from tests.infra.deploying import INFRA, Deployment, deploy, merged, stack_values

ROLE = "aws:iam/role:Role"


def test_every_role_has_the_boundary(everything: Deployment, stacks: dict[str, Deployment]) -> None:
    """Where there is one, or an account that demands it refuses the role."""
    boundaries = {each.inputs.get("permissionsBoundary") for each in everything.all(ROLE)}

    assert boundaries == {"arn:aws:iam::123456789012:policy/boundary"}
    assert {each.inputs.get("permissionsBoundary") for each in stacks["prod"].all(ROLE)} == {None}


def test_what_analysts_find_is_what_the_documents_explain() -> None:
    """Word for word: there it is tried, and what a status is, is decided once."""
    document = (INFRA.parent / "docs/analysing.md").read_text(encoding="utf-8")
    athena = document[document.index("### Athena") : document.index("### pandas")]
    statements = re.findall(r"```sql\n(.*?)```", athena, re.DOTALL)

    assert len(statements) == 2
    assert set(statements) <= set(ANALYSTS.values())


@pytest.mark.parametrize("query", sorted(OPERATORS))
def test_operators_ask_for_lines_that_exist(query: str) -> None:
    """By the names that the log has."""
    named = set(re.findall(r"event !?= '(\w+)'", OPERATORS[query]))

    assert named
    assert named <= {event.name for event in LOG_EVENTS}


def test_requests_to_every_bucket_made_here_are_logged(everything: Deployment) -> None:
    """But to the one that the logs are in, which S3 writes to without a customer's key."""
    logged = {
        each.inputs["bucket"] for each in everything.all("aws:s3/bucketLogging:BucketLogging")
    }
    made = {each.inputs["bucket"] for each in everything.all("aws:s3/bucket:Bucket")}
    encryption = (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    )
    [rule] = everything.one(encryption, "access-logs")["rules"]

    assert logged == made - {"access-logs-of-full"}
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_production_can_be_kept_on_a_version_without_traces(artifacts: Path) -> None:
    """A rollback is one setting; a role whose function is not traced may not send traces."""
    changes = {"function": {"pinnedVersion": 5, "tracing": False}}
    deployment = deploy(merged(stack_values("prod"), changes), artifacts)

    assert deployment.one("aws:lambda/alias:Alias")["functionVersion"] == "5"
    assert deployment.one("aws:lambda/function:Function")["tracingConfig"] == {
        "mode": "PassThrough"
    }
    assert "xray" not in deployment.one("aws:iam/rolePolicy:RolePolicy", "role")["policy"]
