"""`nacc-checkpoint export`: other shapes of the same rows, for readers that expect them."""

import errno
import json
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.checkpoint_cli import design_queries
from tests.end_to_end.commands import call, put, take

BY_STUDY = "../exports/{study}/{datatype}/events.parquet"
SCRAPER = ("--kind", "latest-events", "--text-dates", "--column-order", "scraper")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Events of two studies, one of them logged again with more fields; format 1.1."""
    source = tmp_path / "events"
    for number in range(6):
        put(source, number, study=("adrc", "dvcid")[number % 2], packet=None)
    put(source, 6, ptid="SYN00000", timestamp="2026-09-02T10:00:00Z", packet="I")
    put(source, 7, action="not-pass-qc", named="not-pass-qc", ptid="SYN00001", study="dvcid")
    take(source, tmp_path / "out" / "events.parquet", "--event-format", "1.1")
    return tmp_path / "out" / "events.parquet"


def exported(checkpoint: Path, *options: object) -> list[dict[str, Any]]:
    """Export successfully, and return what became of each export."""
    ended = call("export", checkpoint, "--json", *options)

    assert (0, "") == (ended.status, ended.stderr)
    results: list[dict[str, Any]] = json.loads(ended.stdout)["exports"]
    return results


def test_one_command_makes_a_folder_per_study_and_datatype(checkpoint: Path) -> None:
    """And the next run keeps it up to date, writing only what has changed."""
    ended = call("export", checkpoint, "--path", BY_STUDY)
    folder = checkpoint.parent.parent / "exports"

    assert (0, "") == (ended.status, ended.stderr)
    assert sorted(str(file.relative_to(folder)) for file in folder.rglob("*.parquet")) == [
        "adrc/form/events.parquet",
        "dvcid/form/events.parquet",
    ]
    put(checkpoint.parent.parent / "events", 9)
    response = take(checkpoint.parent.parent / "events", checkpoint, "--event-format", "1.1")
    assert [
        {"name": "events", "state": "made", "files": 2, "written": 1, "removed": 0, "problem": None}
    ] == response["exports"]
    union = pl.concat(pl.read_parquet(file) for file in folder.rglob("*.parquet"))
    assert Counter(union.iter_rows()) == Counter(pl.read_parquet(checkpoint).iter_rows())


def read_as_the_scrapers_reader_does(file: Path) -> pl.DataFrame:
    """Read one file as a program does that was written for the scraper's files."""
    frame = pl.read_parquet(file)
    assert frame.columns[:3] == ["action", "study", "pipeline_adcid"]
    assert frame.columns[-1] == "timestamp"
    return frame.with_columns(pl.col("visit_date").str.to_date("%Y-%m-%d"))


def test_a_reader_of_the_scrapers_files_gets_its_rows(checkpoint: Path) -> None:
    """Text dates, its order of columns, and of events that it takes for one the last."""
    exported(checkpoint, "--path", BY_STUDY, *SCRAPER)
    file = checkpoint.parent.parent / "exports" / "adrc" / "form" / "events.parquet"
    kept: dict[tuple[object, ...], dict[str, Any]] = {}
    for row in pl.read_parquet(checkpoint).filter(study="adrc").iter_rows(named=True):
        same = ("action", "ptid", "visit_date", "timestamp", "datatype", "module")
        kept[*(row[name] for name in same), row["pipeline_adcid"]] = row

    frame = read_as_the_scrapers_reader_does(file)

    upserted = sorted(
        (row["ptid"], row["visit_date"], row["packet"] or "") for row in kept.values()
    )
    assert upserted == sorted(
        zip(frame["ptid"], frame["visit_date"], frame["packet"].fill_null(""), strict=True)
    )
    assert len(frame) == 3
    assert len(pl.read_parquet(checkpoint).filter(study="adrc")) == 4


@pytest.mark.parametrize(
    "statement",
    [
        design_queries.LATEST_EVENT,
        design_queries.TIMELINE,
        design_queries.COMPLETENESS,
        design_queries.ERRORS_BY_CENTER,
    ],
)
def test_the_four_statements_answer_alike_over_the_files_together(
    checkpoint: Path, statement: str
) -> None:
    """As they do over the checkpoint."""
    exported(checkpoint, "--path", BY_STUDY)
    files = str(checkpoint.parent.parent / "exports" / "*" / "*" / "events.parquet")
    answers = []
    for place in (str(checkpoint), files):
        with duckdb.connect() as connection:
            connection.execute(
                f"CREATE VIEW checkpoint_events AS FROM read_parquet('{place}', hive_partitioning=false)"
            )
            answers.append(Counter(connection.execute(statement).fetchall()))

    assert answers[0] == answers[1]


def test_a_file_defines_all_exports(checkpoint: Path, tmp_path: Path) -> None:
    """What it does not have is removed; without it, and without --path, nothing is defined anew."""
    definitions = tmp_path / "exports.toml"
    definitions.write_text(
        """
        [[export]]
        name = "submissions"
        kind = "submissions"
        path = "../exports/submissions.parquet"
        """,
        encoding="utf-8",
    )
    exported(checkpoint, "--path", BY_STUDY)

    results = exported(checkpoint, "--definitions", definitions)

    assert [(each["name"], each["state"]) for each in results] == [
        ("submissions", "made"),
        ("events", "removed"),
    ]
    assert [each.name for each in (tmp_path / "exports").rglob("*.parquet")] == [
        "submissions.parquet"
    ]
    assert [("submissions", "current")] == [
        (each["name"], each["state"]) for each in exported(checkpoint)
    ]
    assert pl.read_parquet(tmp_path / "exports" / "submissions.parquet").height == 6


@pytest.mark.parametrize(
    "options, problem",
    [
        (("--path", "{nobody}.csv"), "unknown placeholder"),
        (("--path", "{nobody}.csv"), ".parquet"),
        (("--kind", "submissions"), "--path"),
        (("--path", "a.parquet", "--definitions", "b.toml"), "choose one"),
        (("--definitions", "nowhere.toml"), "No such file"),
    ],
)
def test_a_wrong_definition_is_wrong_usage(
    checkpoint: Path, options: tuple[str, ...], problem: str
) -> None:
    """Every mistake is told, and nothing is done."""
    ended = call("export", checkpoint, *options)

    assert ended.status == 2
    assert problem in " ".join(ended.stderr.split())


@pytest.mark.parametrize("text", ["export = 1", "[exports]", "[[export", "[[export]]\nname = 'a'"])
def test_a_file_that_defines_nothing_sensible_is_wrong_usage(
    checkpoint: Path, tmp_path: Path, text: str
) -> None:
    """It is said of the file."""
    file = tmp_path / "exports.toml"
    file.write_text(text, encoding="utf-8")

    ended = call("export", checkpoint, "--definitions", file)

    assert ended.status == 2
    assert "--definitions" in ended.stderr


def test_without_a_checkpoint_there_is_nothing_to_export(tmp_path: Path) -> None:
    """One line, and nothing is made."""
    ended = call("export", tmp_path / "out" / "events.parquet", "--path", BY_STUDY)

    assert ended.status == 1
    assert "there is no checkpoint" in ended.stderr


def test_a_file_that_is_in_the_way_is_told_and_left(checkpoint: Path) -> None:
    """The command fails; a run does not, and warns."""
    file = checkpoint.parent / "mine.parquet"
    file.write_bytes(b"mine")

    ended = call("export", checkpoint, "--path", "mine.parquet")
    ran = call("run", checkpoint.parent.parent / "events", checkpoint, "--event-format", "1.1")

    assert ended.status == 1
    assert "not of this export" in ended.stderr
    assert (0, True) == (ran.status, "not of this export" in ran.stderr)
    assert file.read_bytes() == b"mine"


def test_whatever_fails_over_exports_fails_no_run(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a full disk or a mistake of ours, which is a warning: the run tells what it has done."""
    exported(checkpoint, "--path", BY_STUDY)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr("checkpoint_cli._execution.run.update_exports", fail)
    ended = call("run", checkpoint.parent.parent / "events", checkpoint, "--event-format", "1.1")

    assert ended.status == 0
    assert "warning: exports: File too large" in ended.stderr
    assert "0 new events taken" in ended.stdout


def test_without_exports_the_command_says_how_to_define_one(checkpoint: Path) -> None:
    """Which is no failure."""
    ended = call("export", checkpoint)

    assert ended.status == 0
    assert "--path" in ended.stdout
