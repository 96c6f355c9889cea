"""`nacc-checkpoint report`: what it writes, and how it refuses."""

import os
import shutil
import sys
from datetime import date
from pathlib import Path

import pytest

from checkpoint_cli.sample import write_samples
from tests.end_to_end.commands import Ended, call, execute, start, take

SHEETS = ["attempts.csv", "backlog.csv", "centers.csv", "completeness.csv", "datatypes.csv",
          "days.csv", "events.csv", "followed.csv", "kinds.csv", "lateness.csv", "rejects.csv",
          "statuses.csv", "studies.csv", "time-to-qc.csv", "trend.csv"]  # fmt: skip
CHARTS = ["attempts.svg", "backlog.svg", "centers.svg", "completeness.svg", "days.svg",
          "events.svg", "kinds.svg", "lateness.svg", "time-to-qc.svg", "trend.svg"]  # fmt: skip
QUIET = ("--month", "2020-01")
"""A month without events, whose page has no charts to draw."""


def reported(output: str, *options: str, checkpoint: str = "events.parquet") -> Ended:
    """Ask for a report."""
    return call("report", checkpoint, *options, "--output", output)


def names(folder: Path) -> list[str]:
    """Name what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a checkpoint of a month of sample events."""
    folder = tmp_path_factory.mktemp("report")
    write_samples(folder / "events", count=400, seed=3, start=date(2026, 10, 1), days=31)
    take(folder / "events", folder / "events.parquet")
    return folder


@pytest.fixture
def folder(month: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to its folder."""
    monkeypatch.chdir(month)
    return month


def test_a_month_is_written_as_a_page_and_as_files(folder: Path) -> None:
    """Twice the same, byte for byte, by another process too; the files beside nothing else."""
    arguments = ["report", "events.parquet", "--month", "2026-10", "--output"]
    one = call(*arguments, "1.html", "--csv", "csv1/numbers", "--svg", "svg1")
    other = start(*arguments, "2.html", "--csv", "csv2/numbers", "--svg", "svg2", cwd=folder)
    stdout, stderr = other.communicate(timeout=300)

    assert (0, "", 0, b"") == (one.status, one.stderr, other.returncode, stderr)
    assert "Wrote 1.html: Visit events, October 2026." == one.stdout.splitlines()[-1]
    assert b"Wrote 2.html: Visit events, October 2026." == stdout.splitlines()[-1]
    pages = [(folder / f"{number}.html").read_bytes() for number in (1, 2)]
    assert pages[0] == pages[1]
    assert pages[0].startswith(b"<!doctype html>")
    for kind, files in (("csv{}/numbers", SHEETS), ("svg{}", CHARTS)):
        first, second = (folder / kind.format(number) / "2026-10" for number in (1, 2))
        assert files == names(first)
        assert all((first / n).read_bytes() == (second / n).read_bytes() for n in files)


def test_each_center_has_a_page_and_an_index_leads_to_them(folder: Path) -> None:
    """By number; each is the page that --center writes."""
    days = ("--from", "2026-10-01", "--to", "2026-10-01")
    ended = reported("all.html", *days, "--each-center", "centers")
    pages = [name for name in names(folder / "centers") if name != "index.html"]
    number = pages[0].removeprefix("center-").removesuffix(".html")
    alone = reported("one.html", *days, "--center", number)

    assert (0, 0) == (ended.status, alone.status)
    assert f"Wrote the pages of {len(pages)} centers to centers." in ended.stdout
    index = (folder / "centers/index.html").read_text(encoding="utf-8")
    assert all(f'href="{page}"' in index for page in pages)
    assert (folder / "one.html").read_bytes() == (folder / "centers" / pages[0]).read_bytes()


def test_pages_that_hide_counts_are_not_to_be_handed_on_together(folder: Path) -> None:
    """Whoever has that of all and those of each can subtract; the command says so."""
    days = ("--from", "2026-10-01", "--to", "2026-10-01", "--suppress-below", "11")
    ended = reported("hidden.html", *days, "--each-center", str(folder / "hidden"))

    assert 0 == ended.status
    assert "Hand on the page of all centers or those of each" in ended.stdout


def test_a_copy_without_what_was_beside_it_says_what_it_does_not_know(folder: Path) -> None:
    """Its ledger and its rejects."""
    (folder / "copied").mkdir(exist_ok=True)
    shutil.copy(folder / "events.parquet", folder / "copied/events.parquet")

    reported("copied.html", *QUIET, checkpoint="copied/events.parquet")
    reported("whole.html", *QUIET)

    told = "Not known: there"
    assert 2 == (folder / "copied.html").read_text(encoding="utf-8").count(told)
    assert told not in (folder / "whole.html").read_text(encoding="utf-8")


def test_a_range_of_days_and_one_center_can_be_asked_for(folder: Path) -> None:
    """Both days included."""
    ended = reported(
        "week.html",
        "--from",
        "2026-10-01",
        "--to",
        "2026-10-07",
        "--center",
        "1",
        "--suppress-below",
        "3",
    )

    assert 0 == ended.status
    page = (folder / "week.html").read_text(encoding="utf-8")
    assert "1 October 2026 to 7 October 2026" in page
    assert "2026-10-08 00:00 UTC" in page
    assert "sample-center-02" not in page


@pytest.mark.parametrize(
    "options",
    [
        "",
        "--month 2026-13",
        "--month October",
        "--from 2026-10-01",
        "--to 2026-10-01",
        "--month 2026-10 --from 2026-10-01 --to 2026-10-02",
        "--month 2026-10 --to 2026-10-02",
        "--from 2026-10-02 --to 2026-10-01",
        "--from yesterday --to 2026-10-01",
        "--month 2026-10 --suppress-below 1",
        "--month 2026-10 --order size",
        "--month 2026-10 --center 1 --each-center pages",
        "--month 2026-10 --center nobody",
    ],
)
def test_a_period_or_center_that_is_none_is_wrong_usage(folder: Path, options: str) -> None:
    """And nothing is written."""
    ended = reported("no.html", *options.split())

    assert 2 == ended.status
    assert "Error: " in ended.stderr
    assert not (folder / "no.html").exists()


@pytest.mark.parametrize(
    "output", ["nowhere/page.html", "events", "events.parquet/page.html", "pipe"]
)
def test_a_page_that_cannot_be_written_is_one_clear_line(folder: Path, output: str) -> None:
    """It says where; nothing was changed, tables neither; and no scrap is left behind."""
    if not (folder / "pipe").exists():
        os.mkfifo(folder / "pipe")
    before = names(folder)

    ended = reported(output, *QUIET, "--csv", "tables")

    assert (1, "") == (ended.status, ended.stdout)
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"Error: {output}: cannot be written")
    assert line.endswith("Nothing was changed.")
    assert before == names(folder)


@pytest.mark.parametrize("output", ["events.parquet", "link.html"])
def test_a_report_never_takes_the_place_of_a_checkpoint(folder: Path, output: str) -> None:
    """Neither by its name nor through a link."""
    (folder / "link.html").unlink(missing_ok=True)
    (folder / "link.html").symlink_to("events.parquet")
    before = (folder / "events.parquet").read_bytes()

    ended = reported(output, *QUIET)

    assert 1 == ended.status
    assert "events.parquet: a report is no Parquet file" in ended.stderr
    assert before == (folder / "events.parquet").read_bytes()


def test_tables_that_cannot_be_written_leave_the_page_as_it_was(folder: Path) -> None:
    """All are written before any is replaced."""
    (folder / "old.html").write_text("old")

    ended = reported("old.html", *QUIET, "--csv", "events.parquet")

    assert 1 == ended.status
    assert "events.parquet/2020-01: cannot be written" in ended.stderr
    assert "old" == (folder / "old.html").read_text()
    assert not [name for name in names(folder) if name.startswith(".old")]


def test_without_a_sound_checkpoint_there_is_no_report(folder: Path) -> None:
    """It says so; some pages that cannot be read are damage to it, not a bug."""
    data = bytearray((folder / "events.parquet").read_bytes())
    data[100 : len(data) // 2] = b"\xff" * (len(data) // 2 - 100)
    (folder / "damaged.parquet").write_bytes(data)

    for checkpoint, said in (
        ("no.parquet", "there is no checkpoint"),
        ("damaged.parquet", "a part of it is damaged"),
    ):
        ended = reported("no.html", "--month", "2026-10", checkpoint=checkpoint)
        assert 1 == ended.status
        assert said in ended.stderr
        assert not (folder / "no.html").exists()


@pytest.mark.parametrize("missing", ["checkpoint_report", "vl_convert"])
def test_without_the_extra_the_command_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """In one line, before any work, whether the report itself is missing or what it needs."""
    for name in [name for name in sys.modules if name.startswith("checkpoint_report")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)

    ended = reported("no.html", "--month", "2026-10")

    assert 1 == ended.status
    (line,) = ended.stderr.splitlines()
    assert f"{missing} is not installed" in line
    assert "pip install 'nacc-checkpoint-cli[report]'" in line


def test_no_other_command_imports_the_report_or_duckdb() -> None:
    """Those commands start as fast as without them, and work where the extra is not installed."""
    program = (
        "import sys, checkpoint_cli._app;"
        "sys.exit(bool({'duckdb', 'checkpoint_report', 'vl_convert'} & sys.modules.keys()))"
    )

    assert 0 == execute(before=("-c", program)).status
