"""The command line's manners: help, versions, usage errors, and the commands that only read."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

import checkpoint_cli
import checkpoint_core
import checkpoint_format
import checkpoint_queries
import checkpoint_storage
import nacc_event_model
from checkpoint_cli._app import load
from checkpoint_cli._choices import COMMANDS as NAMES
from checkpoint_core import Settings
from checkpoint_core.descriptions import described
from checkpoint_core.settings import Request
from tests.end_to_end.commands import call, execute, put, take

COMMANDS: dict[str, Any] = {name: load(name) for name in NAMES}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four events of two centers, and two objects that are none."""
    for number in range(3):
        put(tmp_path / "events", number)
    put(tmp_path / "events", 3, center_label="sample-center-7", action="pass-qc")
    put(tmp_path / "events", 4, data=b"{}")
    put(tmp_path / "events", 5, project_label="sandbox")
    return tmp_path / "events"


@pytest.fixture
def checkpoint(source: Path, tmp_path: Path) -> Path:
    """The checkpoint of these events."""
    take(source, tmp_path / "out" / "events.parquet", "--exclude-project", "sandbox")
    return tmp_path / "out" / "events.parquet"


def test_the_commands_are_those_of_the_design() -> None:
    """Those that come later are not promised."""
    commands = "run show rejects query report sql export verify sample doctor remove help"
    assert set(commands.split()) == set(COMMANDS)
    said = call("--help").stdout
    assert [] == [name for name in COMMANDS if f"  {name} " not in said]
    assert "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_help_mentions_every_option_and_says_what_it_does(command: str) -> None:
    """With a text for each, on an 80 column page."""
    said = call(command, "--help").stdout

    for parameter in COMMANDS[command].params:
        assert parameter.help
        for flag in parameter.opts if parameter.param_type_name == "option" else []:
            assert re.search(rf"(?m)^  .*{re.escape(flag)}\b", said)
    assert max(map(len, said.splitlines())) <= 80


def test_run_has_an_option_for_every_setting_with_its_default_and_bounds() -> None:
    """Except those that have no meaning on a machine of one's own."""
    flags = {flag for parameter in COMMANDS["run"].params for flag in parameter.opts}
    limits = [(each.default, *each.bounds) for each in described(Settings).values() if each.bounds]
    fields = {*Settings.__struct_fields__, *Request.__struct_fields__, "read_concurrency"}
    named = {f"--{name.replace('_', '-')}" for name in fields - {"exclude_projects", "mode"}}

    assert {*named, "--exclude-project", "--adopt", "--rebuild"} - flags == {"--reserve-s"}
    said = re.sub(r"\s+", " ", call("run", "--help").stdout)
    shown = [f"[default: {default}; {least}<=x<={most}]" for default, least, most in limits]
    assert ["[default: 60.0; 0<=x<=900]"] == [text for text in shown if text not in said]


def test_versions_are_printed() -> None:
    """Of the packages that it is made of."""
    versions = {
        "nacc-checkpoint-cli": checkpoint_cli.__version__,
        "nacc-checkpoint-storage": checkpoint_storage.__version__,
        "nacc-checkpoint-core": checkpoint_core.__version__,
        "nacc-checkpoint-queries": checkpoint_queries.__version__,
        "nacc-checkpoint-format": checkpoint_format.__version__,
        "nacc-event-model": nacc_event_model.__version__,
    }

    ended = execute("--version")

    assert 0 == ended.status
    assert [f"{name} {version}" for name, version in versions.items()] == ended.stdout.splitlines()


@pytest.mark.parametrize(
    "arguments, said",
    [
        ("", "Usage: nacc-checkpoint"),
        ("fly", "there is no command fly. There are run, show, rejects,"),
        ("shwo", "there is no command shwo; did you mean show?"),
        ("help shwo", "there is no command shwo; did you mean show?"),
        ("run a", "Missing argument 'CHECKPOINT'"),
        ("run a b c", "unexpected extra argument"),
        ("run a b --fly", "No such option: --fly"),
        ("run a b --adopt --rebuild", "choose one"),
        ("run a b --allow-loss", "--allow-loss belongs to --rebuild"),
        ("run a b --since yesterday", "must be an ISO 8601 time"),
        ("run a b --since 2026-01-01 --rebuild", "cannot be combined"),
        (
            "run a b --event-format 2.0",
            "there is no event format 2.0; did you mean 1.0? There are 1.0, 1.1",
        ),
        ("run a b --compression gzip", "there is no codec gzip. There are snappy, zstd, lz4,"),
        ("run a b --batch-objects 1e30", "--batch-objects"),
        ("run a b --future-tolerance-s nan", "--future-tolerance-s"),
        ("run a out/", "names a directory"),
        ("run a s3://bucket/key", "key must end with a name and .parquet"),
        ("run a s3://bucket/out/.parquet", "key must end with a name and .parquet"),
        ("run a out/.parquet", "name must end with a name and .parquet"),
        ("run file:///a#b b.parquet", "write %3F and %23"),
        ("run s3:// b.parquet", "not of the form"),
        ("show gs://bucket/key", "gs:// is not supported"),
        ("rejects b --json --csv", "choose one"),
        ("rejects b --outcome lost", "there is no outcome lost. There are invalid, excluded,"),
        ("export b --path a --kind event", "there is no kind event; did you mean events?"),
        ("export b --path a --column-order x", "There are checkpoint, scraper"),
        ("rejects b --outcome invalid --unrecognized", "choose one"),
        ("rejects b --limit -1", "--limit"),
        ("sample a --invalid 1.5", "--invalid"),
        ("sample a --invalid 0.6 --late 0.6", "together at most 1"),
        ("sample a --start today", "must be a date, such as 2026-09-30"),
    ],
)
def test_wrong_usage_is_exit_status_2(
    arguments: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is wrong on stderr, nothing on stdout, and nothing done."""
    monkeypatch.chdir(tmp_path)

    ended = call(*arguments.split())

    assert (2, "") == (ended.status, ended.stdout if arguments else "")
    assert said in ended.stderr + ended.stdout
    assert [] == list(tmp_path.iterdir())


def test_a_wrong_variable_is_wrong_usage_too() -> None:
    """And says which."""
    ended = call("run", "a", "b", environment={"EVENT_FORMAT": "3"})

    assert 2 == ended.status
    assert "--event-format" in ended.stderr


def test_show_says_what_the_checkpoint_holds(
    source: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For people with a row for each center, for programs as a document."""
    monkeypatch.chdir(source.parent)

    said = call("show", "out/events.parquet").stdout
    document = json.loads(call("show", checkpoint, "--json").stdout)

    assert "4 rows, from 2026-09-02T10:00:00Z to 2026-09-02T10:00:03Z" in said
    assert "4 in events\n" in said
    assert "1 excluded, 1 invalid" in said
    table = [line.split() for line in said.splitlines() if line.startswith(" ")][-4:]
    assert [
        ["sample-center-42", "0", "3", "3"],
        ["sample-center-7", "1", "0", "1"],
        ["all", "1", "3", "4"],
    ] == table[1:]
    assert (4, 4, f"file://{source}") == tuple(
        document[key] for key in ("rows", "objects", "source")
    )
    assert {"excluded": 1, "invalid": 1} == document["rejects"]
    assert [
        {"center_label": "sample-center-42", "action": "submit", "events": 3},
        {"center_label": "sample-center-7", "action": "pass-qc", "events": 1},
    ] == document["events"]


def test_rejects_are_listed_and_filtered(checkpoint: Path) -> None:
    """As a table, as JSON with the digest in hexadecimal, and as CSV with the same values."""
    said = call("rejects", checkpoint).stdout
    listed = json.loads(call("rejects", checkpoint, "--json").stdout)
    table = list(csv.DictReader(io.StringIO(call("rejects", checkpoint, "--csv").stdout)))

    assert "2 objects: 1 excluded, 1 invalid\n" in said
    assert "project_label: matches an excluded pattern" in said
    assert ["invalid", "excluded"] == [row["outcome"] for row in listed]
    assert re.fullmatch("[0-9a-f]{32}", listed[0]["digest"])
    assert [row["digest"] for row in listed] == [row["digest"] for row in table]
    assert [row["first_seen"] for row in listed] == [row["first_seen"] for row in table]
    filters: list[tuple[list[object], int]] = [
        (["--outcome", "invalid"], 1),
        (["--outcome", "denied"], 0),
        (["--key-contains", "SYN00004"], 1),
        (["--key-contains", "SYN.*"], 0),
        (["--limit", 1], 1),
        (["--limit", 0], 0),
    ]
    for options, count in filters:
        assert count == len(json.loads(call("rejects", checkpoint, "--json", *options).stdout))
    none = call("rejects", checkpoint, "--outcome", "denied")
    assert "note: none of them is asked for; there are 1 excluded, 1 invalid\n" == none.stderr
    assert "1 more; see --limit" in call("rejects", checkpoint, "--limit", 1).stdout


def test_what_is_left_out_of_a_copy_is_unknown(checkpoint: Path, tmp_path: Path) -> None:
    """To show and to rejects, for people and programs: not none."""
    copy = tmp_path / "copy.parquet"
    copy.write_bytes(checkpoint.read_bytes())

    said = call("show", copy).stdout
    document = json.loads(call("show", copy, "--json").stdout)
    listed = call("rejects", copy)
    forms = [call("rejects", copy, form) for form in ("--json", "--csv")]

    assert "objects       unknown: its ledger is not beside it" in said
    assert "rejects       unknown: there is no rejects file beside it\n" in said
    assert (None, None) == (document["objects"], document["rejects"])
    warning = "warning: what is left out is unknown: there is no rejects file beside it\n"
    assert (0, "unknown\n", warning) == (listed.status, listed.stdout, listed.stderr)
    assert {warning} == {ended.stderr for ended in forms}


def test_verify_checks_the_checkpoint_and_that_every_object_is_accounted_for(
    source: Path, checkpoint: Path
) -> None:
    """An object that is new makes it fail, and says why."""
    sound = call("verify", checkpoint, source, "--json")
    put(source, 9)
    behind = call("verify", checkpoint, source)

    assert 0 == sound.status
    document = json.loads(sound.stdout)
    assert document["passed"]
    assert ["pair", "digests", "rows", "content", "ledger", "source", "listing"] == [
        check["name"] for check in document["checks"]
    ]
    assert "every folder was read to its end" == document["checks"][-1]["detail"]
    assert 1 == behind.status
    assert [*["ok"] * 5, "FAILED", "ok"] == [line.split()[0] for line in behind.stdout.splitlines()]
    assert "1 of 7 objects are neither in the ledger nor in the rejects" in behind.stdout
    assert 0 == call("verify", checkpoint).status


def test_every_unrecognized_name_can_be_paged_through(tmp_path: Path) -> None:
    """With what is wrong with it, in each form of the answer."""
    source, checkpoint = tmp_path / "events", tmp_path / "events.parquet"
    put(source, 1)
    put(source, 2, named="duplicate-submit", action="duplicate-submit")
    put(source, 3, named="amend")
    put(source, 4, visit_number=None)
    for number in range(70):
        (source / f"{number:02}.txt").touch()
    said = call("run", source, checkpoint).stdout

    page = call("rejects", checkpoint, "--unrecognized")
    documents = json.loads(call("rejects", checkpoint, "--unrecognized", "--json").stdout)
    table = call("rejects", checkpoint, "--unrecognized", "--csv", "--key-contains", "9.t").stdout
    refused = call("rejects", checkpoint).stdout

    hint = "event format 1.1 would take 1 of the rejects and recognizes 1 of the unrecognized names"
    assert f"{hint}: --event-format 1.1, or EVENT_FORMAT=1.1" in said
    assert f"All of them, and why: nacc-checkpoint rejects {checkpoint} --unrecognized" in said
    assert page.stdout.startswith("72 objects: ")
    assert "70 its name does not end in .json" in page.stdout
    assert "22 more; see --limit" in page.stdout
    assert "event format 1.1 recognizes 1 of the unrecognized names: --event-f" in page.stdout
    assert 72 == len(documents)
    assert ["first_seen", "key", "reason"] == sorted(documents[0])
    assert 8 == len(table.splitlines())
    assert "event format 1.1 would take 1 of the rejects: --event-format 1.1" in refused


def test_verify_judges_by_the_checkpoints_own_format(tmp_path: Path) -> None:
    """Names that only format 1.1 knows are not called unrecognized; what it has, it has."""
    source, checkpoint = tmp_path / "events", tmp_path / "events.parquet"
    put(source, 1, named="duplicate-submit", action="duplicate-submit")
    take(source, checkpoint, "--event-format", "1.1")
    put(source, 2, named="duplicate-submit", action="duplicate-submit")

    assert "1 of 2 objects are neither" in call("verify", checkpoint, source).stdout
    other = call("verify", checkpoint, source, "--event-format", "1.0")
    assert "1 in the ledger, 0 in the rejects, 1 not named like events" in other.stdout


def test_samples_are_written_and_can_be_run(tmp_path: Path) -> None:
    """The summary counts what a run then finds."""
    options = ["--count", 200, "--seed", 3, "--invalid", 0.06, "--late", 0.1]

    ended = call("sample", tmp_path / "events", *options)
    more = call("sample", tmp_path / "events", "--count", 10, "--rewritten", 0.5)

    assert (0, 0) == (ended.status, more.status)
    assert "Wrote 200 objects" in ended.stdout
    assert "20 are late, 10 are invalid, and 2 are not named" in ended.stdout
    assert "Rewrote 5 that were there." in more.stdout
    response = take(tmp_path / "events", tmp_path / "out" / "events.parquet")
    assert 2 == response["counts"]["unrecognized"]
    assert 210 == sum(response["counts"].values())
