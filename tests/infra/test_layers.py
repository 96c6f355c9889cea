"""Where the layers come from, in each mode, each independently of the others."""

import json
from pathlib import Path

import pytest

from checkpoint_infra.compute.artifacts import ArtifactError
from checkpoint_infra.compute.layers import LayerMismatchError, LayerNotFoundError
from tests.infra.conftest import write_artifacts
from tests.infra.deploying import (
    Cloud,
    Deployment,
    Existing,
    deploy,
    existing_layers,
    merged,
    stack_values,
)

VERSION = "aws:lambda/layerVersion:LayerVersion"
UPLOAD = "aws:s3/bucketObjectv2:BucketObjectv2"
FUNCTION = "aws:lambda/function:Function"
REUSE = {"awsSdk": {"mode": "reuse"}}


def deploy_layers(
    artifacts: Path, layers: dict[str, dict[str, str]] | None = None, cloud: Cloud | None = None
) -> Deployment:
    """Deploy dev with these layers, the others being built."""
    return deploy(merged(stack_values("dev"), {"layers": layers or {}}), artifacts, cloud)


def changed(before: Deployment, after: Deployment) -> set[str]:
    """Name the resources that another deployment would change, wherever their archives are."""
    old, new = (
        {
            f"{each.kind} {each.name}": {**each.inputs, "source": None, "code": None}
            for each in deployment.resources
        }
        for deployment in (before, after)
    )
    assert old.keys() == new.keys()
    return {name for name in new if new[name] != old[name]}


def with_content(folder: Path) -> Path:
    """Write archives of which one says what it holds, apart from its bytes."""
    manifest = write_artifacts(folder) / "manifest.json"
    document = json.loads(manifest.read_text(encoding="utf-8"))
    document["files"]["layers/aws-sdk.zip"]["content_sha256"] = "c0ffee"
    manifest.write_text(json.dumps(document), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "contents,expected",
    [
        ({}, set()),
        ({"layers/aws-sdk.zip": "newer"}, {f"{UPLOAD} aws-sdk", f"{VERSION} aws-sdk"}),
        ({"function.zip": "newer"}, {f"{FUNCTION} function"}),
    ],
)
def test_a_deployment_touches_what_has_another_content_alone(
    stacks: dict[str, Deployment], tmp_path: Path, contents: dict[str, str], expected: set[str]
) -> None:
    """Whatever folder and time it is of: no other layer, and without a flag."""
    assert changed(stacks["dev"], deploy_layers(write_artifacts(tmp_path, contents))) == expected


def test_an_unchanged_layer_is_renewed_on_request(
    stacks: dict[str, Deployment], artifacts: Path
) -> None:
    """Another text is another version."""
    first = deploy_layers(artifacts, {"observability": {"renewal": "2026-11-02"}})
    second = deploy_layers(artifacts, {"observability": {"renewal": "2026-11-03"}})

    assert changed(stacks["dev"], first) == {f"{VERSION} observability"}
    assert changed(first, second) == {f"{VERSION} observability"}


def test_a_layer_of_another_name_can_be_reused(artifacts: Path) -> None:
    """Names are a setting of each layer."""
    layers = {"awsSdk": {"mode": "reuse", "name": "our-boto3"}}
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:our-boto3:8"
    same = existing_layers(artifacts)["visit-event-checkpoint-aws-sdk"]
    cloud = Cloud({"our-boto3": Existing(arn, code_hash=same.code_hash)})

    assert deploy_layers(artifacts, layers, cloud).outputs["aws_sdk_layer_arn"] == arn


def test_a_layer_of_another_build_is_not_reused(artifacts: Path, tmp_path: Path) -> None:
    """The function's code and its layers are of one build, or nothing is deployed."""
    other = write_artifacts(tmp_path, {"layers/aws-sdk.zip": "newer"})
    expected = r"layers\.aws-sdk: arn:\S+:3, the newest of its name, is not of the build that is"

    with pytest.raises(LayerMismatchError, match=expected):
        deploy_layers(other, REUSE, Cloud(existing_layers(artifacts)))


def test_reusing_a_layer_that_does_not_exist_says_what_to_do(artifacts: Path) -> None:
    """Which layer, for what, where, and the ways out."""
    expected = (
        r"layers\.aws-sdk: no layer visit-event-checkpoint-aws-sdk for python3\.12 on arm64 was "
        r"found in us-east-1 \(.*\)\. Set its mode to build, or to external"
    )

    with pytest.raises(LayerNotFoundError, match=expected):
        deploy_layers(artifacts, REUSE, Cloud())


def test_a_layer_of_the_same_content_in_other_bytes_is_reused(tmp_path: Path) -> None:
    """What is published says what it holds; what packed it does not matter."""
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:visit-event-checkpoint-aws-sdk:5"
    found = Existing(arn, "aws-sdk for visit-event-checkpoint, content c0ffee", "other bytes")
    cloud = Cloud({"visit-event-checkpoint-aws-sdk": found})

    assert deploy_layers(with_content(tmp_path), REUSE, cloud).outputs["aws_sdk_layer_arn"] == arn


def test_a_published_layer_is_named_by_what_it_holds(tmp_path: Path) -> None:
    """Key and description, so that it is found again, and other bytes publish nothing."""
    version = deploy_layers(with_content(tmp_path)).one(VERSION, "aws-sdk")

    assert version["s3Key"] == "lambda-layers/aws-sdk/c0ffee.zip"
    assert version["description"] == "aws-sdk for visit-event-checkpoint, content c0ffee"
    assert "sourceCodeHash" not in version


def test_layers_that_are_not_built_need_no_archives(tmp_path: Path) -> None:
    """Production needs the function's archive alone, and looks nothing up."""
    folder = write_artifacts(tmp_path)
    for layer in (folder / "layers").iterdir():
        layer.unlink()

    assert deploy(stack_values("prod"), folder, Cloud()).all(FUNCTION)


def test_a_missing_archive_is_told_before_anything_is_registered(tmp_path: Path) -> None:
    """Which file, and which command makes it."""
    with pytest.raises(ArtifactError, match=r"function\.zip.*hatch run build-artifacts"):
        deploy(stack_values("prod"), tmp_path)


def test_an_archive_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    """It is not the one that the manifest speaks of, and that was tried."""
    folder = write_artifacts(tmp_path)
    (folder / "layers/aws-sdk.zip").write_bytes(b"something else")

    with pytest.raises(ArtifactError, match=r"aws-sdk\.zip: is not the archive that manifest"):
        deploy_layers(folder)


@pytest.mark.parametrize(
    "runtime,architecture,problem",
    [
        ("python3.13", "arm64", "runtime python3.13, and the stack is for python3.12"),
        ("python3.12", "x86_64", "architecture x86_64, and the stack is for arm64"),
    ],
)
def test_archives_for_another_machine_are_refused(
    tmp_path: Path, runtime: str, architecture: str, problem: str
) -> None:
    """They would be deployed without a complaint, and fail at the first import."""
    folder = write_artifacts(tmp_path, runtime=runtime, architecture=architecture)

    with pytest.raises(ArtifactError, match=problem):
        deploy_layers(folder)


def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Without it nobody knows what the archives are for."""
    folder = write_artifacts(tmp_path)
    (folder / "manifest.json").write_text("{}", encoding="utf-8")

    with pytest.raises(ArtifactError, match=r"manifest\.json: cannot be read"):
        deploy(stack_values("dev"), folder, Cloud())
