"""The doctor finds, in directories, what a run would fail over, and leaves nothing behind."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checkpoint_storage.directory._source import DirectorySource
from checkpoint_storage.directory._store import DirectoryStore
from checkpoint_storage.doctor import Subject, _directory
from checkpoint_storage.doctor._examination import Verdict
from checkpoint_storage.doctor._source import object_reading
from tests.checkpoint_storage.directory.processes import as_ordinary_user, folder_for_everybody
from tests.checkpoint_storage.doctor.examining import examined
from tests.end_to_end.commands import call, files_of, put, take


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory with two events."""
    for number in range(2):
        put(tmp_path / "events", number)
    return tmp_path / "events"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Where the checkpoint is to be."""
    return tmp_path / "out" / "events.parquet"


def test_where_all_is_well_it_says_so_and_leaves_nothing_behind(
    source: Path, checkpoint: Path, tmp_path: Path
) -> None:
    """Before the first run, which it does not prepare, and after it."""
    before = files_of(tmp_path)
    first = examined(source, checkpoint)
    nothing_made = not checkpoint.parent.exists()
    assert before == files_of(tmp_path)
    take(source, checkpoint)
    before = files_of(tmp_path)
    second = examined(source, checkpoint)

    assert ({}, {}) == (first.but_ok(), second.but_ok())
    assert nothing_made
    assert before == files_of(tmp_path)
    assert "there is none yet" in first.details["checkpoint"]
    assert "2 rows of 2 objects, event format 1.0, layout 3" in second.details["checkpoint"]


def test_the_versions_are_told(source: Path, checkpoint: Path) -> None:
    """Of our packages, of what they stand on, and of Python."""
    told = examined(source, checkpoint).details["versions"]

    for name in ("nacc-checkpoint-storage 0.", "polars ", "pycurl ", "boto3 ", "Python 3."):
        assert name in told


def test_read_only_writes_nothing_at_all(source: Path, checkpoint: Path, tmp_path: Path) -> None:
    """The checks that write are skipped, and said to be; no folder has changed even for a moment."""

    def times() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (tmp_path, *tmp_path.rglob("*"))}

    take(source, checkpoint)
    before = times()
    found = examined(source, checkpoint, "--read-only")

    skipped = ["writing", "conditional writes", "locks"]
    assert dict.fromkeys(skipped, "skipped") == found.but_ok()
    assert before == times()
    examined(source, checkpoint)
    assert before != times()


def test_people_get_a_line_for_each_check(source: Path, checkpoint: Path) -> None:
    """State, name, finding; and how many of which state."""
    ended = call("doctor", source, checkpoint)
    *lines, summary = ended.stdout.splitlines()

    assert (0, "") == (ended.status, ended.stderr)
    assert all(line.startswith("ok       ") for line in lines)
    assert f"{len(lines)} checks: {len(lines)} ok" == summary


def looked_at(source: Path, key: str, checkpoint: Path) -> list[Verdict]:
    """Read an object, and look at a folder's permissions."""
    subject = Subject(DirectorySource(source), DirectoryStore(checkpoint))
    subject.readable_keys = [key]
    return [object_reading(subject), _directory.folder_permissions(subject)]


def test_what_permissions_refuse_fails() -> None:
    """An object that may not be read, and a folder that may not be written to."""
    with folder_for_everybody() as folder:
        path = put(folder / "events")
        path.chmod(0)
        (folder / "out").mkdir(mode=0o555)
        reading, writing = as_ordinary_user(
            looked_at, path.parent, path.name, folder / "out" / "events.parquet"
        )

    assert ("failed", "failed") == (reading.state, writing.state)
    assert "make it readable" in reading.detail
    assert "no permission to read and write" in writing.detail


def test_another_file_system_beside_the_checkpoint_fails(
    source: Path, checkpoint: Path, tmp_path: Path
) -> None:
    """A file from there could not be renamed into place."""
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    checkpoint.parent.mkdir()
    (checkpoint.parent / "_work").symlink_to(other)
    found = examined(source, checkpoint)

    assert {"one file system": "failed"} == found.but_ok()
    assert (
        f"{checkpoint.parent / '_work'}: not on the file system"
        in (found.details["one file system"])
    )


def test_a_store_that_ignores_conditions_fails(
    source: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left of what was tried."""
    before = files_of(tmp_path)
    monkeypatch.setattr("checkpoint_storage.directory._store.status_of", lambda _: None)
    found = examined(source, checkpoint)

    assert {"conditional writes": "failed"} == found.but_ok()
    assert "Two runs at once would lose rows" in found.details["conditional writes"]
    assert before == files_of(tmp_path)


def test_locks_that_do_not_lock_fail(
    source: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network file system without `flock`."""

    @contextmanager
    def generous(*_: object, **__: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(_directory, "exclusive_lock", generous)
    found = examined(source, checkpoint)

    assert {"locks": "failed"} == found.but_ok()


def test_a_machine_without_a_place_for_temporary_files_is_told(
    source: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not need it is looked at."""
    monkeypatch.setattr("tempfile.tempdir", str(checkpoint.parent / "none"))
    found = examined(source, checkpoint)

    assert ("failed", "failed") == (found.states["checkpoint"], found.states["writing"])
    assert "No such file or directory" in found.details["checkpoint"]
    assert "ok" == found.states["locks"]


def gone(source: Path, _: Path) -> None:
    """Leave no source behind."""
    shutil.rmtree(source)


def nothing_to_take(source: Path, _: Path) -> None:
    """Leave one file that is not named like an event object."""
    gone(source, _)
    source.mkdir()
    (source / "notes.json").write_bytes(b"{}")


def leading_nowhere(source: Path, _: Path) -> None:
    """Let every object be a link to nothing."""
    for path in [*source.iterdir()]:
        path.unlink()
        path.symlink_to("nowhere")


def cut_short(_: Path, checkpoint: Path) -> None:
    """Damage the checkpoint."""
    checkpoint.write_bytes(checkpoint.read_bytes()[:-20])


def without_ledger(_: Path, checkpoint: Path) -> None:
    """Leave the checkpoint alone."""
    shutil.rmtree(checkpoint.parent / "_ledger")


def of_another_source(source: Path, _: Path) -> None:
    """Have the same objects somewhere else."""
    shutil.move(source, source.with_name("elsewhere"))
    source.symlink_to("elsewhere")


def damaged_rejects(_: Path, checkpoint: Path) -> None:
    """Let the rejects be no Parquet; the next run makes them anew."""
    (checkpoint.parent / "_rejects" / checkpoint.name).write_bytes(b"no Parquet")


@pytest.mark.parametrize(
    "spoil, states, words",
    [
        (gone, {"source listing": "failed", "source reading": "skipped"}, "Correct the source"),
        (
            nothing_to_take,
            {"source listing": "warning", "source reading": "warning"},
            "1 objects, none named like an event object",
        ),
        (leading_nowhere, {"source reading": "warning"}, "leads nowhere"),
        (cut_short, {"checkpoint": "failed"}, "Restore an earlier version"),
        (without_ledger, {"checkpoint": "failed"}, "--adopt"),
        (of_another_source, {"checkpoint": "failed"}, "--accept-source-change"),
        (damaged_rejects, {"checkpoint": "warning"}, ""),
    ],
)
def test_what_a_run_would_say_is_said_beforehand(
    source: Path,
    checkpoint: Path,
    spoil: Callable[[Path, Path], None],
    states: dict[str, str],
    words: str,
) -> None:
    """After a run that succeeded; what needs what is not there is skipped, the rest is looked at."""
    put(source, 5, data=b"no JSON")
    take(source, checkpoint)
    spoil(source, checkpoint)
    found = examined(source, checkpoint)

    assert states == found.but_ok()
    assert words in found.details[next(iter(states))]


def test_a_file_in_the_place_of_the_folder_fails(source: Path, checkpoint: Path) -> None:
    """Nothing can be made below it."""
    checkpoint.parent.write_bytes(b"")
    found = examined(source, checkpoint)

    assert "failed" == found.states["checkpoint folder"]
    assert "not a directory" in found.details["checkpoint folder"]


def test_too_little_space_is_noted(
    source: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the checkpoint needs."""
    usage = shutil.disk_usage(source)._replace(free=1_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    found = examined(source, checkpoint)

    assert {"free space": "warning"} == found.but_ok()
    assert "0 MiB are free, a run may need 64" in found.details["free space"]


def test_wrong_usage_is_told_from_a_failed_check(source: Path) -> None:
    """Exit status 2, and nothing is looked at."""
    ended = call("doctor", source, "checkpoint.txt")

    assert (2, "") == (ended.status, ended.stdout)
    assert "must end with a name and .parquet" in ended.stderr
