"""Laying out what was built: whole, for this machine, and no layer hides another's files."""

import json
import sys
import zipfile
from pathlib import Path

import pytest

from artifacts.archives import digest
from artifacts.layout import lay_out, this_architecture
from artifacts.locks import LAYERS
from artifacts.toolchain import BuildError

ARCHIVES = ["function.zip", *(f"layers/{layer}.zip" for layer in LAYERS)]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing built runs elsewhere")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Give archives of one file each, and their manifest."""
    return write_built(tmp_path / "built", {name: f"python/{name}.py" for name in ARCHIVES})


def write_built(folder: Path, contents: dict[str, str], architecture: str | None = None) -> Path:
    """Write archives, each with an empty file of this name, and their manifest."""
    (folder / "layers").mkdir(parents=True)
    for name, file in contents.items():
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr(file, "")
    manifest = {
        "runtime": "python3.13",
        "architecture": architecture or this_architecture(),
        "bytecode": True,
        "files": {name: {"sha256": digest(folder / name)} for name in contents},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_function_and_layers_are_where_lambda_has_them(built: Path, tmp_path: Path) -> None:
    """And what comes later is told from what was unpacked."""
    layout = lay_out(built, tmp_path)
    (layout.task / "later.pyc").touch()

    assert (tmp_path / "var" / "task", tmp_path / "opt" / "python") == (layout.task, layout.layers)
    assert ("3.13", True) == (layout.target.runtime, layout.has_bytecode)
    assert {layout.task / "later.pyc"} == layout.added()
    assert all((tmp_path / "opt" / f"python/{name}.py").is_file() for name in ARCHIVES[1:])


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    """It was not built, or not to the end."""
    with pytest.raises(BuildError, match=r"no manifest.*build-artifacts"):
        lay_out(tmp_path, tmp_path)


def test_what_was_built_for_another_architecture_is_refused(tmp_path: Path) -> None:
    """It could not run here."""
    other = "x86_64" if this_architecture() == "arm64" else "arm64"
    built = write_built(tmp_path / "built", {}, other)

    with pytest.raises(BuildError, match=f"built for {other}"):
        lay_out(built, tmp_path)


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_the_manifest_does_not_speak_of_is_refused(
    name: str, built: Path, tmp_path: Path
) -> None:
    """It is of another build."""
    (built / name).write_bytes(b"other")

    with pytest.raises(BuildError, match=rf"{name}: is not the archive"):
        lay_out(built, tmp_path)


def test_a_layer_that_hides_anothers_file_is_refused(tmp_path: Path) -> None:
    """Which of the two Lambda takes depends on their order."""
    contents = {name: f"python/{name}.py" for name in ARCHIVES}
    contents["layers/aws-sdk.zip"] = contents["layers/observability.zip"]
    built = write_built(tmp_path / "built", contents)

    with pytest.raises(BuildError, match=r"aws-sdk\.zip: hides another layer's python/"):
        lay_out(built, tmp_path)
