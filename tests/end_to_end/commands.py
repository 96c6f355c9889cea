"""Running `nacc-checkpoint`, in this process and in others, and the event objects that it gets."""

import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from typer.testing import CliRunner

from checkpoint_cli._app import app
from tests.event_model.strategies import example_document

STRUCK = Path(__file__).with_name("struck.py")

# What the machine that runs the tests has set must not decide their result.
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if name not in {"EVENT_FORMAT", "EXCLUDE_PROJECTS", "FORCE_COLOR", "NO_COLOR", "COLUMNS"}
}

Document = dict[str, Any]


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


def call(*arguments: object, environment: dict[str, str] | None = None) -> Ended:
    """Run a command in this process, which is quick."""
    result = CliRunner().invoke(
        app,
        list(map(str, arguments)),
        prog_name="nacc-checkpoint",
        env={"EVENT_FORMAT": None, "EXCLUDE_PROJECTS": None, **(environment or {})},
        catch_exceptions=False,
    )
    return Ended(result.exit_code, result.stdout, result.stderr)


def start(
    *arguments: object, before: tuple[object, ...] = ("-m", "checkpoint_cli"), **options: Any
) -> subprocess.Popen[bytes]:
    """Start a command as a process of its own."""
    command = [sys.executable, *map(str, (*before, *arguments))]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **{"env": CLEAN, **pipes, **options})


def finish(process: subprocess.Popen[bytes]) -> Ended:
    """Wait for a process and return how it ended."""
    stdout, stderr = process.communicate(timeout=60)
    return Ended(process.returncode, (stdout or b"").decode(), (stderr or b"").decode())


def execute(*arguments: object, **options: Any) -> Ended:
    """Run a command as a process of its own."""
    return finish(start(*arguments, **options))


class Started(NamedTuple):
    """A process of a command: its number, and where its output is."""

    number: int
    output: Path


class Forks:
    """Processes of commands, forked from one that has imported all they need; see `struck`."""

    def __init__(self, folder: Path) -> None:
        paths = os.pathsep.join([str(STRUCK.parents[2]), *filter(None, sys.path)])
        clean = {name: value for name, value in CLEAN.items() if not name.startswith("AWS_")}
        self._outputs = (folder / str(number) for number in itertools.count())
        # Newer Pythons warn of threads that a fork leaves behind: here of allocators alone.
        self._parent = start(
            before=("-W", "ignore::DeprecationWarning", STRUCK),
            stdin=subprocess.PIPE,
            stderr=None,
            env=clean | {"PYTHONPATH": paths},
        )

    def start(
        self,
        *arguments: object,
        blow: str = "none",
        at: int = 0,
        environment: dict[str, str] | None = None,
    ) -> Started:
        """Start a command that strikes itself at its n-th change of the file system."""
        output = next(self._outputs)
        given = map(str, arguments)
        return Started(self._ask("start", str(output), environment or {}, blow, at, *given), output)

    def finish(self, started: Started) -> Ended:
        """Wait for a process and return how it ended."""
        status = self._ask("wait", started.number)
        said = (started.output.with_suffix(suffix).read_text() for suffix in (".out", ".err"))
        return Ended(status, *said)

    def run(self, *arguments: object, **options: Any) -> Ended:
        """Run a command to its end."""
        return self.finish(self.start(*arguments, **options))

    def close(self) -> None:
        """End the process that all come from."""
        self._parent.communicate(timeout=60)

    def _ask(self, *line: object) -> int:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(line).encode() + b"\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())


def take(source: Path, checkpoint: Path, *options: object, **others: Any) -> Document:
    """Run successfully and return the response; whatever happens, every file is accounted for."""
    ended = call("run", source, checkpoint, "--json", *options, **others)

    assert (0, "") == (ended.status, ended.stderr)
    response: Document = json.loads(ended.stdout)
    files = sum(path.is_file() for path in source.rglob("*"))
    assert files == sum(response["counts"].values())
    return response


def counted(response: Document) -> dict[str, int]:
    """Return the counts that are not zero."""
    return {name: count for name, count in response["counts"].items() if count}


def rows(checkpoint: Path) -> Counter[tuple[Any, ...]]:
    """Return the multiset of the checkpoint's rows."""
    return Counter(pl.read_parquet(checkpoint, glob=False).iter_rows())


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Return every file below a folder with its inode and modification time."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def fields(number: int = 0, **changes: Any) -> Document:
    """Return a valid event; a field that is set to ... is left out."""
    plain = {
        "center_label": "sample-center-42",
        "gear_name": "sample-gear",
        "ptid": f"SYN{number:05}",
        "visit_date": "2026-09-01",
        "visit_number": "1",
        "timestamp": f"2026-09-02T10:{number // 60 % 60:02}:{number % 60:02}Z",
    }
    return example_document(**(plain | changes))


def put(
    source: Path,
    number: int = 0,
    *,
    data: bytes | None = None,
    named: str = "submit",
    **changes: object,
) -> Path:
    """Write an event object and return its path; `data` instead of an event's JSON.

    `named` is the action in its name. It was written an hour ago: of files that were only just
    written, which are looked at once more, test_settling.py tells.
    """
    source.mkdir(parents=True, exist_ok=True)
    time = f"10{number // 60 % 60:02}{number % 60:02}"
    path = source / f"log-{named}-20260902-{time}-42-ingest-form-SYN{number:05}-1.json"
    if data is None:
        data = json.dumps(fields(number, **changes)).encode()
    path.write_bytes(data)
    an_hour_ago_ns = path.stat().st_mtime_ns - 3_600_000_000_000
    os.utime(path, ns=(an_hour_ago_ns, an_hour_ago_ns))
    return path
