"""`nacc-checkpoint remove`: a participant out of everything that is ours, and what is left to do."""

import json
import subprocess
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]  # it has none
import polars as pl
import pytest

from checkpoint_cli._printing.deleting import commands_for
from tests.end_to_end.commands import Document, call, put, take

PTID = "SYN00003"
FORMAT = ("--event-format", "1.1")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Five participants, one of whom has two events, the second with a leading zero."""
    source = tmp_path / "a source"
    for number in range(5):
        put(source, number, naccid=f"NACC{number:06}")
    put(source, 9, ptid=f"0{PTID}", naccid="NACC000003")
    return source


@pytest.fixture
def checkpoint(source: Path, tmp_path: Path) -> Path:
    """A checkpoint of them, with an export."""
    checkpoint = tmp_path / "out" / "events.parquet"
    take(source, checkpoint, *FORMAT)
    assert call("export", checkpoint, "--path", "all/events.parquet").status == 0
    return checkpoint


def removed(*arguments: object) -> Document:
    """Remove successfully, and return what was done."""
    ended = call("remove", *arguments, "--json")
    assert (0, "") == (ended.status, ended.stderr)
    document: Document = json.loads(ended.stdout)
    return document


def ptids(file: Path) -> set[str]:
    """Return whose rows a file has."""
    return set(pl.read_parquet(file)["ptid"])


def test_the_whole_procedure(source: Path, checkpoint: Path) -> None:
    """Looked up, taken out, purged; then their objects are withheld, until it is undone."""
    whom = ("--adcid", 42, "--ptid", PTID)
    folder = checkpoint.parent

    looked = removed(checkpoint, source, *whom, "--dry-run")
    assert ptids(checkpoint) > {PTID, f"0{PTID}"}
    done = removed(checkpoint, source, *whom, "--purge")
    files = [file for file in folder.rglob("*") if file.is_file()]
    response = take(source, checkpoint, *FORMAT)

    assert looked["holdings"] == done["holdings"]
    assert (looked["holdings"]["rows"], len(looked["commands"])) == (2, 2)
    assert (looked["commit_id"], looked["purge"]) == (None, None)
    assert len(done["exports"]) == 1
    assert done["purge"]["ledgers"] == 2
    for file in (checkpoint, folder / "all" / "events.parquet"):
        assert ptids(file) == {"SYN00000", "SYN00001", "SYN00002", "SYN00004"}
    assert not any(PTID.encode() in file.read_bytes() for file in files)
    assert response["counts"]["rejected_before"] == 2
    assert json.loads(call("remove", checkpoint, "--list", "--json").stdout) == {
        "participants": 1,
        "objects": 2,
        "is_applied": True,
    }
    put(source, 11, ptid=PTID)
    assert take(source, checkpoint, *FORMAT)["counts"]["withheld"] == 1
    assert removed(checkpoint, *whom, "--undo") == {"was_withheld": True}
    assert take(source, checkpoint, *FORMAT)["counts"]["accepted"] == 3


def test_what_people_read(source: Path, checkpoint: Path) -> None:
    """What holds the participant, what was done, and the commands that are left to them."""
    looked = call("remove", checkpoint, "--naccid", "NACC000003", "--dry-run")
    done = call("remove", checkpoint, source, "--naccid", "NACC000003")
    again = call("remove", checkpoint, "--adcid", 42, "--ptid", PTID)
    purged = call("remove", checkpoint, "--purge")
    counted = call("remove", checkpoint, "--list")
    undone = [call("remove", checkpoint, "--undo", "--adcid", 42, "--ptid", PTID) for _ in "12"]

    assert {0} == {each.status for each in (looked, done, again, purged, counted, *undone)}
    assert "Nothing was changed." in looked.stdout
    assert "2   rows of the checkpoint" in done.stdout
    assert "Taken out by commit 00000002-" in done.stdout
    commands = [line for line in done.stdout.splitlines() if line.startswith("rm -- ")]
    assert len(commands) == 2
    for command in commands:
        subprocess.run(command, shell=True, check=True)
    assert len(list(source.iterdir())) == 4
    assert "without them already" in again.stdout
    assert "Deleted: 2 older ledgers" in purged.stdout
    assert counted.stdout.startswith("1 participants are withheld, 2 objects known.")
    assert "is off the list" in undone[0].stdout
    assert "is not on the list" in undone[1].stdout


def test_an_object_that_is_somebody_elses_by_now_has_no_command(
    source: Path, checkpoint: Path
) -> None:
    """It has the participant's name, and is told by itself."""
    (own,) = source.glob(f"*-{PTID}-*")
    (other,) = source.glob("*-SYN00001-*")
    own.write_bytes(other.read_bytes())
    take(source, checkpoint, *FORMAT)

    told = call("remove", checkpoint, source, "--adcid", 42, "--ptid", PTID, "--dry-run").stdout

    commands, _, apart = told.partition("hold somebody else's event")
    assert own.name in apart
    assert commands.count("rm -- ") == 1
    assert own.name not in commands


def test_nobody_is_found_by_a_naccid_that_no_row_bears(checkpoint: Path) -> None:
    """The message does not repeat it."""
    ended = call("remove", checkpoint, "--naccid", "NACC999999")

    assert (1, "") == (ended.status, ended.stdout)
    assert "no row bears this NACCID" in ended.stderr
    assert "NACC999999" not in ended.stderr


@pytest.mark.parametrize(
    "options, hint",
    [
        ((), "say whom"),
        (("--adcid", 42), "give both"),
        (("--ptid", PTID), "give both"),
        (("--adcid", 42, "--ptid", " "), "it is empty"),
        (("--adcid", 42, "--ptid", PTID, "--naccid", "NACC000003"), "choose one"),
        (("--list", "--undo"), "choose one"),
        (("--list", "--purge"), "choose one"),
        (("--undo", "--dry-run", "--adcid", 42, "--ptid", PTID), "choose one"),
        (("--undo", "--naccid", "NACC000003"), "--undo needs them"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    checkpoint: Path, options: tuple[object, ...], hint: str
) -> None:
    """And nothing is changed."""
    before = checkpoint.read_bytes()
    ended = call("remove", checkpoint, *options)

    assert ended.status == 2
    assert hint in ended.stderr
    assert checkpoint.read_bytes() == before
    assert not (checkpoint.parent / "_withheld").exists()


def test_without_a_checkpoint_it_is_said(tmp_path: Path) -> None:
    """Nothing is made beside a mistyped name."""
    ended = call("remove", tmp_path / "events.parquet", "--adcid", 42, "--ptid", PTID)

    assert (1, []) == (ended.status, list(tmp_path.iterdir()))
    assert "there is no checkpoint" in ended.stderr


def test_an_export_that_is_not_without_them_fails_the_command(checkpoint: Path) -> None:
    """It has not succeeded until every export is made anew; doing it again completes it."""
    export = checkpoint.parent / "all" / "events.parquet"
    foreign = pl.DataFrame({"a": [1]})
    foreign.write_parquet(export)
    ended = call("remove", checkpoint, "--adcid", 42, "--ptid", PTID)
    export.unlink()
    again = call("remove", checkpoint, "--adcid", 42, "--ptid", PTID)

    assert (1, 0) == (ended.status, again.status)
    assert "not yet its exports events" in ended.stderr
    assert PTID not in ptids(export)


@pytest.mark.parametrize("key", ["prod/log-a-1.json", "prod/it's \\ `odd`.json"])
def test_the_command_for_an_object_in_a_bucket_takes_all_its_versions(key: str) -> None:
    """Of this key alone, earlier versions first and marks of deletion last."""
    (command,) = commands_for([key], "s3://events/prod/")
    answer: dict[str, Any] = {
        "Versions": [{"Key": key, "VersionId": "2"}, {"Key": f"{key}x", "VersionId": "3"}],
        "DeleteMarkers": [{"Key": key, "VersionId": "1"}],
    }
    stub = f"aws() {{ printf '%s\\n' \"$@\"; }}; {command.partition(' | tr ')[0]}"
    told = subprocess.run(["sh", "-c", stub], capture_output=True, text=True, check=True)
    words = told.stdout.split("\n")

    assert words[words.index("--prefix") + 1] == key
    assert jmespath.search(words[words.index("--query") + 1], answer) == ["2", "1"]
    assert jmespath.search(words[words.index("--query") + 1], {"Versions": None}) in ([], None)
