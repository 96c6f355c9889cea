"""Removing old versions of functions and layers: what is new or needed stays."""

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from prune_layers import all_versions, layer_versions, main, pinned_versions, superfluous
from tests.infra.deploying import INFRA

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

REGION = "us-east-1"
NAME = "visit-event-checkpoint-aws-sdk"
FUNCTION = "visit-event-checkpoint-dev"
ARN = f"arn:aws:lambda:us-east-1:123456789012:layer:{NAME}"


@pytest.fixture
def client(empty_account: None) -> "LambdaClient":
    """Give an account with six versions of one layer."""
    client = boto3.client("lambda", region_name=REGION)
    for number in range(6):
        client.publish_layer_version(LayerName=NAME, Content={"ZipFile": archive(number)})
    return client


def archive(number: int) -> bytes:
    """Return an archive that is told apart by a number."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("python/module.py", f"x = {number}")
    return stream.getvalue()


def use(client: "LambdaClient", *layers: str, name: str = FUNCTION) -> None:
    """Publish a function with these layers, one version after the other."""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    iam = boto3.client("iam", region_name=REGION)
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)
    client.create_function(
        FunctionName=name,
        Role=role["Role"]["Arn"],
        Handler="module.handler",
        Runtime="python3.12",
        Code={"ZipFile": archive(0)},
        Layers=layers[:1],
        Publish=True,
    )
    for number, layer in enumerate(layers[1:], start=1):
        client.update_function_configuration(FunctionName=name, Layers=[layer])
        client.update_function_code(FunctionName=name, ZipFile=archive(number))
        client.publish_version(FunctionName=name)


def published(client: "LambdaClient", name: str = FUNCTION) -> list[int]:
    """Return the numbers of a function's versions."""
    return sorted(number for function, number in all_versions(client)[0] if function == name)


def test_versions_beyond_the_newest_are_removed(
    client: "LambdaClient", capsys: pytest.CaptureFixture[str]
) -> None:
    """The newest three stay, and each removal is told; of the service's layers without naming them.

    Layers that do not exist have nothing to remove.
    """
    assert main(["--region", REGION]) == 0

    assert sorted(layer_versions(client, NAME)) == [4, 5, 6]
    said = capsys.readouterr().out
    assert f"{NAME}:1 removed\n{NAME}:2 removed\n{NAME}:3 removed\n{NAME}: 3 of 6 versions" in said
    assert "visit-event-checkpoint-observability: 0 of 0 versions" in said


def test_old_versions_of_the_function_go_and_with_them_their_layers(
    client: "LambdaClient", capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise no layer would ever be unused: each has a version that was published with it."""
    use(client, *(f"{ARN}:{number}" for number in range(1, 7)))

    assert main(["--region", REGION, "--layer", NAME, "--keep", "2"]) == 0
    assert published(client) == [5, 6]
    assert sorted(layer_versions(client, NAME)) == [5, 6]
    assert f"{FUNCTION}: 4 of 6 versions, 2 left\n" in capsys.readouterr().out


def test_versions_that_an_alias_or_a_stack_needs_stay_with_their_layers(
    client: "LambdaClient", tmp_path: Path
) -> None:
    """Also one that an alias gives a part of the invocations, and one that is pinned."""
    use(client, *(f"{ARN}:{number}" for number in range(1, 7)))
    client.create_alias(
        FunctionName=FUNCTION,
        Name="dev",
        FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {"3": 0.1}},
    )
    stack = "config:\n  event-log-checkpoint:function:\n    pinnedVersion: 4\n"
    (tmp_path / "Pulumi.dev.yaml").write_text(stack, encoding="utf-8")
    arguments = ["--region", REGION, "--layer", NAME, "--keep", "1", "--stacks", str(tmp_path)]

    assert main(arguments) == 0
    assert published(client) == [2, 3, 4, 6]
    assert sorted(layer_versions(client, NAME)) == [2, 3, 4, 6]


def test_functions_of_other_services_are_left_alone_and_keep_their_layers(
    client: "LambdaClient",
) -> None:
    """Whoever uses a layer of ours needs it."""
    use(client, *(f"{ARN}:{number}" for number in (1, 2, 3)), name="somebody-elses")

    assert main(["--region", REGION, "--layer", NAME, "--keep", "1"]) == 0
    assert published(client, "somebody-elses") == [1, 2, 3]
    assert sorted(layer_versions(client, NAME)) == [1, 2, 3, 6]


def test_without_the_stacks_files_nothing_is_removed(
    client: "LambdaClient", tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody would know what is pinned."""
    assert main(["--region", REGION, "--stacks", str(tmp_path)]) == 1
    assert "which may pin a version" in capsys.readouterr().err
    assert len(layer_versions(client, NAME)) == 6


def test_pins_are_found_in_the_stacks_own_files() -> None:
    """None of which pins anything as it is kept here."""
    assert pinned_versions(INFRA) == set()


def test_a_dry_run_removes_nothing(
    client: "LambdaClient", capsys: pytest.CaptureFixture[str]
) -> None:
    """And says what would go, layers of function versions that would go among them."""
    use(client, *(f"{ARN}:{number}" for number in range(1, 7)))
    assert main(["--region", REGION, "--layer", NAME, "--keep", "4", "--dry-run"]) == 0

    out = capsys.readouterr().out
    assert len(layer_versions(client, NAME)) == len(published(client)) == 6
    assert f"{FUNCTION}:2 would be removed\n" in out
    assert f"{NAME}:2 would be removed\n" in out


def test_a_refusal_is_one_line_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As when nobody has logged in."""
    monkeypatch.setattr("prune_layers.all_versions", refuse)

    assert main(["--region", REGION]) == 1
    assert capsys.readouterr().err.startswith("prune_layers: ")


def refuse(client: "LambdaClient") -> None:
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
    old = superfluous(numbers, used, keep=keep)
    left = numbers - set(old)

    assert not set(old) & used
    assert left <= used | set(sorted(numbers)[-keep:])
    assert len(left) >= min(keep, len(numbers))
    assert not old or max(old) < max(left)
