"""What a stack can have beside the function: who is told, who may, where it runs."""

import json
import re
from typing import Any

import pytest

from checkpoint_infra.queries import ANALYSTS, OPERATORS
from checkpoint_lambda._log_events import LOG_EVENTS
from tests.infra.conftest import KEY
from tests.infra.deploying import INFRA, Deployment

ROLE = "aws:iam/role:Role"


def policy(text: str) -> dict[str, dict[str, Any]]:
    """Return a document's statements by their names."""
    return {each["Sid"]: each for each in json.loads(text)["Statement"]}


def test_credentials_are_the_stacks_own(everything: Deployment) -> None:
    """A profile, then a role; Pulumi's own settings are for a provider that is not used."""
    [provider] = everything.all("pulumi:providers:aws")

    assert provider.inputs["profile"] == "deployer"
    assert json.loads(provider.inputs["assumeRoles"]) == [
        {
            "duration": "30m",
            "externalId": "checkpoints",
            "roleArn": "arn:aws:iam::123456789012:role/deploys-checkpoints",
            "sessionName": "visit-event-checkpoint-full",
        }
    ]


def test_without_credentials_the_environment_says_who_deploys(
    stacks: dict[str, Deployment],
) -> None:
    """As a pipeline needs it."""
    [provider] = stacks["prod"].all("pulumi:providers:aws")

    assert not {"profile", "assumeRoles"} & provider.inputs.keys()


def test_every_role_has_the_boundary(everything: Deployment, stacks: dict[str, Deployment]) -> None:
    """Where there is one, or an account that demands it refuses the role."""
    boundaries = {each.inputs.get("permissionsBoundary") for each in everything.all(ROLE)}

    assert boundaries == {"arn:aws:iam::123456789012:policy/boundary"}
    assert {each.inputs.get("permissionsBoundary") for each in stacks["prod"].all(ROLE)} == {None}


def test_a_new_checkpoint_is_told_by_its_key_alone(everything: Deployment) -> None:
    """Not the ledgers and rejects beside it; to the target that is given and the topic made."""
    rule = everything.one("aws:cloudwatch/eventRule:EventRule")
    targets = [
        each.inputs["arn"] for each in everything.all("aws:cloudwatch/eventTarget:EventTarget")
    ]
    notification = everything.one("aws:s3/bucketNotification:BucketNotification")

    assert json.loads(rule["eventPattern"]) == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": ["checkpoints-of-full"]},
            "object": {"key": ["data/events.parquet"]},
        },
    }
    assert notification == {"bucket": "checkpoints-of-full", "eventbridge": True}
    assert set(targets) == {
        "arn:aws:sqs:us-east-1:123456789012:reports",
        everything.outputs["checkpoint_topic_arn"],
    }


def test_only_our_rule_may_tell_the_topic(everything: Deployment) -> None:
    """Of all that EventBridge does for anybody."""
    told = policy(everything.one("aws:sns/topicPolicy:TopicPolicy")["policy"])
    rule = everything.one("aws:cloudwatch/eventRule:EventRule")["name"]

    assert told["TellOfCheckpoints"]["Principal"] == {"Service": "events.amazonaws.com"}
    assert told["TellOfCheckpoints"]["Action"] == "sns:Publish"
    assert told["TellOfCheckpoints"]["Condition"] == {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:events:us-east-1:123456789012:rule/{rule}"}
    }


def test_the_function_runs_in_the_network_and_reaches_its_buckets(everything: Deployment) -> None:
    """Through a gateway that lets its role through, to these buckets."""
    function = everything.one("aws:lambda/function:Function")
    endpoint = everything.one("aws:ec2/vpcEndpoint:VpcEndpoint")
    allowed = policy(endpoint["policy"])["ThisStacksBuckets"]

    assert function["vpcConfig"]["subnetIds"] == ["subnet-0a1b2c3d", "subnet-4e5f6a7b"]
    assert endpoint["serviceName"] == "com.amazonaws.us-east-1.s3"
    assert allowed["Condition"]["ArnEquals"]["aws:PrincipalArn"].endswith("full-role")
    assert "arn:aws:s3:::events-of-full/*" in allowed["Resource"]


def test_requests_to_the_buckets_made_here_are_logged(everything: Deployment) -> None:
    """Each below its own name, in a bucket that S3 may write to for this account alone."""
    logged = {
        each.inputs["bucket"]: each.inputs["targetPrefix"]
        for each in everything.all("aws:s3/bucketLogging:BucketLogging")
    }
    logs = policy(everything.one("aws:s3/bucketPolicy:BucketPolicy", "access-logs")["policy"])
    made = {each.inputs["bucket"] for each in everything.all("aws:s3/bucket:Bucket")}

    assert logged.keys() == made - {"access-logs-of-full"}
    assert logged["events-of-full"] == "access-logs/events-of-full/"
    assert logs["TakeAccessLogs"]["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert logs["TakeAccessLogs"]["Resource"] == "arn:aws:s3:::access-logs-of-full/access-logs/*"
    assert logs["TakeAccessLogs"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"}
    }


def test_access_logs_end_and_are_encrypted_as_s3_can_write_them(everything: Deployment) -> None:
    """They hold the keys of event objects; S3 writes them without a customer's key."""
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    rules = {each["id"]: each for each in everything.one(kind, "access-logs")["rules"]}
    encryption = (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    )
    [rule] = everything.one(encryption, "access-logs")["rules"]

    assert rules["access-logs"]["expiration"] == {"days": 90}
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_analysts_work_within_limits_that_hold_for_all(everything: Deployment) -> None:
    """Results encrypted and elsewhere than the checkpoint; no query reads without end."""
    workgroup = everything.one("aws:athena/workgroup:Workgroup")["configuration"]
    results = workgroup["resultConfiguration"]

    assert workgroup["enforceWorkgroupConfiguration"] is True
    assert workgroup["bytesScannedCutoffPerQuery"] == 1_000_000_000
    assert results["outputLocation"] == "s3://checkpoints-of-full/athena-results/"
    assert results["encryptionConfiguration"] == {
        "encryptionOption": "SSE_KMS",
        "kmsKeyArn": KEY,
    }


def test_questions_are_saved_for_analysts_and_operators(everything: Deployment) -> None:
    """In Athena's workgroup, and in Logs Insights for the function's log."""
    asked = everything.all("aws:athena/namedQuery:NamedQuery")
    logs = everything.all("aws:cloudwatch/queryDefinition:QueryDefinition")

    assert {each.name for each in asked} == ANALYSTS.keys()
    assert {each.inputs["database"] for each in asked} == {"nacc_full"}
    assert {each.name for each in logs} == OPERATORS.keys()
    assert {each.inputs["logGroupNames"][0] for each in logs} == {
        "/aws/lambda/visit-event-checkpoint-full"
    }


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
