"""How many objects are read at once, held against what the machine allows."""

import resource
from pathlib import Path

import pytest

from checkpoint_storage.concurrency import affordable
from tests.checkpoint_lambda.invoking import Context, function
from tests.end_to_end.commands import call

MACOS, LAMBDA = 256, 1_024
NO_LIMIT = resource.RLIM_INFINITY


def allow(monkeypatch: pytest.MonkeyPatch, *, files: int, threads: int) -> None:
    """Let this process have these limits."""
    limits = {resource.RLIMIT_NOFILE: files, resource.RLIMIT_NPROC: threads}
    monkeypatch.setattr(
        "checkpoint_storage.concurrency.resource.getrlimit",
        lambda kind: (limits[kind], NO_LIMIT),
    )


@pytest.mark.parametrize(
    "files, threads, wanted, at_once",
    [
        (NO_LIMIT, NO_LIMIT, 1_024, 1_024),
        (LAMBDA, LAMBDA, 256, 256),
        (LAMBDA, LAMBDA, 1_024, 480),
        (MACOS, NO_LIMIT, 256, 96),
        (MACOS, NO_LIMIT, 96, 96),
        (NO_LIMIT, 100, 256, 18),
        (10, 10, 256, 1),
    ],
)
def test_each_needs_two_and_the_rest_needs_some(
    monkeypatch: pytest.MonkeyPatch, files: int, threads: int, wanted: int, at_once: int
) -> None:
    """Of files and of threads; what was wanted is never exceeded."""
    allow(monkeypatch, files=files, threads=threads)

    found, warning = affordable(wanted, setting="READ_CONCURRENCY")

    assert at_once == found
    assert (warning is not None) == (at_once < wanted)


def test_the_warning_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """And which limit it was."""
    allow(monkeypatch, files=MACOS, threads=NO_LIMIT)

    assert affordable(256, setting="READ_CONCURRENCY")[1] == (
        "READ_CONCURRENCY is 256, and this machine allows a process 256 open files: 96 objects "
        "are read at once. Set READ_CONCURRENCY lower, or raise the limit."
    )


def test_the_function_lowers_it_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is opened."""
    allow(monkeypatch, files=MACOS, threads=NO_LIMIT)
    with function() as made:
        ended = made.invoke(context=Context())

    assert [96] == [settings.s3.read_concurrency for settings in made.opened]
    [line] = ended.named("run_warning")
    assert line["warning"].startswith("READ_CONCURRENCY is 256")


def test_the_command_lowers_it_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the source is in S3; nothing of a directory is read by as many threads."""
    allow(monkeypatch, files=MACOS, threads=NO_LIMIT)
    opened: list[int | None] = []

    def open_source(_text: str, *, read_concurrency: int | None) -> None:
        opened.append(read_concurrency)
        raise SystemExit(1)

    monkeypatch.setattr("checkpoint_storage.locations.open_source", open_source)
    said = call("run", "s3://events", "out.parquet", "--read-concurrency", "200")
    unsaid = call("run", "events", "out.parquet", "--read-concurrency", "200")

    assert [96, 200] == opened
    assert "warning: --read-concurrency is 200" in said.stderr
    assert not unsaid.stderr


def test_a_directory_is_read_whatever_is_set(tmp_path: Path) -> None:
    """The option is not refused there."""
    (tmp_path / "events").mkdir()
    ended = call(
        "run", tmp_path / "events", tmp_path / "out" / "a.parquet", "--read-concurrency", "1"
    )

    assert 0 == ended.status, ended.stderr
