"""Where the layers come from, in each mode, each independently of the others."""

import json
from pathlib import Path
from typing import Any

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
EXTERNAL = "arn:aws:lambda:us-east-1:111122223333:layer:shared-data:12"


def deploy_layers(artifacts: Path, **layers: dict[str, str]) -> Deployment:
    """Deploy dev with these layers, the others being built."""
    return deploy(merged(stack_values("dev"), {"layers": layers}), artifacts)


def by_name(deployment: Deployment, kind: str) -> dict[str, dict[str, Any]]:
    """Return the inputs of all resources of a type."""
    return {each.name: each.inputs for each in deployment.all(kind)}


def changed(before: Deployment, after: Deployment) -> set[str]:
    """Name the resources that another deployment would change."""
    old = {(each.kind, each.name): each.inputs for each in before.resources}
    new = {(each.kind, each.name): each.inputs for each in after.resources}
    assert old.keys() == new.keys()
    return {f"{kind} {name}" for kind, name in new if new[kind, name] != old[kind, name]}


def test_a_built_layer_is_uploaded_through_s3_and_published(artifacts: Path) -> None:
    """Direct uploads are limited to 50 MB, and polars alone has more."""
    deployment = deploy_layers(artifacts)
    version = by_name(deployment, VERSION)["data-processing"]
    upload = by_name(deployment, UPLOAD)["data-processing"]

    assert version["layerName"] == "visit-event-checkpoint-data-processing"
    assert (version["s3Bucket"], version["s3Key"]) == (upload["bucket"], upload["key"])
    assert version["compatibleRuntimes"] == ["python3.12"]
    assert version["compatibleArchitectures"] == ["arm64"]
    assert "code" not in version


def test_old_versions_stay_for_a_rollback(artifacts: Path) -> None:
    """Pulumi forgets a version that is replaced; AWS keeps it."""
    versions = by_name(deploy_layers(artifacts), VERSION)

    assert len(versions) == 3
    assert all(version["skipDestroy"] is True for version in versions.values())


def test_archives_that_are_built_again_alike_publish_nothing(tmp_path: Path) -> None:
    """Whatever folder and time they are of: the content decides."""
    first = deploy_layers(write_artifacts(tmp_path / "one"))
    second = deploy_layers(write_artifacts(tmp_path / "two"))

    assert by_name(first, VERSION) == by_name(second, VERSION)


def test_only_the_layer_whose_content_changed_gets_a_new_version(tmp_path: Path) -> None:
    """The others keep theirs."""
    folder = write_artifacts(tmp_path)
    before = deploy_layers(folder)
    after = deploy_layers(write_artifacts(folder, {"layers/aws-sdk.zip": "newer"}))

    assert changed(before, after) == {f"{UPLOAD} aws-sdk", f"{VERSION} aws-sdk"}


def test_a_change_of_code_alone_touches_the_function_alone(tmp_path: Path) -> None:
    """Without a flag, and in seconds."""
    folder = write_artifacts(tmp_path)
    before = deploy_layers(folder)
    after = deploy_layers(write_artifacts(folder, {"function.zip": "newer"}))

    assert changed(before, after) == {f"{FUNCTION} function"}


def test_an_unchanged_layer_is_renewed_on_request_and_once(artifacts: Path) -> None:
    """Another text is another version, the same text none."""
    plain = deploy_layers(artifacts)
    first = deploy_layers(artifacts, observability={"renewal": "2026-11-02"})
    again = deploy_layers(artifacts, observability={"renewal": "2026-11-02"})
    second = deploy_layers(artifacts, observability={"renewal": "2026-11-03"})

    assert changed(plain, first) == {f"{VERSION} observability"}
    assert changed(first, again) == set()
    assert changed(first, second) == {f"{VERSION} observability"}


def test_a_layer_is_reused_by_its_name(artifacts: Path) -> None:
    """The newest version that fits, and nothing is uploaded for it."""
    deployment = deploy_layers(artifacts, awsSdk={"mode": "reuse"})

    arn = "arn:aws:lambda:us-east-1:123456789012:layer:visit-event-checkpoint-aws-sdk:3"
    assert deployment.outputs["aws_sdk_layer_arn"] == arn
    assert by_name(deployment, VERSION).keys() == {"observability", "data-processing"}
    assert by_name(deployment, UPLOAD).keys() == {"observability", "data-processing"}


def test_a_layer_of_another_name_can_be_reused(artifacts: Path) -> None:
    """Names are a setting of each layer."""
    values = merged(
        stack_values("dev"), {"layers": {"awsSdk": {"mode": "reuse", "name": "our-boto3"}}}
    )
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:our-boto3:8"
    same = existing_layers(artifacts)["visit-event-checkpoint-aws-sdk"]
    cloud = Cloud({"our-boto3": Existing(arn, code_hash=same.code_hash)})

    assert deploy(values, artifacts, cloud).outputs["aws_sdk_layer_arn"] == arn


def test_a_layer_of_another_build_is_not_reused(artifacts: Path, tmp_path: Path) -> None:
    """The function's code and its layers are of one build, or nothing is deployed."""
    other = write_artifacts(tmp_path, {"layers/aws-sdk.zip": "newer"})
    values = merged(stack_values("dev"), {"layers": {"awsSdk": {"mode": "reuse"}}})
    expected = r"layers\.aws-sdk: arn:\S+:3, the newest of its name, is not of the build that is"

    with pytest.raises(LayerMismatchError, match=expected):
        deploy(values, other, Cloud(existing_layers(artifacts)))


def test_a_layer_of_the_same_content_in_other_bytes_is_reused(tmp_path: Path) -> None:
    """What is published says what it holds; what packed it does not matter."""
    manifest = write_artifacts(tmp_path) / "manifest.json"
    document = json.loads(manifest.read_text(encoding="utf-8"))
    document["files"]["layers/aws-sdk.zip"]["content_sha256"] = "c0ffee"
    manifest.write_text(json.dumps(document), encoding="utf-8")
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:visit-event-checkpoint-aws-sdk:5"
    found = Existing(arn, "aws-sdk for visit-event-checkpoint, content c0ffee", "other bytes")
    values = merged(stack_values("dev"), {"layers": {"awsSdk": {"mode": "reuse"}}})
    cloud = Cloud({"visit-event-checkpoint-aws-sdk": found})

    assert deploy(values, tmp_path, cloud).outputs["aws_sdk_layer_arn"] == arn


def test_a_published_layer_is_named_by_what_it_holds(tmp_path: Path) -> None:
    """Key and description, so that it is found again, and other bytes publish nothing."""
    manifest = write_artifacts(tmp_path) / "manifest.json"
    document = json.loads(manifest.read_text(encoding="utf-8"))
    document["files"]["layers/aws-sdk.zip"]["content_sha256"] = "c0ffee"
    manifest.write_text(json.dumps(document), encoding="utf-8")
    version = by_name(deploy_layers(tmp_path), VERSION)["aws-sdk"]

    assert version["s3Key"] == "lambda-layers/aws-sdk/c0ffee.zip"
    assert version["description"] == "aws-sdk for visit-event-checkpoint, content c0ffee"
    assert "sourceCodeHash" not in version


def test_a_layer_is_shared_with_accounts_and_stays_so(everything: Deployment) -> None:
    """Each by a name of its own, for reading alone; also after a newer version was published."""
    kind = "aws:lambda/layerVersionPermission:LayerVersionPermission"
    shared = by_name(everything, kind)

    assert shared.keys() == {
        "data-processing-111122223333",
        "data-processing-444455556666",
        "data-processing-organization",
    }
    assert {each["action"] for each in shared.values()} == {"lambda:GetLayerVersion"}
    assert all(each["skipDestroy"] for each in shared.values())
    assert shared["data-processing-organization"]["organizationId"] == "o-a1b2c3d4e5"


def test_reusing_a_layer_that_does_not_exist_says_what_to_do(artifacts: Path) -> None:
    """Which layer, for what, where, and the ways out."""
    values = merged(stack_values("dev"), {"layers": {"awsSdk": {"mode": "reuse"}}})
    expected = (
        r"layers\.aws-sdk: no layer visit-event-checkpoint-aws-sdk for python3\.12 on arm64 was "
        r"found in us-east-1 \(.*\)\. Set its mode to build, or to external"
    )

    with pytest.raises(LayerNotFoundError, match=expected):
        deploy(values, artifacts, Cloud())


def test_an_external_layer_may_be_another_accounts(artifacts: Path) -> None:
    """It is taken as it is given, and nothing is looked up."""
    layer = {"mode": "external", "arn": EXTERNAL}
    values = merged(stack_values("dev"), {"layers": {"dataProcessing": layer}})
    deployment = deploy(values, artifacts, Cloud())

    assert deployment.outputs["data_processing_layer_arn"] == EXTERNAL
    assert deployment.one(FUNCTION)["layers"][1] == EXTERNAL
    assert by_name(deployment, VERSION).keys() == {"observability", "aws-sdk"}


def test_layers_that_are_not_built_need_no_archives(tmp_path: Path) -> None:
    """Production needs the function's archive alone."""
    folder = write_artifacts(tmp_path)
    for layer in (folder / "layers").iterdir():
        layer.unlink()

    assert deploy(stack_values("prod"), folder).all(FUNCTION)


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
