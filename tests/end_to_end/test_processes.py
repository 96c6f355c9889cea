"""Processes that are killed, interrupted, or at work at the same time: nothing lost, nothing twice."""

import json
import shutil
from pathlib import Path

import pytest

from tests.end_to_end.commands import Forks, call, counted, execute, put, rows, take


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source whose next run finds new, late, rewritten and broken objects."""
    for number in range(40):
        put(tmp_path / "events", number)
    return tmp_path / "events"


@pytest.fixture
def checkpoint(source: Path, tmp_path: Path) -> Path:
    """A checkpoint of an earlier state of that source."""
    checkpoint = tmp_path / "before" / "events.parquet"
    take(source, checkpoint)
    for number in range(40, 60):
        put(source, number)
    put(source, 60, timestamp="2026-01-01T00:00:00Z")
    put(source, 3, packet="F")
    put(source, 61, data=b"{")
    return checkpoint


def copy_of(checkpoint: Path, name: object) -> Path:
    """Copy the checkpoint with all that belongs to it."""
    folder = checkpoint.parent.with_name(f"copy-{name}")
    shutil.copytree(checkpoint.parent, folder)
    return folder / checkpoint.name


def moments(forks: Forks, source: Path, checkpoint: Path, every: int) -> range:
    """Return every so many of the changes that a run makes in the file system."""
    counting = forks.run("run", source, copy_of(checkpoint, "count"), blow="count")

    assert 0 == counting.status
    changes = int(counting.stderr)
    assert changes > 20
    return range(1, changes + 1, every)


def left_over(checkpoint: Path) -> list[Path]:
    """Return the files in the scratch folders of runs that have ended."""
    work = checkpoint.parent / "_work"
    return [path for path in work.rglob("*") if path.is_file()]


def check_whole(source: Path, checkpoint: Path, expected: Path) -> None:
    """What was left behind is sound, and the next run ends as if nothing had happened."""
    if checkpoint.exists():
        assert 0 == call("verify", checkpoint).status
    again = call("run", source, checkpoint)
    assert 0 == again.status
    # A first run that has written a ledger alone looks like a checkpoint that was removed.
    assert again.stderr == "" or "the ledger of a first commit" in again.stderr
    assert rows(expected) == rows(checkpoint)
    assert 0 == call("verify", checkpoint, source).status
    assert [] == left_over(checkpoint)


@pytest.mark.on_one_python
@pytest.mark.parametrize("first", [False, True])
def test_a_run_that_is_killed_at_any_change_of_the_file_system_can_be_continued(
    forks: Forks, source: Path, checkpoint: Path, *, first: bool
) -> None:
    """The next run ends with the rows of an undisturbed one."""
    if first:
        checkpoint.parent.rename(checkpoint.parent.with_name("unused"))
        checkpoint.parent.mkdir()
    undisturbed = copy_of(checkpoint, "undisturbed")
    take(source, undisturbed)
    generations = set()
    for moment in moments(forks, source, checkpoint, 3):
        copy = copy_of(checkpoint, moment)

        ended = forks.run("run", source, copy, blow="SIGKILL", at=moment)

        assert -9 == ended.status
        generations.add(rows(copy).total() if copy.exists() else 0)
        check_whole(source, copy, undisturbed)
    assert {0 if first else 40, 61 if first else 62} == generations


@pytest.mark.parametrize("blow, status", [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_run_that_is_asked_to_stop_says_so_and_can_be_continued(
    blow: str, status: int, forks: Forks, source: Path, checkpoint: Path
) -> None:
    """One line, its own exit status, no document, and a consistent checkpoint."""
    undisturbed = copy_of(checkpoint, "undisturbed")
    take(source, undisturbed)
    line = "Error: interrupted; the checkpoint is as it was before or complete\n"
    for moment in moments(forks, source, checkpoint, 10)[:-1]:
        copy = copy_of(checkpoint, moment)

        ended = forks.run("run", source, copy, "--json", blow=blow, at=moment + 3)

        assert (status, "", line) == (ended.status, ended.stdout, ended.stderr)
        check_whole(source, copy, undisturbed)


IMPORTING = """
import os, signal, sys
def strike(event, arguments):
    if event == "import" and arguments[0] == "checkpoint_cli._app":
        os.kill(os.getpid(), {signal})
sys.addaudithook(strike)
"""
PARSING = """
import os, signal
import typer.core
parse = typer.core.TyperCommand.parse_args
def strike(*arguments):
    os.kill(os.getpid(), {signal})
    return parse(*arguments)
typer.core.TyperCommand.parse_args = strike
"""


@pytest.mark.parametrize(
    "moment, name, status",
    [(IMPORTING, "SIGINT", 130), (PARSING, "SIGTERM", 143)],
    ids=["importing", "parsing"],
)
def test_a_command_that_is_stopped_before_it_begins_says_so(
    moment: str, name: str, status: int, source: Path, checkpoint: Path
) -> None:
    """Whoever presses Ctrl-C at once knows that nothing was done."""
    before = rows(checkpoint)
    program = moment.replace("{signal}", f"signal.{name}")
    program += "import checkpoint_cli; checkpoint_cli.main()"

    ended = execute("run", source, checkpoint, before=("-c", program))

    said = "Error: interrupted; nothing was done\n"
    assert (status, "", said) == (ended.status, ended.stdout, ended.stderr)
    assert before == rows(checkpoint)


SWALLOWING = """
import os, signal
import polars as pl
import checkpoint_format.parquet as parquet
def strike(file):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        pass
    raise pl.exceptions.PanicException
parquet.scan = strike
"""


def test_an_interruption_that_a_library_took_for_its_own_error_is_one(
    source: Path, checkpoint: Path
) -> None:
    """Polars panics where Ctrl-C comes in its midst, which must not look like a damaged file."""
    program = SWALLOWING + "import checkpoint_cli; checkpoint_cli.main()"

    ended = execute("run", source, checkpoint, before=("-c", program))

    said = "Error: interrupted; the checkpoint is as it was before or complete\n"
    assert (130, "", said) == (ended.status, ended.stdout, ended.stderr)


def test_a_command_in_the_background_ignores_ctrl_c(source: Path, checkpoint: Path) -> None:
    """Where whoever started it has it ignored, as a shell does."""
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        + PARSING.replace("{signal}", "signal.SIGINT")
        + "import checkpoint_cli; checkpoint_cli.main()"
    )

    ended = execute("run", source, checkpoint, before=("-c", program))

    assert (0, "") == (ended.status, ended.stderr)


@pytest.mark.parametrize("limit", [5, 1000])
@pytest.mark.parametrize("processes", [2, 3])
def test_processes_at_work_on_one_checkpoint_take_everything_once(
    processes: int, limit: int, forks: Forks, source: Path, checkpoint: Path
) -> None:
    """Each ends well and says what it took; together they took all, and nothing twice."""
    undisturbed = copy_of(checkpoint, "undisturbed")
    take(source, undisturbed)
    limited = ("--max-events-per-run", limit, "--batch-objects", 5)
    command = ("run", source, checkpoint, "--json", *limited)
    running = [forks.start(*command) for _ in range(processes)]
    ends = [forks.finish(process) for process in running]

    assert [(0, "")] * processes == [(ended.status, ended.stderr) for ended in ends]
    responses = [json.loads(ended.stdout) for ended in ends]
    assert 22 == sum(response["new_events_processed"] for response in responses)
    assert {62} == {sum(response["counts"].values()) for response in responses}
    assert rows(undisturbed) == rows(checkpoint)
    assert {"unchanged": 61, "rejected_before": 1} == counted(take(source, checkpoint))
