"""Archives: reproducible, and within Lambda's limits."""

import os
import zipfile
from pathlib import Path

import pytest

from artifacts.archives import (
    FUNCTION_LIMIT_BYTES,
    MEGABYTE,
    check_function_size,
    strip_to_fit,
    write_archive,
)
from artifacts.projects import deployed_projects
from artifacts.toolchain import BuildError
from artifacts.trees import compile_tree, copy_sources
from scripts.check import find_python, supported_versions

FILES = {"b/one.py": b"1\n", "b.py": b"2\n", "a/lib.so": b"\x7fELF", "a/lib.abi3.so": b"\x7fELF"}


def write_tree(folder: Path, names: list[str], *, mode: int, modified_s: int) -> Path:
    """Write the files in this order, with these marks of the machine."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FILES[name])
        path.chmod(mode)
        os.utime(path, (modified_s, modified_s))
    return folder


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    """Dates, modes, and the order and place in which files were made leave no trace."""
    one = write_tree(tmp_path / "one", list(FILES), mode=0o644, modified_s=1_000_000_000)
    other = write_tree(
        tmp_path / "other" / "deeper", list(reversed(FILES)), mode=0o700, modified_s=1_500_000_000
    )

    first = write_archive(one, tmp_path / "one.zip", below="python/")
    second = write_archive(other, tmp_path / "other.zip", below="python/")

    assert first == second
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()


def test_the_digest_of_the_contents_does_not_depend_on_the_compression(tmp_path: Path) -> None:
    """Another zlib makes other bytes of the same files; that is not another archive."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "module.py").write_text("NAME = 1\n" * 100, encoding="utf-8")

    compressed = write_archive(tree, tmp_path / "compressed.zip")
    stored = write_archive(tree, tmp_path / "stored.zip", compressed=False)

    assert compressed == stored
    assert (tmp_path / "compressed.zip").stat().st_size < (tmp_path / "stored.zip").stat().st_size


@pytest.mark.parametrize(
    "files, below",
    [
        ({"a.py": b"1", "b.py": b"2"}, "python/"),
        ({"a.py": b"", "b.py": b"12"}, ""),
        ({"a.py": b"1", "c.py": b"2"}, ""),
        ({"a.so": b"1", "b.py": b"2"}, ""),
        ({"a.py": b"1"}, ""),
    ],
)
def test_every_difference_in_the_contents_is_another_digest(
    files: dict[str, bytes], below: str, tmp_path: Path
) -> None:
    """Names, places, modes, and which file has which bytes."""
    digests = []
    for place, (contents, prefix) in enumerate(
        [({"a.py": b"1", "b.py": b"2"}, ""), (files, below)]
    ):
        tree = tmp_path / str(place)
        tree.mkdir()
        for name, content in contents.items():
            (tree / name).write_bytes(content)
        digests.append(write_archive(tree, tmp_path / f"{place}.zip", below=prefix))

    assert digests[0] != digests[1]


def test_an_archive_has_sorted_names_fixed_dates_and_modes_that_lambda_can_read(
    tmp_path: Path,
) -> None:
    """A layer's files are below python/; all may read them, and libraries are executable."""
    tree = write_tree(tmp_path / "tree", list(FILES), mode=0o600, modified_s=1_000_000_000)

    write_archive(tree, tmp_path / "layer.zip", below="python/")

    with zipfile.ZipFile(tmp_path / "layer.zip") as archive:
        entries = archive.infolist()
        assert [f"python/{name}" for name in sorted(FILES)] == [e.filename for e in entries]
        assert {(1980, 1, 1, 0, 0, 0)} == {entry.date_time for entry in entries}
        modes = {entry.filename: entry.external_attr >> 16 for entry in entries}
        assert modes["python/a/lib.abi3.so"] == 0o100755
        assert modes["python/b.py"] == 0o100644
        assert archive.read("python/b.py") == FILES["b.py"]


def test_compiling_in_two_places_gives_the_same_bytes(tmp_path: Path) -> None:
    """Compiled modules name the place in Lambda, not the one here, and no time."""
    python = next(filter(None, map(find_python, supported_versions())))
    for place in ("one", "other/deeper"):
        (tmp_path / place).mkdir(parents=True)
        module = tmp_path / place / "module.py"
        module.write_text("NAMES = frozenset({'a', 'b', 'c', 'd'})\n", encoding="utf-8")
        os.utime(module, (len(place), len(place)))
        compile_tree(tmp_path / place, python, mounted_at="/opt/python")
        write_archive(tmp_path / place, tmp_path / f"{len(place)}.zip")

    compiled = next((tmp_path / "one").rglob("*.pyc")).read_bytes()
    assert b"/opt/python/module.py" in compiled
    assert compiled[4:8] == b"\x01\0\0\0"  # by hash, unchecked
    assert (tmp_path / "3.zip").read_bytes() == (tmp_path / "12.zip").read_bytes()


def test_a_module_that_cannot_be_compiled_fails_the_build(tmp_path: Path) -> None:
    """It is named."""
    python = next(filter(None, map(find_python, supported_versions())))
    (tmp_path / "broken.py").write_text("def\n", encoding="utf-8")

    with pytest.raises(BuildError, match=r"(?s)broken\.py.*--runtime"):
        compile_tree(tmp_path, python, mounted_at="/opt/python")


def test_the_function_holds_its_packages_and_no_leftovers(tmp_path: Path) -> None:
    """Data files come along; caches, tests and hidden files don't."""
    copy_sources(tmp_path / "function", deployed_projects())

    files = {path.relative_to(tmp_path / "function") for path in tmp_path.rglob("*")}
    assert {path.name for path in (tmp_path / "function").iterdir()} == {
        "nacc_event_model",
        "checkpoint_format",
        "checkpoint_queries",
        "checkpoint_core",
        "checkpoint_storage",
        "checkpoint_lambda",
    }
    assert Path("checkpoint_lambda/handler.py") in files
    assert Path("nacc_event_model/schemas/visit-event-1.1.schema.json") in files
    assert not [path for path in files if path.name.startswith(".") or path.suffix == ".pyc"]


def test_a_cluster_is_given_the_packages_that_executors_import(tmp_path: Path) -> None:
    """Neither the function nor the command line."""
    copy_sources(tmp_path, deployed_projects("nacc-checkpoint-spark"))

    assert {path.name for path in tmp_path.iterdir()} == {
        "nacc_event_model",
        "checkpoint_format",
        "checkpoint_queries",
        "checkpoint_core",
        "checkpoint_storage",
        "checkpoint_spark",
    }


def test_a_function_of_four_megabytes_is_refused() -> None:
    """Something is in it that does not belong there."""
    check_function_size(FUNCTION_LIMIT_BYTES - 1)

    with pytest.raises(BuildError, match=r"4,194,304.*packages/\*/src"):
        check_function_size(FUNCTION_LIMIT_BYTES)


def sparse(path: Path, megabytes: float) -> Path:
    """Make a file of a size that takes no room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(int(megabytes * MEGABYTE))
    return path


def emptying(folder: Path) -> Path:
    """Make a strip program that leaves nothing of a library."""
    strip = folder / "strip"
    strip.write_text('#!/bin/sh\n: > "$2"\n', encoding="utf-8")
    strip.chmod(0o755)
    return strip


def test_what_fits_is_left_as_it_is(tmp_path: Path) -> None:
    """Up to the limit, the last byte included, nothing is stripped."""
    trees = [sparse(tmp_path / "a" / "a.so", 200).parent, sparse(tmp_path / "b" / "b", 10).parent]

    assert [] == strip_to_fit(trees, Path("not-started"), reserved_mb=40)


def test_without_a_strip_program_what_is_too_large_is_refused(tmp_path: Path) -> None:
    """The message says how much it is, and what to do."""
    trees = [sparse(tmp_path / "a" / "a.so", 210.1).parent]

    with pytest.raises(BuildError, match=r"210\.1 MB.*40.*llvm-strip.*--reserve-mb 0"):
        strip_to_fit(trees, None, reserved_mb=40)


def test_only_as_many_libraries_are_stripped_as_must_be(tmp_path: Path) -> None:
    """The largest is first."""
    tree = sparse(tmp_path / "a" / "large.so", 150).parent
    sparse(tree / "small.so", 100)

    assert ["large.so"] == strip_to_fit([tree], emptying(tmp_path), reserved_mb=40)
    assert (tree / "small.so").stat().st_size == 100 * MEGABYTE


def test_what_is_too_large_although_stripped_is_refused(tmp_path: Path) -> None:
    """What is no library cannot be stripped."""
    tree = sparse(tmp_path / "a" / "data", 250).parent
    sparse(tree / "small.so", 1)

    with pytest.raises(BuildError, match=r"250\.0 MB.*small\.so so far"):
        strip_to_fit([tree], emptying(tmp_path), reserved_mb=40)
