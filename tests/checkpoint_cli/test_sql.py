"""Asking a checkpoint in SQL: what comes back, in every form, and all that cannot be done with it."""

import csv
import io
import json
import os
import pty
import re
import shutil
import signal
import tempfile
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checkpoint_cli._duckdb.answers import SqlError
from checkpoint_cli._duckdb.process import ask
from checkpoint_storage.s3._clients import close_clients
from tests.checkpoint_cli import design_queries
from tests.checkpoint_storage.s3.serving import BUCKET, serving
from tests.end_to_end.commands import (
    CLEAN,
    Ended,
    call,
    execute,
    files_of,
    finish,
    put,
    start,
    take,
)
from tests.end_to_end.test_terminal import on_terminal

SECRET = "not to be read"
VISIT: dict[str, Any] = {"ptid": "ABC123", "visit_date": "2024-01-15", "visit_number": "01"}
EVERY_TYPE = """
SELECT sum(1) AS hugeint, 1.50::DECIMAL(10, 2) AS decimal, 0.5::DOUBLE AS double, true AS boolean,
  NULL AS missing, '' AS empty, DATE '2026-09-30' AS date, TIME '10:20:30.5' AS time,
  TIMESTAMPTZ '2026-09-30 12:00:00.25+02' AS moment, TIMESTAMP '2026-09-30 12:00:00' AS local,
  INTERVAL '1 month 2 days' AS interval, 'a'::ENUM('a', 'b') AS enum, 'ab'::BLOB AS blob,
  UUID '00000000-0000-0000-0000-000000000001' AS uuid, [1, NULL] AS list,
  {'a': [TIMESTAMPTZ '2026-09-30 12:00:00Z'], 'b': 'x'} AS struct, MAP {'k': 1} AS map,
  '{"a": 1}'::JSON AS json, [1, 2]::INTEGER[2] AS array, 12345678901234567890::BIGNUM AS bignum,
  count(*), count(*), 1 AS a, 2 AS "A"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of one visit in three steps and another one."""
    folder = tmp_path_factory.mktemp("sql")
    source, out = folder / "events", folder / "out"
    put(source, 0, **VISIT, module=None, packet=None, timestamp="2024-01-15T10:00:00Z")
    take(source, out / "events.parquet")
    put(source, 0, **VISIT, module="UDS", timestamp="2024-01-15T10:00:00Z")
    put(source, 1, **VISIT, named="pass-qc", action="pass-qc", timestamp="2024-01-15T10:30:00Z")
    put(source, 2, named="not-pass-qc", action="not-pass-qc", center_label="center-7")
    take(source, out / "events.parquet")
    return out


@pytest.fixture
def checkpoint(made: Path, tmp_path: Path) -> Path:
    """A copy of it, beside a file with a secret."""
    shutil.copytree(made, tmp_path / "out")
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    return tmp_path / "out" / "events.parquet"


def asked(checkpoint: Path | str, sql: str, *options: object) -> list[dict[str, Any]]:
    """Return the rows that a query gives as JSON."""
    ended = call("sql", checkpoint, sql, "--json", *options)

    assert (0, "") == (ended.status, ended.stderr)
    rows: list[dict[str, Any]] = json.loads(ended.stdout)
    return rows


def test_the_four_queries_of_the_design_run_as_they_stand(checkpoint: Path) -> None:
    """And answer what they say they answer."""
    latest = asked(checkpoint, design_queries.LATEST_EVENT)
    timeline = asked(checkpoint, design_queries.TIMELINE)
    completeness = asked(checkpoint, design_queries.COMPLETENESS)
    errors = asked(checkpoint, design_queries.ERRORS_BY_CENTER)

    assert [("ABC123", "pass-qc"), ("SYN00002", "not-pass-qc")] == sorted(
        (row["ptid"], row["action"]) for row in latest
    )
    assert ["submit", "submit", "pass-qc"] == [row["action"] for row in timeline]
    assert {None, "UDS"} == {row["module"] for row in timeline[:2]}
    assert [{**VISIT, "event_count": 3, "module_versions": 1, "packet_versions": 1}] == completeness
    assert [{"center_label": "center-7", "error_count": 1}] == errors


def test_a_statement_is_taken_as_it_is_pasted(checkpoint: Path, tmp_path: Path) -> None:
    """With the comment that it begins with: as an argument, in a file, and on stdin."""
    file = tmp_path / "pasted.sql"
    for sql in (
        design_queries.LATEST_EVENT,
        design_queries.TIMELINE,
        design_queries.COMPLETENESS,
        design_queries.ERRORS_BY_CENTER,
        "--how many?\nSELECT count(*) AS n -- of all\nFROM checkpoint_events -- there\n;\n-- the end",
        "/* two */\n-- comments\n\nSELECT 1 AS n;\n;",
    ):
        pasted = sql.strip()
        file.write_text(f"{pasted}\n", encoding="utf-8")

        answer = asked(checkpoint, pasted)

        assert answer
        assert answer == asked(checkpoint, f"--file={file}")
    assert '[\n{"n":1}\n]\n' == on_stdin(checkpoint, file).stdout
    assert '[\n{"n":1}\n]\n' == on_stdin(checkpoint, file, "-").stdout


def on_stdin(checkpoint: Path, file: Path, *arguments: str) -> Ended:
    """Return how a command ended that got a file on its stdin."""
    with file.open("rb") as opened:
        return execute("sql", checkpoint, *arguments, "--json", stdin=opened)


def test_what_is_no_query_is_told_how_to_give_one(checkpoint: Path, tmp_path: Path) -> None:
    """A file in its place, two queries in two places, a file that is not there, a terminal."""
    file = tmp_path / "my question.sql"
    file.write_text("SELECT 1", encoding="utf-8")
    said = {
        "--file '": call("sql", checkpoint, file),
        "--file elsewhere.sql": call("sql", checkpoint, "elsewhere.sql"),
        "choose one": call("sql", checkpoint, "SELECT 1", "--file", file),
        "No such file": call("sql", checkpoint, "--file", tmp_path / "none.sql"),
        "give one query, not 0": call("sql", checkpoint),
    }

    assert [] == [text for text, ended in said.items() if text not in ended.stderr]
    assert {(2, "")} == {(ended.status, ended.stdout) for ended in said.values()}
    keyboard, terminal = pty.openpty()
    waiting = execute("sql", checkpoint, stdin=terminal)
    os.close(terminal)
    os.close(keyboard)
    assert 2 == waiting.status
    assert "give a query: here, by --file FILE, or on stdin" in waiting.stderr


def test_submissions_are_a_view_beside_the_events(checkpoint: Path) -> None:
    """The same as the question's, here of format 1.0."""
    status = asked(
        checkpoint, "SELECT ptid, status, submits FROM checkpoint_submissions ORDER BY 1"
    )
    told = json.loads(call("query", checkpoint, "submissions", "--json").stdout)
    names = ", ".join(told[0])
    whole = asked(checkpoint, f"SELECT {names} FROM checkpoint_submissions ORDER BY ptid")

    assert [("ABC123", "pass-qc", 1), ("SYN00002", "not-pass-qc", 0)] == [
        tuple(row.values()) for row in status
    ]
    assert sorted(told, key=lambda row: row["ptid"]) == whole


def test_the_test_site_is_in_the_view_only_where_it_is_asked_for(tmp_path: Path) -> None:
    """Its events are there in any case."""
    put(tmp_path / "events", 1, pipeline_adcid=0)
    put(tmp_path / "events", 2)
    file = tmp_path / "out" / "events.parquet"
    take(tmp_path / "events", file, "--event-format", "1.1")
    count = "SELECT count(*) AS n FROM checkpoint_{}"

    assert [{"n": 2}] == asked(file, count.format("events"))
    assert [{"n": 1}] == asked(file, count.format("submissions"))
    assert [{"n": 2}] == asked(file, count.format("submissions"), "--include-test-center")


def test_every_type_comes_back_exactly_as_json(checkpoint: Path) -> None:
    """Times in UTC with Z, no digit lost; what JSON does not know is DuckDB's text for it."""
    ended = call("sql", checkpoint, EVERY_TYPE, "--json")

    (row,) = json.loads(ended.stdout, parse_float=Decimal)
    assert {
        "hugeint": 1,
        "decimal": Decimal("1.50"),
        "double": Decimal("0.5"),
        "boolean": True,
        "missing": None,
        "empty": "",
        "date": "2026-09-30",
        "time": "10:20:30.500000",
        "moment": "2026-09-30T10:00:00.250000Z",
        "local": "2026-09-30T12:00:00.000000",
        "interval": "1 month 2 days",
        "enum": "a",
        "blob": "6162",
        "uuid": "00000000-0000-0000-0000-000000000001",
        "list": [1, None],
        "struct": {"a": ["2026-09-30T12:00:00.000000Z"], "b": "x"},
        "map": "{k=1}",
        "json": '{"a": 1}',
        "array": [1, 2],
        "bignum": "12345678901234567890",
        "count_star()": 1,
        "count_star()_1": 1,
        "a": 1,
        "A_1": 2,
    } == row


def test_every_type_comes_back_as_csv_with_the_same_values(checkpoint: Path) -> None:
    """What is nested is JSON; a missing value is nothing, an empty text is quotes."""
    document = asked(checkpoint, EVERY_TYPE)[0]
    text = call("sql", checkpoint, EVERY_TYPE, "--csv").stdout

    (row,) = csv.DictReader(io.StringIO(text))
    assert {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in document.items()
        if name not in {"missing", "decimal"}
    } == {name: value for name, value in row.items() if name not in {"missing", "decimal"}}
    assert ("", "1.50") == (row["missing"], row["decimal"])
    assert ',true,,"",2026-09-30,' in text


def test_every_type_comes_back_as_parquet(checkpoint: Path, tmp_path: Path) -> None:
    """Times stay times, numbers numbers, lists lists."""
    ended = call("sql", checkpoint, EVERY_TYPE, "--parquet", tmp_path / "answer.parquet")

    assert f"Wrote 1 rows to {tmp_path / 'answer.parquet'}.\n" == ended.stdout
    schema = pl.read_parquet_schema(tmp_path / "answer.parquet")
    assert pl.Datetime("us", "UTC") == schema["moment"]
    assert (pl.Date(), pl.Decimal(38, 0)) == (schema["date"], schema["hugeint"])
    assert pl.List(pl.Int32) == schema["list"]


def test_every_type_can_be_shown(checkpoint: Path) -> None:
    """As a table of any width, where stdout is no terminal."""
    said = call("sql", checkpoint, EVERY_TYPE).stdout.splitlines()

    assert ["hugeint", "decimal", "double", "boolean", "missing", "empty"] == said[1].split()[:6]
    assert ["1", "1.50", "0.5", "true", "NULL", '""', "2026-09-30"] == said[3].split()[:7]
    assert "2026-09-30T10:00:00.250000Z" in said[3]
    assert "1 row" == said[-1]


def test_what_a_spreadsheet_would_compute_is_warned_of_and_can_be_defused(
    checkpoint: Path,
) -> None:
    """Once, on stderr; in text and in names, but not in numbers, which are written as they are."""
    sql = """SELECT '=1+1' AS a, '@x' AS "-b", '+1' AS c, '-1' AS d, chr(9) AS e, 'x=1' AS f, -1 AS g,
        0.1::DOUBLE + 0.2::DOUBLE AS h, NULL::VARCHAR AS i, ['=1'] AS j FROM range(2)"""

    plain = call("sql", checkpoint, sql, "--csv")
    safe = call("sql", checkpoint, sql, "--csv-safe")
    usual = call("sql", checkpoint, "FROM checkpoint_events", "--csv")

    assert (0, 0, 1) == (plain.status, safe.status, plain.stderr.count("\n"))
    assert plain.stderr.startswith("warning: 11 texts begin as formulas do (=, +, -, @), which")
    assert (safe.stderr, usual.stderr) == ("", "")
    rows = list(csv.reader(io.StringIO(plain.stdout)))
    assert ["=1+1", "@x", "+1", "-1", "\t", "x=1", "-1", "0.3", "", '["=1"]'] == rows[1] == rows[2]
    rows = list(csv.reader(io.StringIO(safe.stdout)))
    assert ["a", "'-b", "c"] == rows[0][:3]
    assert ["'=1+1", "'@x", "'+1", "'-1", "'\t", "x=1", "-1", "0.3", "", '["=1"]'] == rows[1]
    assert 2 == call("sql", checkpoint, sql, "--csv-safe", "--json").status


@pytest.mark.parametrize(
    "moment",
    [
        "DATE 'infinity'",
        "TIMESTAMPTZ '-infinity'",
        "'infinity'::TIMESTAMP_S",
        "DATE '10000-01-01'",
        "TIME '24:00:00'",
        "[[DATE '2026-09-30', NULL], NULL, [DATE '0001-01-01 (BC)']]",
        "[TIMESTAMPTZ 'infinity']::TIMESTAMPTZ[1]",
        "{'a \"b\"': [{'c': TIMESTAMP 'infinity', 'd': NULL::DATE}]}",
    ],
)
def test_a_time_that_no_other_program_has_is_an_error_of_the_query(
    checkpoint: Path, moment: str
) -> None:
    """Which says what to do."""
    ended = call("sql", checkpoint, f"SELECT {moment}")

    assert (1, "") == (ended.status, ended.stdout)
    assert "outside of the years 1 to 9999; cast it to VARCHAR" in ended.stderr
    assert 1 == ended.stderr.count("\n")
    assert 0 == call("sql", checkpoint, f"SELECT ({moment})::VARCHAR").status


def test_times_within_others_come_back_where_some_are_missing(checkpoint: Path) -> None:
    """Each as it is: a missing one is none that no other program has."""
    sql = """SELECT [[DATE '2026-09-30', NULL], NULL, []] AS element, NULL::TIME AS time,
        [{'a "b"': TIMESTAMP '2026-09-30 12:00:00'}, NULL, {'a "b"': NULL}] AS struct"""

    assert [
        {
            "element": [["2026-09-30", None], None, []],
            "time": None,
            "struct": [{'a "b"': "2026-09-30T12:00:00.000000"}, None, {'a "b"': None}],
        }
    ] == asked(checkpoint, sql)


def test_a_struct_without_fields_is_text_in_every_form(checkpoint: Path, tmp_path: Path) -> None:
    """Parquet has no such thing."""
    file = tmp_path / "answer.parquet"

    assert [{"x": "{}", "y": "[{}]"}] == asked(checkpoint, "SELECT {} AS x, [{}] AS y")
    assert 0 == call("sql", checkpoint, "SELECT {} AS x, [{}] AS y", "--parquet", file).status
    assert [("{}", "[{}]")] == pl.read_parquet(file).rows()


def test_times_are_utc_wherever_the_machine_is(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Months begin at midnight UTC."""
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    sql = "SELECT DISTINCT date_trunc('day', timestamp) AS day FROM checkpoint_events ORDER BY 1"

    assert ["2024-01-15T00:00:00.000000Z", "2026-09-02T00:00:00.000000Z"] == [
        row["day"] for row in asked(checkpoint, sql)
    ]


@pytest.mark.parametrize(
    "sql, rows",
    [
        ("FROM checkpoint_events", 4),
        ("VALUES (1), (2)", 2),
        ("SELECT 1; -- the end", 1),
        ("/* first */ SELECT ';' ;", 1),
        ("DESCRIBE checkpoint_events", 13),
        ("SUMMARIZE checkpoint_events", 13),
        ("SELECT 1 WHERE false", 0),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) FROM n", 3),
        ("PIVOT checkpoint_events ON action IN ('submit') USING count(*) GROUP BY ptid", 2),
        ("FROM (PIVOT checkpoint_events ON action IN ('submit') USING count(*) GROUP BY ptid)", 2),
    ],
)
def test_whatever_only_asks_can_be_asked(checkpoint: Path, sql: str, rows: int) -> None:
    """Not only what begins with SELECT."""
    assert rows == len(asked(checkpoint, sql))


def test_a_pivot_without_its_values_is_told_to_name_them(checkpoint: Path) -> None:
    """DuckDB would make a type of them first, in a statement of its own."""
    ended = call("sql", checkpoint, "PIVOT checkpoint_events ON action USING count(*)")

    assert (2, "") == (ended.status, ended.stdout)
    assert "a PIVOT must name its values: ON action IN (" in " ".join(ended.stderr.split())


REFUSED = [
    "",
    "-- nothing",
    "SELECT 1; SELECT 2",
    "SELECT ?",
    "SELECT $name",
    "COPY checkpoint_events TO '{folder}/written.csv'",
    "EXPLAIN ANALYZE COPY checkpoint_events TO '{folder}/written.csv'",
    "EXPORT DATABASE '{folder}/written'",
    "ATTACH '{folder}/written.db'",
    "INSTALL httpfs",
    "SET threads = 1",
    "PRAGMA version",
    "CALL pragma_version()",
    "CREATE TABLE made AS SELECT 1",
    "CREATE MACRO f() AS TABLE FROM read_text('{folder}/secret.txt')",
    "DROP VIEW checkpoint_events",
    "INSERT INTO checkpoint_events SELECT * FROM checkpoint_events",
    "PREPARE p AS SELECT 1",
    "BEGIN",
]
"""Statements that do something else than asking, of several kinds: wrong usage."""

_NESTED = "FROM json_execute_serialized_sql(json_serialize_sql('{}'))"
"""DuckDB executes this text on its own, where it is not asked whether it only asks."""

FAILING = [
    "WITH a AS (COPY (SELECT 1) TO '{checkpoint}' (USE_TMP_FILE false)) SELECT 1",
    "WITH a AS (COPY (SELECT 1) TO '{folder}/written.csv') FROM a",
    "WITH a AS (INSERT INTO checkpoint_events(action) VALUES ('x') RETURNING *) FROM a",
    _NESTED.format("WITH a AS (COPY (SELECT 1) TO ''{folder}/written.csv'') SELECT 1"),
    _NESTED.format("WITH a AS (COPY (SELECT 1) TO ''{checkpoint}'' (USE_TMP_FILE false)) SELECT 1"),
    _NESTED.format("FROM read_text(''{folder}/secret.txt'')"),
    "FROM query('COPY (SELECT 1) TO ''{folder}/written.csv''')",
    "FROM query('FROM read_text(''{folder}/secret.txt'')')",
    "FROM '{folder}/secret.txt'",
    "FROM '{checkpoint}'",
    "FROM read_text('{folder}/secret.txt')",
    "FROM read_blob('{folder}/*')",
    "FROM read_csv('{folder}/secret.txt')",
    "FROM sniff_csv('/etc/passwd')",
    "FROM read_duckdb('{folder}/written.db')",
    "FROM read_parquet('{checkpoint}')",
    "FROM parquet_metadata('{checkpoint}')",
    "FROM read_parquet('s3://bucket/events.parquet')",
    "FROM read_parquet('https://example.org/events.parquet')",
    "FROM read_text('/proc/self/environ')",
    "FROM read_text('/dev/stdin')",
    "FROM glob('{folder}/*')",
    "FROM sql",
    "SELECT getenv('HOME')",
    "FROM enable_logging(storage = 'file', storage_config = {{'path': '{folder}/written'}})",
    "FROM enable_profiling(save_location = '{folder}/written')",
    "FROM pandas_scan(0)",
]
"""Queries that reach for something else, each in its own way."""


@pytest.mark.on_one_python
@pytest.mark.parametrize(
    "sql, status", [*((sql, 2) for sql in REFUSED), *((sql, 1) for sql in FAILING)]
)
def test_no_statement_writes_anything_or_reads_anything_else(
    checkpoint: Path, tmp_path: Path, sql: str, status: int
) -> None:
    """It ends with an error, and every file is as it was."""
    before = files_of(tmp_path)

    ended = call("sql", checkpoint, sql.format(folder=tmp_path, checkpoint=checkpoint), "--csv")

    assert (status, "") == (ended.status, ended.stdout)
    assert SECRET not in ended.stderr
    assert before == files_of(tmp_path)


def test_a_write_to_the_file_that_is_read_does_not_reach_the_checkpoint(
    checkpoint: Path, tmp_path: Path
) -> None:
    """DuckDB lets nested statements write to what it may read, so it has a file of its own."""
    file = tmp_path / "mine" / "checkpoint.parquet"
    file.parent.mkdir()
    file.hardlink_to(checkpoint)
    own = file.with_name("own-checkpoint.parquet")
    write = "WITH a AS (COPY (SELECT 1 AS n) TO ''{}'' (USE_TMP_FILE false)) SELECT 1"
    before = checkpoint.read_bytes()

    with pytest.raises(SqlError, match="Permission Error"):
        ask(_NESTED.format(write.format(file)), file, limit=1)
    # Whether this is refused depends on who runs the test.
    with suppress(SqlError):
        ask(_NESTED.format(write.format(own)), file, limit=1)

    assert own.exists()
    assert before == checkpoint.read_bytes()


def test_a_write_to_the_folder_for_spilling_is_gone_with_it(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the only folder that DuckDB has, and the one that it takes for home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    before = files_of(tmp_path)
    write = _NESTED.format("WITH a AS (COPY (SELECT 1) TO ''~/written.csv'') SELECT 1")

    call("sql", checkpoint, write)

    assert before == files_of(tmp_path)


def test_settings_and_the_catalog_show_nothing_of_the_machine(checkpoint: Path) -> None:
    """No secrets, no extension but DuckDB's own, no home."""
    assert [] == asked(checkpoint, "FROM duckdb_secrets()")
    assert ["(BUILT-IN)"] == [
        row["install_path"]
        for row in asked(
            checkpoint,
            "SELECT DISTINCT install_path FROM duckdb_extensions() WHERE loaded OR installed",
        )
    ]
    home = asked(checkpoint, "SELECT current_setting('home_directory') AS home")[0]["home"]
    assert Path.home() != Path(home)
    assert [] == asked(checkpoint, "FROM read_text('~/.bashrc')")


def test_an_error_is_duckdbs_with_the_place_in_the_statement(checkpoint: Path) -> None:
    """On its own lines, counted from the first that the user wrote; no traceback."""
    unknown = call("sql", checkpoint, "SELECT action,\n  centre_label\nFROM checkpoint_events")
    misspelt = call("sql", checkpoint, "SELEC 1")
    no_table = call("sql", checkpoint, "FROM events")
    indented = call("sql", checkpoint, "SELECT\n\t\tnothing")
    failed = call("sql", checkpoint, "SELECT action::INTEGER FROM checkpoint_events", "--debug")

    assert (1, 1, 1) == (unknown.status, misspelt.status, failed.status)
    assert unknown.stderr.startswith('Binder Error: Referenced column "centre_label" not found')
    assert unknown.stderr.endswith("\nLINE 2:   centre_label\n          ^^^^^^^^^^^^\n")
    assert "\nLINE 2:   nothing\n" in indented.stderr
    assert misspelt.stderr.startswith("Parser Error: syntax error")
    assert "LINE 1: SELEC 1\n" in misspelt.stderr
    assert no_table.stderr.endswith("\n\nThere are checkpoint_events and checkpoint_submissions.\n")
    assert failed.stderr.startswith("Conversion Error: Could not convert string")
    assert "LINE" not in failed.stderr
    assert "Traceback" not in unknown.stderr + misspelt.stderr + failed.stderr


def test_an_error_is_a_document_for_programs(checkpoint: Path) -> None:
    """With the same text, and a status that is not 0."""
    ended = call("sql", checkpoint, "SELECT nothing FROM checkpoint_events", "--json")

    assert 1 == ended.status
    document = json.loads(ended.stdout)
    assert "SqlError" == document["error"]
    assert document["message"].startswith("Binder Error")


def test_a_statement_cannot_control_the_terminal(checkpoint: Path) -> None:
    """Nor can a value: both are shown as what they are."""
    error = call("sql", checkpoint, "SELECT '\x1b[31m'::INTEGER")
    shown = call("sql", checkpoint, "SELECT chr(27) || '[31m' || chr(10) AS \"\x1b[31m\"")

    assert "\x1b" not in error.stderr + shown.stdout
    assert 2 == shown.stdout.count("\\x1b[31m")


def test_a_statement_can_come_from_stdin_and_bytes_that_are_no_text_are_replaced(
    checkpoint: Path,
) -> None:
    """Where it is given as a dash; in an argument such bytes are replaced too."""
    statement = b"SELECT '\xff' AS a,\n  count(*) AS n FROM checkpoint_events\n"
    given = call("sql", checkpoint, os.fsdecode(statement), "--csv")
    process = start("sql", checkpoint, "-", "--csv", stdin=-1)
    piped = process.communicate(statement, 60)

    assert (0, "a,n\n\N{REPLACEMENT CHARACTER},4\n", "") == given
    assert (given.stdout.encode(), b"") == piped


def test_a_limit_is_told_and_holds_in_every_form(checkpoint: Path, tmp_path: Path) -> None:
    """People are told how many there are."""
    sql = "SELECT range AS n FROM range(60) ORDER BY n DESC"

    assert (
        "10 more; see --limit, --json, --csv and --parquet" in call("sql", checkpoint, sql).stdout
    )
    assert "58 more;" in call("sql", checkpoint, sql, "--limit", 2).stdout
    assert "60 rows\n" in call("sql", checkpoint, sql, "--limit", 60).stdout
    assert "60 more;" in call("sql", checkpoint, sql, "--limit", 0).stdout
    assert [{"n": 59}, {"n": 58}] == asked(checkpoint, sql, "--limit", 2)
    assert "n\n59\n" == call("sql", checkpoint, sql, "--csv", "--limit", 1).stdout
    assert [] == asked(checkpoint, sql, "--limit", 0)
    call("sql", checkpoint, sql, "--limit", 3, "--parquet", tmp_path / "a.parquet")
    assert [59, 58, 57] == pl.read_parquet(tmp_path / "a.parquet")["n"].to_list()


def test_long_answers_are_complete_and_in_order(checkpoint: Path) -> None:
    """Also when they are written in parts."""
    sql = "SELECT range AS n FROM range(25000)"

    assert list(range(25_000)) == [row["n"] for row in asked(checkpoint, sql)]
    lines = call("sql", checkpoint, sql, "--csv").stdout.splitlines()
    assert ["n", *map(str, range(25_000))] == lines


NAME = "a [1]*?'\"\N{LATIN SMALL LETTER U WITH DIAERESIS} {b} %20"


def test_names_of_files_mean_themselves(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patterns, quotes and spaces in the checkpoint's name, and in that of the temporary folder."""
    odd = tmp_path / NAME / f"{NAME}.parquet"
    odd.parent.mkdir()
    odd.write_bytes(checkpoint.read_bytes())
    monkeypatch.setattr(tempfile, "tempdir", str(odd.parent))

    assert [{"n": 4}] == asked(odd, "SELECT count(*) AS n FROM checkpoint_events")
    assert [odd] == list(odd.parent.iterdir())


def test_a_checkpoint_in_s3_is_asked_alike(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is fetched first."""
    with serving(monkeypatch) as s3:
        s3.put_object(BUCKET, "out/events.parquet", checkpoint.read_bytes())
        sql = "SELECT * FROM checkpoint_events"

        assert asked(checkpoint, sql) == asked(f"s3://{BUCKET}/out/events.parquet", sql)
        missing = call("sql", f"s3://{BUCKET}/out/other.parquet", sql)
        nowhere = call("sql", "s3://no-such-bucket/events.parquet", sql)

    assert (1, 1) == (missing.status, nowhere.status)
    assert "there is no checkpoint" in missing.stderr
    assert 1 == nowhere.stderr.count("\n")
    close_clients()


@pytest.mark.parametrize("command", [("sql", "FROM checkpoint_events"), ("query", "events")])
def test_a_checkpoint_that_cannot_be_read_is_one_line(
    checkpoint: Path, command: tuple[str, str]
) -> None:
    """Missing, cut short, or damaged in the middle, where a digest or else reading finds out."""
    whole = checkpoint.read_bytes()
    name, what = command

    def said() -> str:
        ended = call(name, checkpoint, what)
        assert (1, "", 1) == (ended.status, ended.stdout, ended.stderr.count("\n"))
        return ended.stderr

    checkpoint.write_bytes(whole[:4] + bytes(byte ^ 0x5A for byte in whole[4:400]) + whole[400:])
    assert "is not as it was committed" in said()
    for digests in checkpoint.parent.glob("_ledger/*/*.json"):
        digests.unlink()
    assert "a part of it is damaged" in said()
    checkpoint.write_bytes(whole[:-9])
    assert "is not a whole Parquet file" in said()
    checkpoint.unlink()
    assert "there is no checkpoint" in said()


def test_an_answer_leaves_nothing_on_stderr_or_in_temporary_folders(
    checkpoint: Path, tmp_path: Path
) -> None:
    """Also when nobody reads it to its end."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**CLEAN, "TMPDIR": str(temporary)}
    ours, theirs = os.pipe()
    os.close(ours)

    whole = execute("sql", checkpoint, "FROM checkpoint_events", "--json", env=environment)
    cut = execute("sql", checkpoint, "FROM range(100000)", "--csv", env=environment, stdout=theirs)

    os.close(theirs)
    assert (0, "", 141, "") == (whole.status, whole.stderr, cut.status, cut.stderr)
    assert [] == list(temporary.iterdir())


def test_ctrl_c_ends_a_query_that_would_never_end(checkpoint: Path, tmp_path: Path) -> None:
    """With the status and the line that other commands have, and nothing left behind."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    endless = "SELECT sum(a.range * b.range) FROM range(1000000000) a, range(1000000000) b"
    process = start("sql", checkpoint, endless, env={**CLEAN, "TMPDIR": str(temporary)})
    while not list(temporary.glob("*/own-checkpoint.parquet")):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)

    ended = finish(process)

    assert (130, "") == (ended.status, ended.stdout)
    assert "Error: interrupted; the checkpoint is as it was before or complete\n" == ended.stderr
    assert [] == list(temporary.iterdir())


def test_wide_rows_are_records_on_a_terminal(checkpoint: Path) -> None:
    """No line is longer than 80 characters, and each field has its line."""
    status, screen, _ = on_terminal("sql", checkpoint, "FROM checkpoint_events", stdout=True)

    assert 0 == status
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen.replace("\r", "")).splitlines()
    assert max(map(len, lines)) <= 80
    assert 4 == sum(" of 4" in line for line in lines)
    assert 4 == sum("timestamp" in line for line in lines)
