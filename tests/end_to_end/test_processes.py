"""Processes that are killed, interrupted, or at work at the same time: nothing lost, nothing twice."""

import json
import random
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.end_to_end.commands import (
    STRUCK,
    Ended,
    call,
    counted,
    finish,
    put,
    rows,
    start,
    struck,
    take,
)

AT_A_TIME = 3
"""How many processes are started at once, so that the tests do not take minutes."""


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


def number_of_changes(source: Path, checkpoint: Path) -> int:
    """Count how often a run changes the file system."""
    counting = finish(struck("count", 0, "run", source, copy_of(checkpoint, "count")))

    assert 0 == counting.status
    changes = int(counting.stderr)
    assert changes > 20
    return changes


def left_over(checkpoint: Path) -> list[Path]:
    """Return the files in the scratch folders of runs that have ended."""
    work = checkpoint.parent / "_work"
    return [path for path in work.rglob("*") if path.is_file()]


def check_whole(source: Path, checkpoint: Path, expected: Path, *, first: bool = False) -> None:
    """What was left behind is sound, and the next run ends as if nothing had happened."""
    if not first or checkpoint.exists():
        assert 0 == call("verify", checkpoint).status
    take(source, checkpoint)
    assert rows(expected) == rows(checkpoint)
    assert 0 == call("verify", checkpoint, source).status
    assert [] == left_over(checkpoint)


def waiting(source: Path, checkpoint: Path, *options: object) -> subprocess.Popen[bytes]:
    """Start a run that has imported everything and waits for the word."""
    process = start(
        *("wait", 0, "run", source, checkpoint, "--json", *options),
        before=(STRUCK,),
        stdin=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b"ready\n" == process.stdout.readline()
    return process


def go(process: subprocess.Popen[bytes]) -> None:
    """Give the word."""
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


def test_a_run_that_is_killed_at_any_change_of_the_file_system_can_be_continued(
    source: Path, checkpoint: Path
) -> None:
    """The next run ends with the rows of an undisturbed one."""
    undisturbed = copy_of(checkpoint, "undisturbed")
    take(source, undisturbed)
    moments = range(1, number_of_changes(source, checkpoint) + 1, 3)
    copies = [copy_of(checkpoint, moment) for moment in moments]

    def kill(moment: int, copy: Path) -> int:
        return finish(struck("kill", moment, "run", source, copy)).status

    with ThreadPoolExecutor(AT_A_TIME) as executor:
        statuses = list(executor.map(kill, moments, copies))

    assert [-9] * len(moments) == statuses
    generations = {rows(copy).total() for copy in copies}
    assert {40, 62} == generations
    for copy in copies:
        check_whole(source, copy, undisturbed)


def test_a_first_run_that_is_killed_at_any_time_can_be_continued(
    source: Path, tmp_path: Path
) -> None:
    """Wherever it was: importing, listing, reading, merging, committing."""
    undisturbed = tmp_path / "undisturbed" / "events.parquet"
    take(source, undisturbed)
    randomness = random.Random(20260901)
    delays_s = [randomness.uniform(0, 0.15) for _ in range(6)]
    copies = [tmp_path / f"killed-{index}" / "events.parquet" for index in range(len(delays_s))]

    def kill(delay_s: float, copy: Path) -> None:
        process = waiting(source, copy)
        go(process)
        time.sleep(delay_s)
        process.kill()
        finish(process)

    with ThreadPoolExecutor(AT_A_TIME) as executor:
        list(executor.map(kill, delays_s, copies))

    for copy in copies:
        check_whole(source, copy, undisturbed, first=True)


@pytest.mark.parametrize("blow, status", [("interrupt", 130), ("terminate", 143)])
def test_a_run_that_is_asked_to_stop_says_so_and_can_be_continued(
    blow: str, status: int, source: Path, checkpoint: Path
) -> None:
    """One line, its own exit status, no document, and a consistent checkpoint."""
    undisturbed = copy_of(checkpoint, "undisturbed")
    take(source, undisturbed)
    moments = range(4, number_of_changes(source, checkpoint) - 5, 10)
    copies = [copy_of(checkpoint, moment) for moment in moments]

    def stop(moment: int, copy: Path) -> Ended:
        return finish(struck(blow, moment, "run", source, copy, "--json"))

    with ThreadPoolExecutor(AT_A_TIME) as executor:
        ends = list(executor.map(stop, moments, copies))

    assert {status} == {ended.status for ended in ends}
    line = "Error: interrupted; the checkpoint is as it was before or complete\n"
    assert {line} == {ended.stderr for ended in ends}
    assert {""} == {ended.stdout for ended in ends}
    for copy in copies:
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


@pytest.mark.parametrize("moment", [IMPORTING, PARSING], ids=["importing", "parsing"])
@pytest.mark.parametrize("name, status", [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_command_that_is_stopped_before_it_begins_says_so(
    moment: str, name: str, status: int, source: Path, checkpoint: Path
) -> None:
    """Whoever presses Ctrl-C at once knows that nothing was done."""
    before = rows(checkpoint)
    program = moment.replace("{signal}", f"signal.{name}")
    program += "import checkpoint_cli; checkpoint_cli.main()"

    ended = finish(start("run", source, checkpoint, before=("-c", program)))

    said = "Error: interrupted; nothing was done\n"
    assert (status, "", said) == (ended.status, ended.stdout, ended.stderr)
    assert before == rows(checkpoint)


SWALLOWING = """
import os, signal
import polars as pl
import checkpoint_core._files.parquet as parquet
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

    ended = finish(start("run", source, checkpoint, before=("-c", program)))

    said = "Error: interrupted; the checkpoint is as it was before or complete\n"
    assert (130, "", said) == (ended.status, ended.stdout, ended.stderr)


def test_a_command_in_the_background_ignores_ctrl_c(source: Path, checkpoint: Path) -> None:
    """Where whoever started it has it ignored, as a shell does."""
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        + PARSING.replace("{signal}", "signal.SIGINT")
        + "import checkpoint_cli; checkpoint_cli.main()"
    )

    ended = finish(start("run", source, checkpoint, before=("-c", program)))

    assert (0, "") == (ended.status, ended.stderr)


@pytest.mark.parametrize("limit", [5, 1000])
@pytest.mark.parametrize("processes", [2, 3])
def test_processes_at_work_on_one_checkpoint_take_everything_once(
    processes: int, limit: int, source: Path, checkpoint: Path
) -> None:
    """Each ends well and says what it took; together they took all, and nothing twice."""
    undisturbed = copy_of(checkpoint, "undisturbed")
    take(source, undisturbed)
    limited = ("--max-events-per-run", limit, "--batch-objects", 5)
    running = [waiting(source, checkpoint, *limited) for _ in range(processes)]
    for process in running:
        go(process)
    ends = [finish(process) for process in running]

    assert [(0, "")] * processes == [(ended.status, ended.stderr) for ended in ends]
    responses = [json.loads(ended.stdout) for ended in ends]
    assert 22 == sum(response["new_events_processed"] for response in responses)
    assert {62} == {sum(response["counts"].values()) for response in responses}
    assert rows(undisturbed) == rows(checkpoint)
    assert {"unchanged": 61, "rejected_before": 1} == counted(take(source, checkpoint))
