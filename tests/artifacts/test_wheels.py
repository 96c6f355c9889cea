"""What was installed is what was locked and runs on the target, or the build fails."""

import struct
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from artifacts.targets import Target
from artifacts.toolchain import BuildError, execute, find_interpreter
from artifacts.wheels import check_complete, check_installed

ARM = Target(runtime="3.12", architecture="arm64")
OLD_ARM = Target(runtime="3.11", architecture="arm64")
X86 = Target(runtime="3.13", architecture="x86_64")


def install(
    tree: Path, name: str, version: str, *tags: str, requires: tuple[str, ...] = ()
) -> Path:
    """Leave behind what an installer leaves of a wheel."""
    metadata = tree / f"{name}-{version}.dist-info"
    metadata.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {text}" for text in requires]
    (metadata / "METADATA").write_text("\n".join([*lines, ""]), encoding="utf-8")
    wheel = ["Wheel-Version: 1.0", *(f"Tag: {tag}" for tag in tags), ""]
    (metadata / "WHEEL").write_text("\n".join(wheel), encoding="utf-8")
    return tree


def library(path: Path, elf_machine: int) -> None:
    """Write the head of a shared library."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, elf_machine))


@pytest.mark.parametrize(
    "target, tags",
    [
        (ARM, ["py3-none-any"]),
        (ARM, ["py2-none-any", "py3-none-any"]),
        (ARM, ["cp312-cp312-manylinux_2_28_aarch64"]),
        (ARM, ["cp311-abi3-manylinux_2_24_aarch64"]),
        (ARM, ["cp311-abi3-manylinux2014_aarch64"]),
        (OLD_ARM, ["cp311-cp311-manylinux_2_24_aarch64"]),
        (X86, ["cp311-abi3-manylinux_2_17_x86_64"]),
    ],
)
def test_a_wheel_for_the_target_is_taken(target: Target, tags: list[str], tmp_path: Path) -> None:
    """Whatever tag of its runtime, architecture and an old enough glibc it bears."""
    tree = install(tmp_path, "one", "1.2", *tags)

    assert {"one": "1.2"} == check_installed(tree, [Requirement("one==1.2")], target)


@pytest.mark.parametrize(
    "target, tag",
    [
        (ARM, "cp312-cp312-manylinux_2_28_x86_64"),
        (ARM, "cp312-cp312-macosx_11_0_arm64"),
        (ARM, "cp312-cp312-musllinux_1_2_aarch64"),
        (ARM, "cp313-cp313-manylinux_2_17_aarch64"),
        (ARM, "cp313-abi3-manylinux_2_17_aarch64"),
        (ARM, "cp312-cp312-linux_aarch64"),
        (ARM, "cp312-cp312-manylinux_2_35_aarch64"),
        (OLD_ARM, "cp311-abi3-manylinux_2_28_aarch64"),
        (X86, "cp313-cp313t-manylinux_2_17_x86_64"),
    ],
)
def test_a_wheel_for_something_else_is_refused(target: Target, tag: str, tmp_path: Path) -> None:
    """Another architecture, system, runtime, build of Python, or a newer glibc."""
    tree = install(tmp_path, "one", "1.2", tag)

    with pytest.raises(BuildError, match=rf"one 1\.2: a wheel for {tag}"):
        check_installed(tree, [Requirement("one==1.2")], target)


def test_a_library_of_another_architecture_is_refused_whatever_the_wheel_says(
    tmp_path: Path,
) -> None:
    """Tags can be wrong; the library's head is what the loader reads."""
    tree = install(tmp_path, "one", "1.2", "py3-none-any")
    library(tree / "one" / "good.abi3.so", 183)
    assert check_installed(tree, [Requirement("one==1.2")], ARM)

    library(tree / "one" / "bad.cpython-312.so", 62)

    with pytest.raises(BuildError, match=r"one/bad\.cpython-312\.so: not a library for aarch64"):
        check_installed(tree, [Requirement("one==1.2")], ARM)


def test_a_silently_older_version_is_refused(tmp_path: Path) -> None:
    """Installed is what is locked, to the letter."""
    tree = install(tmp_path, "pycurl", "7.0.0", "py3-none-any")

    with pytest.raises(BuildError, match=r"pycurl: locked is 7\.49\.0, installed was 7\.0\.0"):
        check_installed(tree, [Requirement("pycurl==7.49.0")], ARM)


def test_more_and_fewer_distributions_than_locked_are_refused_together(tmp_path: Path) -> None:
    """Everything that is wrong is said at once; what is for other Pythons is not missing."""
    tree = install(tmp_path, "one", "1", "py3-none-any")
    locked = [Requirement("two==2"), Requirement("three==3; python_version < '3.12'")]

    with pytest.raises(
        BuildError, match=r"(?s)one: locked is None.*two: .*installed was None"
    ) as e:
        check_installed(tree, locked, ARM)

    assert "three" not in str(e.value)


def test_what_the_layers_need_is_in_them_all_together(tmp_path: Path) -> None:
    """A layer may need what another one has, in the right version, and nobody has it twice."""
    one = install(tmp_path / "1", "one", "1", "py3-none-any", requires=("two>=2", "x; extra=='y'"))
    two = install(tmp_path / "2", "two", "2", "py3-none-any")

    check_complete([one, two], ["one>=1"], ARM)
    with pytest.raises(BuildError, match=r"one: needs two>=2, and the layers have none"):
        check_complete([one], [], ARM)
    with pytest.raises(BuildError, match=r"our packages: needs two<2, and the layers have 2"):
        check_complete([one, two], ["two<2"], ARM)
    with pytest.raises(BuildError, match=r"two: is in more than one layer"):
        check_complete([one, two, two], [], ARM)


def test_a_missing_interpreter_is_explained() -> None:
    """Install it, or go without, or choose another runtime."""
    with pytest.raises(BuildError, match=r"Python 3\.99 not found.*--no-bytecode.*--runtime"):
        find_interpreter("3.99")


def test_a_failing_program_is_quoted_with_what_to_do(tmp_path: Path) -> None:
    """What it said comes along; so does the advice, also when it cannot be started."""
    program = tmp_path / "uv"
    with pytest.raises(BuildError, match=r"cannot be started.*Do this\."):
        execute([program], remedy="Do this.")

    program.write_text("#!/bin/sh\necho no usable wheels >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)

    with pytest.raises(BuildError, match=r"(?s)uv failed:\nno usable wheels\nDo this\."):
        execute([program], remedy="Do this.")
