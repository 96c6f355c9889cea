"""What a terminal gets, what a pipe gets, and what happens when nobody reads."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.commands import call, execute, finish, put, start, take


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source with some events."""
    for number in range(20):
        put(tmp_path / "events", number)
    return tmp_path / "events"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Where the checkpoint will be."""
    return tmp_path / "out" / "events.parquet"


def on_terminal(*arguments: object, stdout: bool) -> tuple[int, str, str]:
    """Run with stderr, and maybe stdout, on a terminal; return status, screen and piped stdout."""
    ours, theirs = pty.openpty()
    process = start(*arguments, stderr=theirs, stdout=theirs if stdout else subprocess.PIPE)
    os.close(theirs)
    screen = b""
    # A terminal that nobody holds open any more is an error to Linux, and an end to others.
    while chunk := _read(ours):
        screen += chunk
    os.close(ours)
    ended = finish(process)
    return ended.status, screen.decode(), ended.stdout


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def test_a_terminal_gets_a_progress_bar_and_a_pipe_the_document(
    source: Path, checkpoint: Path
) -> None:
    """The bar is on stderr, so that stdout holds the document alone."""
    status, screen, piped = on_terminal("run", source, checkpoint, "--json", stdout=False)

    assert 0 == status
    assert "Reading objects" in screen
    assert 20 == json.loads(piped)["new_events_processed"]


def test_a_terminal_gets_the_summary_after_the_bar_is_gone(source: Path, checkpoint: Path) -> None:
    """The cursor that the bar hid is there again."""
    status, screen, _ = on_terminal("run", source, checkpoint, stdout=True)

    assert 0 == status
    assert screen.index("\x1b[?25l") < screen.index("\x1b[?25h")
    assert "20 new events taken." in screen.partition("\x1b[?25h")[2]


def test_a_pipe_gets_no_progress_bar_no_color_and_no_wrapped_line(
    source: Path, checkpoint: Path
) -> None:
    """Not even where the environment asks for color."""
    long = put(source, 21, data=b"{}")
    long.rename(source / long.name.replace("SYN", "X" * 150))

    run = execute("run", source, checkpoint)
    rejects = execute("rejects", checkpoint)

    assert (0, "", 0, "") == (run.status, run.stderr, rejects.status, rejects.stderr)
    assert "\x1b" not in run.stdout + rejects.stdout
    assert [line for line in rejects.stdout.splitlines() if "X" * 150 in line]


def test_names_cannot_control_the_terminal(source: Path, checkpoint: Path) -> None:
    """A name with an escape sequence is shown as what it is."""
    (source / "note\x1b[31m\nfor you.txt").touch()
    (source / os.fsdecode(b"note-\xff.txt")).touch()
    (source / "[bold]note.txt").touch()

    said = call("run", source, checkpoint).stdout

    assert "\x1b" not in said
    assert "note\\x1b[31m\\nfor you.txt" in said
    assert "[bold]note.txt" in said


def test_a_reader_that_goes_away_gets_no_traceback(source: Path, checkpoint: Path) -> None:
    """As in `nacc-checkpoint rejects ... | head`."""
    take(source, checkpoint)
    ours, theirs = os.pipe()
    os.close(ours)

    ended = execute("show", checkpoint, stdout=theirs)

    os.close(theirs)
    assert (141, "") == (ended.status, ended.stderr)


def test_a_stdout_that_is_full_is_one_line(source: Path, checkpoint: Path) -> None:
    """The document did not get out, so the command has failed; the checkpoint is complete."""
    with Path("/dev/full").open("wb") as full:
        ended = execute("run", source, checkpoint, "--json", stdout=full)

    assert 1 == ended.status
    assert ended.stderr.startswith("Error: standard output: no space left.")
    assert 1 == ended.stderr.count("\n")
    assert 0 == call("verify", checkpoint, source).status


def test_ctrl_c_at_the_terminal_ends_the_bar_and_says_one_line(
    source: Path, checkpoint: Path
) -> None:
    """The signal goes to the process while it reads."""
    for number in range(100, 3100):
        put(source, number)
    ours, theirs = pty.openpty()
    process = start("run", source, checkpoint, stderr=theirs)
    os.close(theirs)
    screen = b""
    while b"Reading" not in screen:
        screen += _read(ours)
    process.send_signal(signal.SIGINT)
    while chunk := _read(ours):
        screen += chunk
    os.close(ours)

    ended = finish(process)

    if ended.status == 0:
        pytest.skip("this machine was faster than the signal")
    assert (130, "") == (ended.status, ended.stdout)
    said = screen.decode().partition("\x1b[?25h")[2]
    assert "Error: interrupted; the checkpoint is as it was before or complete" in said
    assert "Traceback" not in screen.decode()
    process = start("run", source, checkpoint, "--json")
    assert 0 == finish(process).status


@pytest.mark.parametrize(
    "form, closed", [("", ">&-"), ("--json", "2>&-"), ("", ">&- 2>&- <&-"), ("--json", ">&-")]
)
def test_a_stream_that_was_closed_is_nobody_that_reads(
    source: Path, checkpoint: Path, form: str, closed: str
) -> None:
    """A scheduler may start it so; the run takes place, and nothing is a bug."""
    shell = f'exec "$0" -m checkpoint_cli run "$1" "$2" {form} {closed}'
    ended = finish(
        start("-c", shell, sys.executable, source, checkpoint, before=(), executable="/bin/sh")
    )

    assert (0, "") == (ended.status, ended.stderr)
    assert checkpoint.exists()
