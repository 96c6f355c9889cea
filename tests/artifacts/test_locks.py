"""The locks: those of today's dependencies, each distribution in one layer, hashed, placeless."""

import re
import shutil
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from artifacts.locks import (
    LAYERS,
    Resolution,
    check_locks,
    layer_resolution,
    pins,
    read_lock,
    resolutions,
)
from artifacts.projects import deployed_projects, needed_projects
from artifacts.toolchain import ROOT, BuildError

EVERY_LOCK = [file for resolution in resolutions() for file in resolution.files]


def project(*dependencies: str) -> dict[str, Any]:
    """Return the part of a pyproject.toml that counts."""
    return {"dependencies": list(dependencies), "requires-python": ">=3.11"}


def roots(*, without: str = "") -> list[str]:
    """Return a requirement for each distribution of the table."""
    return [f"{name}>=1" for name in chain(*LAYERS.values()) if name != without]


def test_the_locks_are_not_stale() -> None:
    """Who changes a dependency line runs `hatch run lock`."""
    check_locks()


def test_every_lock_is_looked_at() -> None:
    """The layers, what Lambda brings, and the Pulumi program."""
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("artifacts/locks/*.txt")}

    assert found | {"infra/requirements.txt"} == set(EVERY_LOCK)


@pytest.mark.parametrize("file", EVERY_LOCK)
def test_a_stale_lock_is_noticed(file: str, tmp_path: Path) -> None:
    """Each one says what it was made from."""
    for each in EVERY_LOCK:
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / each, tmp_path / each)
    text = re.sub(r"inputs: sha256:.", "inputs: sha256:x", (tmp_path / file).read_text("utf-8"))
    (tmp_path / file).write_text(text, encoding="utf-8")

    with pytest.raises(BuildError, match=rf"{file}: made from other.*hatch run lock"):
        check_locks(tmp_path)


def test_a_missing_lock_is_noticed(tmp_path: Path) -> None:
    """It is as good as stale."""
    with pytest.raises(BuildError, match=r"cannot be read.*hatch run lock"):
        check_locks(tmp_path)


def test_a_changed_range_changes_what_the_locks_are_made_from() -> None:
    """The range counts, the comment and the order do not."""
    before = layer_resolution({"ours": project(*roots())}).inputs_line()
    other = {"ours": project(*roots(without="polars"), "polars>=2")}

    assert before == layer_resolution({"ours": project(*reversed(roots()))}).inputs_line()
    assert before != layer_resolution(other).inputs_line()


def test_a_dependency_without_a_layer_is_refused() -> None:
    """The message names it and the table."""
    with pytest.raises(BuildError, match=r"LAYERS.*pyarrow"):
        layer_resolution({"ours": project(*roots(), "pyarrow>=26")})


def test_a_layer_of_something_that_nobody_needs_is_refused() -> None:
    """What is no longer a dependency leaves the table."""
    with pytest.raises(BuildError, match=r"LAYERS.*boto3"):
        layer_resolution({"ours": project(*roots(without="boto3"))})


def test_our_own_packages_are_in_no_lock() -> None:
    """They are in the function."""
    made_from = layer_resolution({"ours": project(*roots()), "other": project("ours>=1")})

    assert sorted(roots()) == sorted(chain(*made_from.files.values()))


def test_only_what_the_function_needs_is_deployed() -> None:
    """A package beside it, and what that needs, stays where it is."""
    projects = {
        "function": project("core>=1", "boto3"),
        "core": project("model>=1"),
        "model": project(),
        "report": project("core>=1", "altair"),
    }

    assert ["core", "function", "model"] == list(needed_projects(projects, "function"))
    assert "nacc-event-model" in deployed_projects()
    with pytest.raises(BuildError, match="no other"):
        needed_projects(projects, "other")


def test_each_distribution_is_in_one_layer() -> None:
    """A layer never hides another one's files."""
    names = [pin.name for layer in LAYERS for pin in read_lock(layer)]

    assert sorted(set(names)) == sorted(names)
    assert set(chain(*LAYERS.values())) <= set(names)


@pytest.mark.parametrize("resolution", resolutions(), ids=lambda each: next(iter(each.files)))
def test_what_is_locked_is_what_was_asked_for(resolution: Resolution) -> None:
    """A pin that was changed by hand stays within the dependency lines."""
    locked = {
        pin.name: str(pin.specifier).removeprefix("==")
        for file in resolution.files
        for pin in pins((ROOT / file).read_text(encoding="utf-8"))
    }

    for requirement in map(Requirement, chain(*resolution.files.values())):
        assert requirement.specifier.contains(locked[requirement.name]), requirement


@pytest.mark.parametrize("file", EVERY_LOCK)
def test_every_pin_is_exact_and_hashed_and_names_no_place(file: str) -> None:
    """A lock holds on every machine, whatever index it is used with."""
    text = (ROOT / file).read_text(encoding="utf-8")
    digest = r"    --hash=sha256:[0-9a-f]{64}"

    assert pins(text)
    assert all([each.operator for each in pin.specifier] == ["=="] for pin in pins(text))
    assert re.fullmatch(rf"(#.*\n)+(\w.* \\\n({digest} \\\n)*{digest}\n)+", text)
    assert not re.search(r"://|/|\\\S", text)


def test_what_two_layers_need_is_in_the_first_of_them() -> None:
    """And a layer's own stays in it: the others do without it and what it alone needs."""
    exports = layer_resolution({"ours": project(*roots())}).exports()
    data, aws = exports["artifacts/locks/data-processing.txt"], LAYERS["aws-sdk"]

    assert data[0] == "--only-group=data-processing"
    assert {f"--prune={name}" for name in (*aws, *LAYERS["observability"])} == set(data[1:])
