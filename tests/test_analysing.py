"""Every snippet of docs/analysing.md runs, and gives what stands below it."""

import re
import shlex
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from checkpoint_queries import QUERIES, VISIT, submissions_view
from tests.end_to_end.commands import call

pytestmark = pytest.mark.on_one_python

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "analysing.md").read_text(encoding="utf-8")
LIKE_ATHENA = """
    CREATE VIEW checkpoint_events AS
    SELECT * REPLACE (CAST("timestamp" AT TIME ZONE 'UTC' AS TIMESTAMP) AS "timestamp")
    FROM read_parquet('checkpoint/events.parquet')
"""
"""The table as Athena has it: times have no zone, and rows no number."""


class Snippet(NamedTuple):
    """A fenced block with its language, and the text block that follows, if one does."""

    language: str
    code: str
    output: str | None


def snippets() -> list[Snippet]:
    """Return the blocks of the page, in order."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    return [
        Snippet(language, code, follower[1] if follower[0] == "text" else None)
        for (language, code), follower in zip(blocks, [*blocks[1:], ("", "")], strict=True)
        if language != "text"
    ]


def of(language: str) -> list[Snippet]:
    """Return the snippets in a language."""
    return [snippet for snippet in snippets() if snippet.language == language]


def command(line: str, folder: Path) -> str:
    """Run one command of ours in the folder, and return what it prints."""
    program, *arguments = shlex.split(line)
    assert program == "nacc-checkpoint"
    with chdir(folder):
        ended = call(*arguments)
    assert ended.status == 0
    return ended.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that the page's first commands fill."""
    folder = tmp_path_factory.mktemp("analysing")
    [making] = of("sh")
    for line in making.code.splitlines():
        command(line, folder)
    return folder


def test_every_snippet_is_of_a_kind_that_is_run() -> None:
    """And there are some of each."""
    assert {snippet.language for snippet in snippets()} == {"sh", "python", "console", "sql"}


@pytest.mark.parametrize("snippet", of("python"), ids=range(len(of("python"))))
def test_the_python_prints_what_stands_below_it(
    snippet: Snippet,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Polars, DuckDB and pandas."""
    monkeypatch.chdir(folder)

    with duckdb.connect() as connection:
        duckdb.set_default_connection(connection)
        exec(snippet.code, {})

    assert capsys.readouterr().out.rstrip() == (snippet.output or "").rstrip()


def test_folders_that_look_like_partitions_are_no_columns(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the folders are called that the checkpoint lies in."""
    hive = tmp_path / "study=other" / "pipeline_adcid=99" / "outcome=none"
    hive.mkdir(parents=True)
    (hive / "events.parquet").hardlink_to(folder / "checkpoint" / "events.parquet")
    for snippet in of("python"):
        if "'checkpoint/events.parquet'" in snippet.code or "scan_parquet" in snippet.code:
            with duckdb.connect() as connection:
                duckdb.set_default_connection(connection)
                exec(snippet.code.replace("checkpoint/events", f"{hive}/events"), {})

            assert capsys.readouterr().out.rstrip() == (snippet.output or "").rstrip()


@pytest.mark.parametrize("snippet", of("console"), ids=range(len(of("console"))))
def test_the_commands_print_what_stands_below_them(snippet: Snippet, folder: Path) -> None:
    """Each its part."""
    parts = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", snippet.code, re.MULTILINE)

    assert parts
    for line, output in parts:
        assert without_margin(command(line, folder)) == without_margin(output)


def without_margin(text: str) -> list[str]:
    """Leave out blank lines, and blanks at the ends of lines."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("snippet", of("sql"), ids=range(len(of("sql"))))
def test_the_sql_for_athena_gives_what_stands_below_it(snippet: Snippet, folder: Path) -> None:
    """In DuckDB, which knows what it uses; Athena itself is not asked."""
    with duckdb.connect(config={"file_search_path": str(folder)}) as connection:
        connection.execute(LIKE_ATHENA)
        connection.execute(submissions_view("athena"))
        answer = connection.sql(snippet.code)
        table = [answer.columns, *answer.fetchall()]

    assert [[str(value) for value in row] for row in table] == [
        line.split() for line in (snippet.output or "").splitlines()
    ]


def test_every_query_is_listed() -> None:
    """As `query --list` does."""
    section = TEXT[TEXT.index("## The usual questions") : TEXT.index("## The monthly report")]
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", section, re.MULTILINE)

    assert rows == [(query.name, query.summary) for query in QUERIES.values()]


def test_what_is_named_as_the_identity_of_a_visit_is() -> None:
    """In words, where the page says how to ask for visits."""
    (named,) = re.findall(r"as participants make them, by (.*) as written", TEXT)

    assert "center, participant, date and visit number" == named
    assert ("pipeline_adcid", "ptid", "visit_date", "visit_number") == VISIT
