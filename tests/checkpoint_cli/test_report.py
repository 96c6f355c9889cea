"""`nacc-checkpoint report`: what it writes, and how it refuses."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from checkpoint_cli.sample import write_samples

SHEETS = ["completeness.csv", "days-to-qc.csv", "days-to-submission.csv", "errors.csv",
          "rejects.csv", "status.csv", "volumes.csv"]  # fmt: skip


def nacc(*arguments: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "checkpoint_cli", *arguments],
        cwd=cwd,
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
    )


def names(folder: Path) -> list[str]:
    """Name what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a checkpoint of a month of sample events."""
    folder = tmp_path_factory.mktemp("report")
    write_samples(folder / "events", count=400, seed=3, start=date(2026, 10, 1), days=31)
    completed = nacc("run", "events", "events.parquet", cwd=folder)
    assert completed.returncode == 0, completed.stderr
    return folder


def test_a_month_is_written_as_a_page_and_as_files(folder: Path) -> None:
    """Twice the same, byte for byte; the files beside nothing else."""
    for number in (1, 2):
        completed = nacc(
            "report", "events.parquet", "--month", "2026-10", "--output", f"{number}.html",
            "--csv", f"csv{number}/of/october", cwd=folder,
        )  # fmt: skip
        assert (completed.returncode, completed.stderr) == (0, "")
        assert (
            completed.stdout.splitlines()[-1] == f"Wrote {number}.html: Visit events, October 2026."
        )

    pages = [(folder / f"{number}.html").read_bytes() for number in (1, 2)]
    assert pages[0] == pages[1]
    assert pages[0].startswith(b"<!doctype html>")
    sheets = [folder / f"csv{number}/of/october" for number in (1, 2)]
    assert SHEETS == names(sheets[0])
    assert all((sheets[0] / n).read_bytes() == (sheets[1] / n).read_bytes() for n in SHEETS)


def test_a_range_of_days_and_one_center_can_be_asked_for(folder: Path) -> None:
    """Both days included."""
    completed = nacc(
        "report", "events.parquet", "--from", "2026-10-01", "--to", "2026-10-07", "--center", "1",
        "--threshold", "3", "--output", "week.html", cwd=folder,
    )  # fmt: skip

    assert completed.returncode == 0, completed.stderr
    page = (folder / "week.html").read_text(encoding="utf-8")
    assert "1 October 2026 to 7 October 2026" in page
    assert "2026-10-08 00:00 UTC" in page
    assert "sample-center-02" not in page


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--month", "2026-13"],
        ["--month", "October"],
        ["--from", "2026-10-01"],
        ["--to", "2026-10-01"],
        ["--month", "2026-10", "--from", "2026-10-01", "--to", "2026-10-02"],
        ["--month", "2026-10", "--to", "2026-10-02"],
        ["--from", "2026-10-02", "--to", "2026-10-01"],
        ["--from", "yesterday", "--to", "2026-10-01"],
        ["--month", "2026-10", "--threshold", "0"],
        ["--month", "2026-10", "--center", "nobody"],
    ],
)
def test_a_period_or_center_that_is_none_is_wrong_usage(folder: Path, options: list[str]) -> None:
    """And nothing is written."""
    completed = nacc("report", "events.parquet", *options, "--output", "no.html", cwd=folder)

    assert completed.returncode == 2
    assert "Error: " in completed.stderr
    assert not (folder / "no.html").exists()


@pytest.mark.parametrize(
    "output", ["nowhere/page.html", "events", "events.parquet/page.html", "pipe"]
)
def test_a_page_that_cannot_be_written_is_one_clear_line(folder: Path, output: str) -> None:
    """It says where; nothing was changed, tables neither; and no scrap is left behind."""
    if not (folder / "pipe").exists():
        os.mkfifo(folder / "pipe")
    before = names(folder)
    completed = nacc(
        "report", "events.parquet", "--month", "2020-01", "--output", output,
        "--csv", "tables", cwd=folder,
    )  # fmt: skip

    assert completed.returncode == 1
    assert completed.stdout == ""
    (line,) = completed.stderr.splitlines()
    assert line.startswith(f"Error: {output}: cannot be written")
    assert line.endswith("Nothing was changed.")
    assert before == names(folder)


@pytest.mark.parametrize("output", ["events.parquet", "link.html"])
def test_a_report_never_takes_the_place_of_a_checkpoint(folder: Path, output: str) -> None:
    """Neither by its name nor through a link."""
    (folder / "link.html").unlink(missing_ok=True)
    (folder / "link.html").symlink_to("events.parquet")
    before = (folder / "events.parquet").read_bytes()
    completed = nacc(
        "report", "events.parquet", "--month", "2020-01", "--output", output, cwd=folder
    )

    assert completed.returncode == 1
    assert "events.parquet: a report is no Parquet file" in completed.stderr
    assert before == (folder / "events.parquet").read_bytes()


def test_tables_that_cannot_be_written_leave_the_page_as_it_was(folder: Path) -> None:
    """All are written before any is replaced."""
    (folder / "old.html").write_text("old")
    completed = nacc(
        "report", "events.parquet", "--month", "2020-01", "--output", "old.html",
        "--csv", "events.parquet", cwd=folder,
    )  # fmt: skip

    assert completed.returncode == 1
    assert "events.parquet: cannot be written" in completed.stderr
    assert (folder / "old.html").read_text() == "old"
    assert not [name for name in names(folder) if name.startswith(".old")]


def test_without_a_checkpoint_there_is_no_report(folder: Path) -> None:
    """It says so, and how to make one."""
    completed = nacc(
        "report", "no.parquet", "--month", "2026-10", "--output", "no.html", cwd=folder
    )

    assert completed.returncode == 1
    assert "there is no checkpoint" in completed.stderr
    assert not (folder / "no.html").exists()


def test_without_the_extra_the_command_says_what_to_install(folder: Path) -> None:
    """In one line, before any work; the other commands do without it."""
    hidden = (
        "import sys; sys.modules['vl_convert'] = None; sys.argv = ['nacc-checkpoint', *sys.argv[1:]];"
        "from checkpoint_cli import main; main()"
    )
    arguments = ["report", "events.parquet", "--month", "2026-10", "--output", "no.html"]
    completed = subprocess.run(
        [sys.executable, "-c", hidden, *arguments],
        cwd=folder, capture_output=True, check=False, text=True,
    )  # fmt: skip

    assert completed.returncode == 1
    (line,) = completed.stderr.splitlines()
    assert "pip install 'nacc-checkpoint-cli[report]'" in line


def test_a_damaged_checkpoint_is_said_to_be_damaged(folder: Path) -> None:
    """Not to be a bug: some pages of it cannot be read."""
    data = bytearray((folder / "events.parquet").read_bytes())
    data[100 : len(data) // 2] = b"\xff" * (len(data) // 2 - 100)
    (folder / "damaged.parquet").write_bytes(data)
    completed = nacc(
        "report", "damaged.parquet", "--month", "2026-10", "--output", "no.html", cwd=folder
    )

    assert completed.returncode == 1
    assert "a part of it is damaged" in completed.stderr
    assert not (folder / "no.html").exists()
