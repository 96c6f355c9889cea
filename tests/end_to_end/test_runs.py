"""What a run takes, leaves, and says, from one day to the next."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from checkpoint_core.responses import Response
from tests.end_to_end.commands import (
    CLEAN,
    call,
    counted,
    execute,
    fields,
    files_of,
    put,
    rows,
    take,
)

ZONELESS = Path(__file__).with_name("zoneless.py")

COLUMNS = {
    "action": pl.String(),
    "study": pl.String(),
    "pipeline_adcid": pl.Int32(),
    "project_label": pl.String(),
    "center_label": pl.String(),
    "gear_name": pl.String(),
    "ptid": pl.String(),
    "visit_date": pl.Date(),
    "visit_number": pl.String(),
    "datatype": pl.String(),
    "module": pl.String(),
    "packet": pl.String(),
    "timestamp": pl.Datetime("us", "UTC"),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source with ten events."""
    for number in range(10):
        put(tmp_path / "events", number)
    return tmp_path / "events"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Where the checkpoint will be."""
    return tmp_path / "out" / "events.parquet"


def test_a_first_run_takes_every_event_and_says_so(source: Path, checkpoint: Path) -> None:
    """The response has the documented keys in their order, and the rows are the events."""
    response = take(source, checkpoint)

    assert list(Response.__struct_encode_fields__) == list(response)
    assert (200, 10, 10, 0) == tuple(
        response[key]
        for key in ("statusCode", "new_events_processed", "total_events", "events_failed")
    )
    assert str(checkpoint) == response["checkpoint_path"]
    assert "2026-09-02T10:00:09Z" == response["last_processed_timestamp"]
    assert (False, True) == (response["incremental"], response["complete"])
    assert COLUMNS == dict(pl.read_parquet_schema(checkpoint))
    assert 10 == rows(checkpoint).total()


def test_projects_are_left_out_until_the_patterns_change(source: Path, checkpoint: Path) -> None:
    """From the option and from the variable, where spaces and commas separate patterns."""
    put(source, 20, project_label="sandbox-form")
    put(source, 21, project_label="trial")
    patterns = {"EXCLUDE_PROJECTS": "sandbox-*,tri?l"}

    assert {"accepted": 10, "excluded": 2} == counted(
        take(source, checkpoint, environment=patterns)
    )
    assert {"unchanged": 10, "excluded": 1, "accepted": 1} == counted(
        take(source, checkpoint, "--exclude-project", "sandbox-*")
    )


def test_a_cutoff_holds_for_one_run_only(source: Path, checkpoint: Path) -> None:
    """What it leaves out is not recorded; an offset counts, and without one it is UTC."""
    response = take(source, checkpoint, "--since", "2026-09-02T05:00:06-05:00")
    assert {"before_cutoff": 7, "accepted": 3} == counted(response)

    response = take(source, checkpoint, "--since", "2026-09-02T10:00:04")
    assert {"before_cutoff": 5, "accepted": 2, "unchanged": 3} == counted(response)
    assert {"unchanged": 5, "accepted": 5} == counted(take(source, checkpoint))


def test_several_passes_are_told_of_as_one(source: Path, checkpoint: Path, tmp_path: Path) -> None:
    """With a small limit the numbers and the rows are those of a single pass."""
    put(source, 30, data=b"")
    put(source, 0, project_label="sandbox", extra=1)
    put(source, 31, timestamp="2026-01-01T00:00:00Z")
    (source / "notes.txt").touch()
    options = ["--exclude-project", "sandbox", "--since", "2026-06-01"]
    whole = take(source, checkpoint, *options)

    limits = ["--max-events-per-run", 2, "--batch-objects", 3]
    parts = take(source, tmp_path / "parts" / "events.parquet", *options, *limits)

    varying = ("run_id", "execution_time_ms", "checkpoint_path")
    assert whole == parts | {key: whole[key] for key in varying}
    assert rows(checkpoint) == rows(tmp_path / "parts" / "events.parquet")


def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    source: Path, checkpoint: Path
) -> None:
    """Not even the checkpoint's folder is made."""
    put(source, 20, data=b"{}")

    response = take(source, checkpoint, "--dry-run")

    assert {"accepted": 10, "invalid": 1} == counted(response)
    assert response["checkpoint_path"] is None
    assert not checkpoint.parent.exists()
    said = call("run", source, checkpoint, "--dry-run").stdout
    assert "10 new events. Nothing was written." in said
    assert "action: required field is missing" in said


def test_a_source_that_is_another_or_empty_needs_a_word(
    source: Path, checkpoint: Path, tmp_path: Path
) -> None:
    """Both are refused with the option that allows them, and nothing is changed."""
    take(source, checkpoint)
    before = files_of(checkpoint.parent)
    moved = source.rename(tmp_path / "moved")
    source.mkdir()

    other = call("run", moved, checkpoint)
    empty = call("run", source, checkpoint)

    assert (1, 1) == (other.status, empty.status)
    assert "--accept-source-change" in other.stderr
    assert "--accept-empty-source" in empty.stderr
    assert before == files_of(checkpoint.parent)
    assert {"unchanged": 10} == counted(take(moved, checkpoint, "--accept-source-change"))


def test_a_checkpoint_of_another_tool_is_adopted(source: Path, checkpoint: Path) -> None:
    """Its rows stay, what it lacks is appended, and nothing is there twice."""
    take(source, checkpoint)
    before = rows(checkpoint)
    shutil.rmtree(checkpoint.parent / "_ledger")
    frame = pl.read_parquet(checkpoint).with_columns(pl.col("pipeline_adcid").cast(pl.Int64))
    frame.reverse().head(4).write_parquet(checkpoint)
    refused = call("run", source, checkpoint)
    assert 1 == refused.status
    assert "--adopt" in refused.stderr
    assert "--rebuild" in refused.stderr

    response = take(source, checkpoint, "--adopt")

    assert {"touched": 4, "accepted": 6} == counted(response)
    assert before == rows(checkpoint)
    assert COLUMNS == dict(pl.read_parquet_schema(checkpoint))
    assert {"unchanged": 10} == counted(take(source, checkpoint))
    assert 1 == len(list((checkpoint.parent / "_previous" / "events").iterdir()))
    assert 0 == call("verify", checkpoint, source).status


def test_a_rebuild_that_would_lose_rows_needs_a_word(source: Path, checkpoint: Path) -> None:
    """It says how many; the replaced file is kept."""
    take(source, checkpoint)
    put(source, 2, packet="F")
    take(source, checkpoint)
    before = rows(checkpoint)

    refused = call("run", source, checkpoint, "--rebuild")
    assert 1 == refused.status
    assert "would lose 1 rows" in refused.stderr
    assert before == rows(checkpoint)

    assert {"accepted": 10} == counted(take(source, checkpoint, "--rebuild", "--allow-loss"))
    [replaced] = (checkpoint.parent / "_previous" / "events").iterdir()
    assert before == rows(replaced)


def test_a_source_below_which_the_checkpoint_lies_is_fine(source: Path) -> None:
    """The checkpoint's own files are counted as unrecognized, and nothing new stays nothing new."""
    checkpoint = source / "events.parquet"
    call("run", source, checkpoint)
    before = files_of(source)

    ended = call("run", source, checkpoint)

    assert "10   unchanged" in ended.stdout
    assert before == files_of(source)
    said = "the checkpoint lies inside the source; its own files count as unrecognized"
    assert f"warning: {said}\n" == ended.stderr


def test_restore_states_may_be_asked_for(source: Path, checkpoint: Path) -> None:
    """A directory has none; that is no mistake."""
    assert {"accepted": 10} == counted(take(source, checkpoint, "--list-restores"))


COMMANDS = [
    "run events out/events.parquet",
    "run events out/events.parquet --json --since 2026-09-02T12:00:00+02:00",
    "run events out/events.parquet --rebuild",
    "run events copy.parquet --adopt",
    "show out/events.parquet",
    "show out/events.parquet --json",
    "rejects out/events.parquet",
    "rejects out/events.parquet --json",
    "rejects out/events.parquet --csv",
    "verify out/events.parquet events --json",
    "sample samples --count 5",
]


def test_no_command_needs_a_time_zone_database(source: Path, checkpoint: Path) -> None:
    """A slim container has none, and every time here is UTC."""
    put(source, 50, data=b"{}")
    take(source, checkpoint)
    shutil.copy(checkpoint, source.parent / "copy.parquet")
    environment = CLEAN | {"PYTHONTZPATH": ""}

    ended = execute(*COMMANDS, before=(ZONELESS,), cwd=source.parent, env=environment)

    assert (0, "") == (ended.status, ended.stderr)


def test_the_whole_thing_in_a_process_of_its_own(source: Path, checkpoint: Path) -> None:
    """`python -m checkpoint_cli` with relative paths, as a person types it."""
    folder = source.parent

    first = execute("run", "events", "out/events.parquet", cwd=folder)
    second = execute("run", "events", "out/events.parquet", cwd=folder)

    assert (0, "", 0, "") == (first.status, first.stderr, second.status, second.stderr)
    assert "10 objects in events: 10 new events taken.\n" in first.stdout
    assert "10 objects in events: 0 new events taken.\n" in second.stdout
    assert fields(7)["ptid"] in {row[6] for row in rows(checkpoint)}
