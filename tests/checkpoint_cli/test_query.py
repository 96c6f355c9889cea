"""The usual questions from the command line: filters, parameters, forms, and what mistakes get."""

import csv
import io
import json
import re
from contextlib import redirect_stdout
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from rich.cells import cell_len
from rich.console import Console

from checkpoint_cli import _choices
from checkpoint_cli._app import load
from checkpoint_cli._printing.plain import plain
from checkpoint_cli._printing.rows import shown
from checkpoint_cli._printing.sheets import write_csv
from checkpoint_core import Counts, event_schema
from checkpoint_queries import IDENTITIES, PERIODS, QUERIES, Filters, ask
from checkpoint_queries.exports import ColumnOrder, Kind
from nacc_event_model import EventFormat, VisitEventV11
from tests.end_to_end.commands import call, files_of, put, take
from tests.end_to_end.test_terminal import on_terminal

OPTIONS = {flag for parameter in load("query").params for flag in parameter.opts}
AS_OF = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events of a month: some without what is optional, two of one participant or of two."""
    folder = tmp_path_factory.mktemp("queries")
    source = folder / "events"
    call("sample", source, "--count", 400, "--seed", 5, "--event-format", "1.1")
    put(source, 1, visit_number=None, module=None, packet=None, datatype="dicom")
    put(source, 2, gear_name="other-gear", study="leads", project_label="other", packet=None)
    # Which is it?
    for number, ptid in enumerate(("AB-1", "AB1"), start=3):
        put(source, number, ptid=ptid, visit_date="2026-09-02")
    take(source, folder / "out" / "events.parquet", "--event-format", "1.1")
    return folder / "out" / "events.parquet"


def option(name: str) -> str:
    """Return the flag for a filter or a parameter."""
    return f"--{name.replace('_', '-')}"


def asked(checkpoint: Path, *arguments: object) -> list[dict[str, Any]]:
    """Return the rows of an answer in JSON."""
    ended = call("query", checkpoint, *arguments, "--json")

    assert (0, "") == (ended.status, ended.stderr)
    rows: list[dict[str, Any]] = json.loads(ended.stdout)
    return rows


def answered(checkpoint: Path, name: str, filters: Filters, **parameters: Any) -> pl.DataFrame:
    """Return the library's answer."""
    (ledger,) = (checkpoint.parent / "_ledger" / "events").glob("*.parquet")
    file = ledger if QUERIES[name].reads_ledger else checkpoint
    return ask(name, pl.scan_parquet(file), filters, **parameters).collect()


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_gives_the_librarys_answer_in_every_form(
    checkpoint: Path, tmp_path: Path, name: str
) -> None:
    """All of its rows, in the same order: as JSON, as CSV, as a Parquet file and as a table."""
    needed = {p.name: AS_OF for p in QUERIES[name].parameters if p.default is UNSET}
    arguments = [text for each in needed for text in (option(each), AS_OF.isoformat())]
    answer = answered(checkpoint, name, Filters(), **needed)
    file = tmp_path / "answer.parquet"

    documents = asked(checkpoint, name, *arguments)
    table = call("query", checkpoint, name, *arguments, "--csv").stdout
    written = call("query", checkpoint, name, *arguments, "--parquet", file)
    said = call("query", checkpoint, name, *arguments).stdout

    assert answer.height
    assert list(plain(answer).iter_rows(named=True)) == documents
    rows = list(csv.reader(io.StringIO(table)))
    assert [answer.columns, answer.height] == [rows[0], len(rows) - 1]
    assert f"Wrote {answer.height:,} rows to {file}.\n" == written.stdout
    assert answer.equals(pl.read_parquet(file))
    assert answer.columns == said.splitlines()[1].split()
    left = answer.height - 50
    assert said.splitlines()[-1].startswith(f"{left:,} more;" if left > 0 else f"{answer.height:,}")


def test_there_is_an_option_for_every_filter_and_every_parameter() -> None:
    """By its name."""
    parameters = {p.name for query in QUERIES.values() for p in query.parameters}

    assert {option(name) for name in {*Filters.__struct_fields__, *parameters}} <= OPTIONS


def test_what_can_be_chosen_is_what_there_is() -> None:
    """In the order of the core, which the choices are repeated from because it loads polars."""
    columns = event_schema(EventFormat.V1_1)

    assert _choices.ACTIONS == get_args(get_type_hints(VisitEventV11)["action"])
    assert _choices.COLUMN_ORDERS == get_args(ColumnOrder)
    assert _choices.KINDS == get_args(Kind)
    assert _choices.IDENTITIES == tuple(IDENTITIES)
    assert _choices.FIELDS == (*columns, *PERIODS)
    assert set(_choices.OUTCOMES) <= set(Counts.__struct_fields__)


@pytest.mark.parametrize(
    "arguments, filters",
    [
        ("--study adrc --study leads", Filters(study=("adrc", "leads"))),
        ("--study leads", Filters(study=("leads",))),
        ("--pipeline-adcid 42 --pipeline-adcid 1", Filters(pipeline_adcid=(42, 1))),
        ("--center-label sample-center-42", Filters(center_label=("sample-center-42",))),
        ("--project-label other", Filters(project_label=("other",))),
        ("--gear-name other-gear", Filters(gear_name=("other-gear",))),
        ("--ptid SYN00002", Filters(ptid=("SYN00002",))),
        ("--visit-number 1", Filters(visit_number=("1",))),
        ("--visit-number=", Filters(visit_number=(None,))),
        ("--datatype dicom", Filters(datatype=("dicom",))),
        ("--module UDS", Filters(module=("UDS",))),
        ("--module= --module LBD", Filters(module=(None, "LBD"))),
        ("--modality MR --modality=", Filters(modality=("MR", None))),
        ("--packet= --packet I", Filters(packet=(None, "I"))),
        ("--action pass-qc --action delete", Filters(action=("pass-qc", "delete"))),
        ("--not-action pass-qc --not-action delete", Filters(not_action=("pass-qc", "delete"))),
        ("--visit-date-from 2026-08-01", Filters(visit_date_from=date(2026, 8, 1))),
        ("--visit-date-to 2026-08-01", Filters(visit_date_to=date(2026, 8, 1))),
        (
            "--timestamp-from 2026-09-10T12:00:00+02:00",
            Filters(timestamp_from=datetime(2026, 9, 10, 10, tzinfo=UTC)),
        ),
        ("--timestamp-to 2026-09-10", Filters(timestamp_to=datetime(2026, 9, 10, tzinfo=UTC))),
        (
            "--action submit --module UDS --visit-date-from 2026-07-01",
            Filters(action=("submit",), module=("UDS",), visit_date_from=date(2026, 7, 1)),
        ),
    ],
)
def test_each_filter_is_passed_on(checkpoint: Path, arguments: str, filters: Filters) -> None:
    """Several values of one, several filters, and the empty text for a missing value."""
    everything = answered(checkpoint, "events", Filters())
    answer = answered(checkpoint, "events", filters)

    assert 0 < answer.height < everything.height
    assert list(plain(answer).iter_rows(named=True)) == asked(
        checkpoint, "events", *arguments.split()
    )


def test_fields_to_group_by_are_given_one_by_one_or_together(checkpoint: Path) -> None:
    """The empty text stands for none: all in one row."""
    together = asked(checkpoint, "counts", "--by", "study,month")

    assert ["study", "month", "events"] == list(together[0])
    assert together == asked(checkpoint, "counts", "--by", "study", "--by", "month")
    assert [{"events": answered(checkpoint, "events", Filters()).height}] == asked(
        checkpoint, "counts", "--by", "", "--limit", 10**9
    )


def test_parameters_are_passed_on(checkpoint: Path) -> None:
    """Where a moment is asked for and none is given, it is now."""
    most = asked(checkpoint, "completeness", "--min-events", 1)
    then = asked(checkpoint, "waiting", "--as-of", "2026-09-20")
    now = asked(checkpoint, "waiting")

    assert answered(checkpoint, "completeness", Filters(), min_events=1).height == len(most)
    assert len(most) > len(asked(checkpoint, "completeness"))
    assert 0 < len(then) < len(now)
    assert max(row["days_waiting"] for row in then) < max(row["days_waiting"] for row in now)


def test_queries_are_listed_and_explained(tmp_path: Path) -> None:
    """Without a checkpoint; each with what it answers and what it takes."""
    listed = call("query", "--list")
    assert 0 == listed.status
    for query in QUERIES.values():
        assert re.search(rf"(?m)^ {query.name} +{re.escape(query.summary)}$", listed.stdout)

        explained = call("query", "--explain", query.name)

        said = " ".join(explained.stdout.split())
        assert 0 == explained.status
        assert f"{query.name}: {query.summary} {query.definition}" in said
        for parameter in query.parameters:
            assert f"{option(parameter.name)}: {parameter.help} [default: " in said
        assert max(map(len, explained.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments, said",
    [
        ("latst", "there is no query latst; did you mean latest"),
        ("Errors-By-Centre", "did you mean errors-by-center?"),
        ("zzz", "there is no query zzz. There are events, submissions, latest,"),
        ("--explain passrates", "did you mean pass-rates?"),
        ("counts --by actoin", "there is no field actoin; did you mean action?"),
        ("counts --by action,zzz", "there is no field zzz. There are action, study,"),
        ("events --by action", "events takes filters only"),
        ("latest --by action", "latest takes --identity"),
        ("latest --identity form", "there is no identity form. There are submission, visit"),
        ("waiting --min-events 2", "waiting takes --as-of and --identity"),
        ("lateness --module UDS", "module"),
        (
            "events --action pas-qc",
            "there is no action pas-qc; did you mean pass-qc or not-pass-qc",
        ),
        ("events --pipeline-adcid x", "--pipeline-adcid"),
        ("events --pipeline-adcid -1", "--pipeline-adcid"),
        ("events --visit-date-from 2026-9-1", "must be a date, such as 2026-09-30"),
        ("events --visit-date-to 20260901", "must be a date, such as 2026-09-30"),
        ("events --visit-date-to 2026-02-30", "must be a date, such as 2026-09-30"),
        ("events --timestamp-from noon", "must be an ISO 8601 time"),
        ("events --limit -1", "--limit"),
        ("events --limit 5000000000", "--limit"),
        ("events --json --csv", "choose one"),
        ("events --csv --parquet a.parquet", "choose one"),
        ("events --parquet s3://bucket/a.parquet", "give a local file"),
        ("completeness --min-events 0", "--min-events"),
        ("events --centre-label x", "No such option: --centre-label"),
    ],
)
def test_wrong_usage_is_exit_status_2(checkpoint: Path, arguments: str, said: str) -> None:
    """With the nearest name that there is, and nothing on stdout."""
    ended = call("query", checkpoint, *arguments.split())

    assert (2, "") == (ended.status, ended.stdout)
    assert said in " ".join(ended.stderr.split())


@pytest.mark.parametrize(
    "arguments, said",
    [
        ("events --study leds", "there is no study leds; did you mean leads? There are adrc, "),
        ("latest --center-label smple-center-07", "; did you mean sample-center-07"),
        ("events --pipeline-adcid 99", "there is no center 99; did you mean 9? There are 1, 2, 3"),
        ("counts --datatype forms", "there is no datatype forms; did you mean form?"),
        ("events --ptid SYN0 --module X", "no event has what --ptid asks for"),
        ("events --ptid SYN0 --module X", "no event has what --module asks for"),
        (
            "events --visit-date-from 2026-09-02 --visit-date-to 2026-09-01",
            "no day is from 2026-09-02 to 2026-09-01: --visit-date-from is after",
        ),
        ("latest --timestamp-from 2026-09-02 --timestamp-to 2026-09-02", "no time is in the range"),
        ("events --timestamp-from 2031-01-01", "the last event is of 2026-"),
        ("latest --timestamp-to 2001-01-01", "the first event is of 2026-"),
        ("waiting --as-of 2001-01-01", "which is not before --as-of"),
        ("lateness --pipeline-adcid 99", "there is no center 99"),
    ],
)
def test_an_empty_answer_says_why(checkpoint: Path, arguments: str, said: str) -> None:
    """On stderr, in every form; participants are never named."""
    for form in ([], ["--json"], ["--csv"]):
        ended = call("query", checkpoint, *arguments.split(), *form)

        assert 0 == ended.status
        assert "note: " not in ended.stdout
        assert said in ended.stderr
        assert "SYN" not in ended.stderr


def test_what_is_empty_for_no_single_reason_is_not_explained(checkpoint: Path) -> None:
    """Nor is an answer that is not empty, although a value of its filter is in no event."""
    for arguments in (
        "latest --action submit --not-action submit",
        "events --study leds --study leads",
    ):
        assert not call("query", checkpoint, *arguments.split()).stderr


def test_an_answer_of_the_test_site_alone_says_how_to_get_it(tmp_path: Path) -> None:
    """It is left out of questions, and where there are no events at all, that is said."""
    put(tmp_path / "events", 1, pipeline_adcid=0)
    put(tmp_path / "none", 1, data=b"{}")
    for source in ("events", "none"):
        take(tmp_path / source, tmp_path / f"{source}.parquet", "--event-format", "1.1")

    alone = call("query", tmp_path / "events.parquet", "latest").stderr
    named = call("query", tmp_path / "events.parquet", "latest", "--study", "leads").stderr

    assert "note: all events are of center 0, the test site; see --include-test-center\n" == alone
    assert "there is no study leads. There are adrc" in named


def test_a_file_that_is_there_is_never_written_over(checkpoint: Path, tmp_path: Path) -> None:
    """Not the checkpoint, not another one; and where writing fails, nothing is left."""
    other = tmp_path / "other.txt"
    other.write_text("mine", encoding="utf-8")
    before = files_of(checkpoint.parent)

    for path in (other, checkpoint):
        ended = call("query", checkpoint, "latest", "--parquet", path)
        assert (2, "") == (ended.status, ended.stdout)
        assert "is there already" in " ".join(ended.stderr.split())
    nowhere = call("query", checkpoint, "latest", "--parquet", tmp_path / "nowhere" / "a.parquet")
    full = call("query", checkpoint, "latest", "--parquet", "/dev/full")

    assert (1, 2) == (nowhere.status, full.status)
    assert 1 == nowhere.stderr.count("\n")
    assert "a.parquet: cannot be written (No such file or directory)" in nowhere.stderr
    assert "mine" == other.read_text(encoding="utf-8")
    assert [other] == list(tmp_path.iterdir())
    assert before == files_of(checkpoint.parent)


def test_without_its_ledger_only_what_reads_it_cannot_be_answered(
    checkpoint: Path, tmp_path: Path
) -> None:
    """As with a copy of the checkpoint alone."""
    copy = tmp_path / "copy.parquet"
    copy.write_bytes(checkpoint.read_bytes())

    lateness = call("query", copy, "lateness")

    assert (1, "", 1) == (lateness.status, lateness.stdout, lateness.stderr.count("\n"))
    assert "its ledger is not beside it" in lateness.stderr
    assert asked(checkpoint, "latest") == asked(copy, "latest")


def test_answers_fit_a_terminal_of_80_columns(checkpoint: Path) -> None:
    """As a table where it can be, with long names on two lines, otherwise as records."""
    for name, is_table in (("errors-by-center", True), ("waiting", False), ("latest", False)):
        status, screen, _ = on_terminal("query", checkpoint, name, stdout=True)

        plain_text = re.sub(r"\x1b\[[0-9;]*m", "", screen.replace("\r", ""))
        assert 0 == status
        assert max(map(len, plain_text.splitlines())) <= 80
        assert is_table == ("───" in plain_text)
        assert is_table != ("── 1 of " in plain_text)


@given(
    texts=st.lists(st.text(max_size=30) | st.none(), max_size=5),
    width=st.integers(20, 80),
)
def test_no_value_can_control_a_terminal_or_pass_for_a_missing_one(
    texts: list[str | None], width: int
) -> None:
    """Whatever it is; and no line is longer than the terminal is wide."""
    rows = pl.DataFrame(
        {"text": texts, "other": texts, "list": [[text] for text in texts]},
        schema={"text": pl.String, "other": pl.String, "list": pl.List(pl.String)},
    )
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)

    with console.capture() as captured:
        for part in shown(rows, total=rows.height, width=width):
            console.print(part)

    said = captured.get()
    assert all(character.isprintable() or character == "\n" for character in said)
    assert max(map(cell_len, said.splitlines())) <= width
    nulls = sum(text is None for text in texts)
    if "NULL" not in "".join(filter(None, texts)).replace(" ", ""):
        assert 2 * nulls == len(re.findall(r"(?<![\w\"])NULL(?!\w)", said))


@pytest.mark.parametrize(
    "value, said",
    [
        (None, "NULL"),
        ("NULL", '"NULL"'),
        ("", '""'),
        (" x", '" x"'),
        ('"x"', '""x""'),
        ("x\ny", "x\\ny"),
        (True, "true"),
        (2026, "2026"),
        (12_345, "12,345"),
        (-12_345, "-12,345"),
        (0.0, "0"),
        (1 / 3, "0.3333"),
        (12.3456, "12.35"),
        (12_345.6, "12,345.6"),
        (0.000_012, "1.2e-05"),
        (-1e300, "-1e+300"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (date(2026, 9, 1), "2026-09-01"),
        (datetime(2026, 9, 1, 10, tzinfo=UTC), "2026-09-01T10:00:00Z"),
        (datetime(2026, 9, 1, 10, microsecond=5, tzinfo=UTC), "2026-09-01T10:00:00.000005Z"),
        (["module", None], '["module",null]'),
        (b"\x00\xff", "00ff"),
    ],
)
def test_values_are_shown_as_people_read_them(value: object, said: str) -> None:
    """Numbers grouped from ten thousand on, times in UTC, what is missing unlike any text."""
    console = Console(file=io.StringIO(), width=80)

    with console.capture() as captured:
        for part in shown(pl.DataFrame({"value": [value]}), total=1):
            console.print(part)

    assert said == captured.get().splitlines()[3].strip()


@pytest.mark.parametrize(
    "values, said",
    [
        ([2026, 9_999], ["2026", "9999"]),
        ([2026, 12_345, -1], ["2,026", "12,345", "-1"]),
        ([52.0, 38.5, None], ["52.0", "38.5", "NULL"]),
        ([0.5, 1.0, 0.8691], ["0.5000", "1.0000", "0.8691"]),
        ([1.25, 12_345.0], ["1.25", "12,345.00"]),
        ([0.000_012, 0.5], ["1.2e-05", "0.5"]),
    ],
)
def test_numbers_of_a_column_are_written_alike(values: list[Any], said: list[str]) -> None:
    """With as many decimals, and thousands apart in all of them or in none."""
    console = Console(file=io.StringIO(), width=80)

    with console.capture() as captured:
        for part in shown(pl.DataFrame({"value": values}), total=len(values)):
            console.print(part)

    assert said == [line.strip() for line in captured.get().splitlines()[3 : 3 + len(values)]]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_fractions_in_csv_have_no_noise(values: list[float]) -> None:
    """No more than twelve digits, which are those of the value."""
    output = io.TextIOWrapper(io.BytesIO())
    with redirect_stdout(output):
        write_csv(pl.DataFrame({"value": values}), safe=False)

    written = output.buffer.getvalue().split()
    for text, value in zip(written[1:], values, strict=True):
        assert float(text) == pytest.approx(value, rel=1e-11, abs=0)
        digits = text.decode().lower().split("e")[0].strip("-").replace(".", "")
        assert len(digits.strip("0")) <= 12


@given(st.lists(st.datetimes(timezones=st.just(UTC)) | st.none()))
def test_times_are_exact_in_what_programs_read(times: list[datetime | None]) -> None:
    """To the microsecond, alone and within lists and structs."""
    rows = pl.DataFrame({"time": times}, schema={"time": pl.Datetime("us", "UTC")}).with_columns(
        pl.concat_list("time").alias("list"), pl.struct("time").alias("struct")
    )

    found = list(plain(rows).iter_rows())

    for (text, [in_list], in_struct), time in zip(found, times, strict=True):
        assert text == in_list == in_struct["time"]
        assert time == (text and datetime.fromisoformat(text))
