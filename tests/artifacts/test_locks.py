"""The locks: those of today's dependencies, each distribution in one layer, hashed, placeless."""

import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from artifacts.locks import (
    LAYERS,
    LOCKS,
    RUNTIME_INTERFACE,
    Block,
    _blocks,
    check_locks,
    divide,
    inputs,
    read_lock,
)
from artifacts.toolchain import BuildError

EVERY_LOCK = [*LAYERS, RUNTIME_INTERFACE]


def project(*dependencies: str) -> dict[str, Any]:
    """Return the part of a pyproject.toml that counts."""
    return {"dependencies": list(dependencies), "requires-python": ">=3.11"}


def roots(*, without: str = "") -> list[str]:
    """Return a requirement for each distribution of the table."""
    return [f"{name}>=1" for name in chain(*LAYERS.values()) if name != without]


def test_the_locks_are_not_stale() -> None:
    """Who changes a dependency line runs `hatch run lock`."""
    check_locks()


@pytest.mark.parametrize("name", EVERY_LOCK)
def test_a_stale_lock_is_noticed(name: str, tmp_path: Path) -> None:
    """Each one says what it was made from."""
    for path in LOCKS.glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        if path.stem == name:
            text = re.sub(r"sha256:[0-9a-f]", "sha256:x", text, count=1)
        (tmp_path / path.name).write_text(text, encoding="utf-8")

    with pytest.raises(BuildError, match=rf"{name}\.txt: made from other.*hatch run lock"):
        check_locks(tmp_path)


def test_a_missing_lock_is_noticed(tmp_path: Path) -> None:
    """It is as good as stale."""
    with pytest.raises(BuildError, match=r"cannot be read.*hatch run lock"):
        check_locks(tmp_path)


def test_a_changed_range_changes_what_the_locks_are_made_from() -> None:
    """The range counts, the comment and the order do not."""
    before = inputs({"ours": project(*roots())})

    assert before == inputs({"ours": project(*reversed(roots()))})
    assert before != inputs({"ours": project(*roots(without="polars"), "polars>=2")})


def test_a_dependency_without_a_layer_is_refused() -> None:
    """The message names it and the table."""
    with pytest.raises(BuildError, match=r"LAYERS.*pyarrow"):
        inputs({"ours": project(*roots(), "pyarrow>=26")})


def test_a_layer_of_something_that_nobody_needs_is_refused() -> None:
    """What is no longer a dependency leaves the table."""
    with pytest.raises(BuildError, match=r"LAYERS.*boto3"):
        inputs({"ours": project(*roots(without="boto3"))})


def test_our_own_packages_are_in_no_lock() -> None:
    """They are in the function."""
    made_from = inputs({"ours": project(*roots()), "other": project("ours>=1", *roots())})

    assert "ours>=1" not in made_from["requirements"]


def test_each_distribution_is_in_one_layer() -> None:
    """A layer never hides another one's files."""
    names = [pin.name for layer in LAYERS for pin in read_lock(layer)]

    assert sorted(set(names)) == sorted(names)
    assert set(chain(*LAYERS.values())) <= set(names)


def test_what_is_locked_is_what_the_packages_admit() -> None:
    """A pin that was changed by hand stays within the dependency lines."""
    pins = {
        pin.name: str(pin.specifier).removeprefix("==")
        for name in LAYERS
        for pin in read_lock(name)
    }
    needed = [Requirement(text) for text in inputs()["requirements"]]

    assert needed
    for requirement in needed:
        assert requirement.specifier.contains(pins[requirement.name]), requirement


@pytest.mark.parametrize("name", EVERY_LOCK)
def test_every_pin_is_exact_and_hashed_and_names_no_place(name: str) -> None:
    """A lock holds on every machine, whatever index it is used with."""
    text = (LOCKS / f"{name}.txt").read_text(encoding="utf-8")

    blocks = _blocks(text)
    assert blocks
    for block in blocks:
        assert [spec.operator for spec in block.requirement.specifier] == ["=="]
        assert all(re.match(r"\s+--hash=sha256:[0-9a-f]{64}", line) for line in block.lines[1:])
        assert len(block.lines) > 1
    assert not re.search(r"://|/|\\\S", text.replace("`hatch run lock`", ""))


def test_what_two_layers_need_is_in_the_first_of_them() -> None:
    """And a root stays in its own, though another layer's root needs it."""
    text = "".join(f"{name}==1 \\\n    --hash=x\n" for name in chain(*LAYERS.values()))
    text += "shared==1 \\\n    --hash=x\n    # via obstore, structlog\n"
    text += "deep==1 \\\n    --hash=x  # via only-aws\n"
    text += "only-aws==1 ; python_version < '3.12' \\\n    --hash=x\n    # via boto3\n"

    divided = divide(_blocks(text))

    assert {"structlog", "opentelemetry-api", "shared"} == names_of(divided["observability"])
    assert {"only-aws", "deep"} == names_of(divided["aws-sdk"]) - set(LAYERS["aws-sdk"])


def names_of(blocks: list[Block]) -> set[str]:
    """Return the distributions' names."""
    return {block.name for block in blocks}


def test_what_nobody_asked_for_is_refused() -> None:
    """Where uv's output changes, nothing gets lost silently."""
    with pytest.raises(BuildError, match="what needs stray"):
        divide(_blocks("stray==1 \\\n    --hash=x\n"))
