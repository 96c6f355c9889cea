"""Sources and targets that are not as one would wish: unreadable, read-only, full, not there."""

import importlib
import json
import resource
from pathlib import Path

import pytest

from tests.checkpoint_storage.directory.processes import (
    as_ordinary_user,
    folder_for_everybody,
    in_other_process,
)
from tests.end_to_end.commands import Ended, call, counted, files_of, put, rows, take

# Much is imported only when it is used, and an ordinary user may not be able to read it then.
# Nothing here may start polars' threads: they would not see what is mounted later.
importlib.import_module("polars._utils.parquet")
importlib.import_module("checkpoint_cli._execution.run")
call("show", "nothing.parquet")


def events_in(folder: Path, count: int = 5) -> Path:
    """Write some events that everybody may read, and return their folder."""
    for number in range(count):
        put(folder / "events", number)
    return folder / "events"


def run_readably(source: Path, checkpoint: Path, *options: str) -> Ended:
    """Run; here so that another process can be told to."""
    return call("run", source, checkpoint, *options)


def test_objects_without_permission_fail_the_run_after_the_others_were_taken() -> None:
    """Exit status 1, one line that names one of them, and the error document."""
    with folder_for_everybody() as folder:
        source = events_in(folder)
        out = folder / "out"
        out.mkdir()
        out.chmod(0o777)
        secret = put(source, 9)
        secret.chmod(0)

        ended = as_ordinary_user(run_readably, source, out / "events.parquet")
        again = as_ordinary_user(run_readably, source, out / "events.parquet", "--json")

        assert (1, 1) == (ended.status, again.status)
        assert "5   accepted" in ended.stdout
        assert "1   denied" in ended.stdout
        assert ended.stderr.startswith(f"Error: file://{source}: access to 1 objects was denied")
        assert secret.name in ended.stderr
        assert 1 == ended.stderr.count("\n")
        assert 5 == rows(out / "events.parquet").total()
        document = json.loads(again.stdout)
        assert ["statusCode", "error", "message", "details"] == list(document)
        assert (500, "DeniedObjectsError") == (document["statusCode"], document["error"])
        named = {"failed_files": [f"file://{source}/{secret.name}"], "error_count": 1}
        assert named == document["details"]
        secret.chmod(0o644)
        assert {"unchanged": 5, "accepted": 1} == counted(take(source, out / "events.parquet"))


def test_a_target_without_permission_is_said_and_can_still_be_looked_at() -> None:
    """Commands that only read need no permission to write beside the checkpoint."""
    with folder_for_everybody() as folder:
        source = events_in(folder)
        checkpoint = folder / "out" / "events.parquet"
        take(source, checkpoint)
        put(source, 9)
        before = files_of(folder / "out")

        ended = as_ordinary_user(run_readably, source, checkpoint)
        looked = as_ordinary_user(look, source, checkpoint)

        assert (1, "") == (ended.status, ended.stdout)
        assert "no permission to write there" in ended.stderr
        assert [0, 0, 1, 0] == [each.status for each in looked]
        assert "1 of 6 objects are neither in the ledger nor in the rejects" in looked[2].stdout
        assert "1 new events. Nothing was written." in looked[3].stdout
        assert before == files_of(folder / "out")


def look(source: Path, checkpoint: Path) -> list[Ended]:
    """Run every command that only reads."""
    return [
        call("show", checkpoint),
        call("rejects", checkpoint),
        call("verify", checkpoint, source),
        call("run", source, checkpoint, "--dry-run"),
    ]


def run_limited(source: Path, checkpoint: Path, size_bytes: int) -> Ended:
    """Run where no file may become larger."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))
    return call("run", source, checkpoint)


@pytest.mark.parametrize("size_bytes", [0, 1000, 3000])
def test_a_limit_on_file_sizes_ends_in_one_line_and_no_half_file(
    size_bytes: int, tmp_path: Path
) -> None:
    """Wherever it strikes, also in the library that writes Parquet."""
    source = events_in(tmp_path)
    checkpoint = tmp_path / "out" / "events.parquet"
    take(source, checkpoint)
    put(source, 9)
    before = rows(checkpoint)

    ended = in_other_process(run_limited, source, checkpoint, size_bytes)

    assert 1 == ended.status
    assert 1 == ended.stderr.count("\n")
    assert "this is a bug" not in ended.stderr
    assert "damaged" not in ended.stderr
    assert before == rows(checkpoint)
    assert {"unchanged": 5, "accepted": 1} == counted(take(source, checkpoint))


def test_what_is_not_there_or_not_what_it_should_be_is_said(tmp_path: Path) -> None:
    """One line each, with the name and what to do."""
    source = events_in(tmp_path)
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "text.parquet").write_text("not Parquet")

    for given, target, said in [
        (tmp_path / "nowhere", "out/e.parquet", "there is no directory of this name"),
        (tmp_path / "text.parquet", "out/e.parquet", "not a directory"),
        (source, "folder.parquet", "not a file"),
        (source, "text.parquet", "is not a whole Parquet file"),
        (source, "text.parquet/e.parquet", "annot"),
    ]:
        ended = call("run", given, tmp_path / target)
        assert (1, "", 1) == (ended.status, ended.stdout, ended.stderr.count("\n"))
        assert said in ended.stderr
    for command in ("show", "rejects"):
        ended = call(command, tmp_path / "nothing.parquet")
        assert (1, "", 1) == (ended.status, ended.stdout, ended.stderr.count("\n"))
        assert "there is no checkpoint" in ended.stderr


def test_a_source_that_is_not_there_is_said_first_and_nothing_is_made(tmp_path: Path) -> None:
    """Not that the checkpoint belongs to another source, and no folder beside it."""
    checkpoint = tmp_path / "out" / "events.parquet"
    take(events_in(tmp_path), checkpoint)

    for target in (checkpoint, tmp_path / "new" / "events.parquet"):
        ended = call("run", tmp_path / "evnets", target)
        looked = call("verify", target, tmp_path / "evnets")
        said = "evnets: there is no directory of this name. Correct the source.\n"
        assert (1, "", said) == (ended.status, ended.stdout, ended.stderr[-len(said) :])
        assert (1, said) == (looked.status, looked.stderr[-len(said) :])
    assert not (tmp_path / "new").exists()
