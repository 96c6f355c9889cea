"""Removing old layer versions: what is new or used stays."""

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from prune_layers import layer_versions, main, superfluous, used_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

REGION = "us-east-1"
NAME = "event-log-checkpoint-aws-sdk"
ARN = f"arn:aws:lambda:us-east-1:123456789012:layer:{NAME}"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator["LambdaClient"]:
    """Give an account with six versions of one layer."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("lambda", region_name=REGION)
        for number in range(6):
            client.publish_layer_version(LayerName=NAME, Content={"ZipFile": archive(number)})
        yield client


def archive(number: int) -> bytes:
    """Return an archive that is told apart by a number."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("python/module.py", f"x = {number}")
    return stream.getvalue()


def use(client: "LambdaClient", *layers: str) -> None:
    """Publish a function with these layers."""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    iam = boto3.client("iam", region_name=REGION)
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)
    client.create_function(
        FunctionName="function",
        Role=role["Role"]["Arn"],
        Handler="module.handler",
        Runtime="python3.12",
        Code={"ZipFile": archive(0)},
        Layers=layers,
        Publish=True,
    )


def test_versions_beyond_the_newest_are_removed(
    client: "LambdaClient", capsys: pytest.CaptureFixture[str]
) -> None:
    """The newest three stay, and each removal is told."""
    assert main(["--region", REGION, "--layer", NAME]) == 0

    assert sorted(layer_versions(client, NAME)) == [4, 5, 6]
    assert capsys.readouterr().out == (
        f"{NAME}:1 removed\n{NAME}:2 removed\n{NAME}:3 removed\n{NAME}: 3 of 6 versions, 3 left\n"
    )


def test_a_version_that_a_published_function_uses_stays(client: "LambdaClient") -> None:
    """A rollback to that function version finds it."""
    use(client, f"{ARN}:2")

    assert main(["--region", REGION, "--layer", NAME, "--keep", "1"]) == 0
    assert sorted(layer_versions(client, NAME)) == [2, 6]


def test_a_version_that_only_an_older_function_version_uses_stays(client: "LambdaClient") -> None:
    """Not only what the newest version of a function has."""
    use(client, f"{ARN}:2")
    client.update_function_configuration(FunctionName="function", Layers=[f"{ARN}:6"])

    assert f"{ARN}:2" in used_versions(client)


def test_a_dry_run_removes_nothing(
    client: "LambdaClient", capsys: pytest.CaptureFixture[str]
) -> None:
    """And says what would go."""
    assert main(["--region", REGION, "--layer", NAME, "--keep", "4", "--dry-run"]) == 0

    assert len(layer_versions(client, NAME)) == 6
    assert f"{NAME}:2 would be removed\n" in capsys.readouterr().out


def test_the_three_layers_are_looked_after_without_naming_them(
    client: "LambdaClient", capsys: pytest.CaptureFixture[str]
) -> None:
    """By the service's name; layers that do not exist have nothing to remove."""
    assert main(["--region", REGION]) == 0

    assert sorted(layer_versions(client, NAME)) == [4, 5, 6]
    assert "event-log-checkpoint-observability: 0 of 0 versions" in capsys.readouterr().out


def test_a_refusal_is_one_line_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As when nobody has logged in."""
    monkeypatch.setattr("prune_layers.used_versions", refuse)

    assert main(["--region", REGION]) == 1
    assert capsys.readouterr().err.startswith("prune_layers: ")


def refuse(client: "LambdaClient") -> set[str]:
    """Fail as boto3 does without credentials."""
    raise NoCredentialsError


@pytest.mark.parametrize("keep", ["0", "-1", "many"])
def test_at_least_one_version_is_kept(keep: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Zero would remove what the next deployment reuses."""
    with pytest.raises(SystemExit) as caught:
        main(["--region", REGION, "--keep", keep])

    assert caught.value.code == 2


@given(
    numbers=st.sets(st.integers(1, 50)),
    used=st.sets(st.integers(1, 50)),
    keep=st.integers(1, 10),
)
def test_what_is_superfluous_is_neither_new_nor_used(
    numbers: set[int], used: set[int], keep: int
) -> None:
    """And what is left is one of both."""
    versions = {number: f"{ARN}:{number}" for number in numbers}
    old = superfluous(versions, {f"{ARN}:{number}" for number in used}, keep=keep)
    left = numbers - set(old)

    assert not set(old) & used
    assert left <= used | set(sorted(numbers)[-keep:])
    assert len(left) >= min(keep, len(numbers))
    assert not old or max(old) < max(left)
