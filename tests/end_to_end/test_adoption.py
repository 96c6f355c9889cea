"""Checkpoints that have no ledger, and those that are made anew."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.end_to_end.commands import call, counted, put, rows, take


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source with six events, two of them equal."""
    for number in range(5):
        put(tmp_path / "events", number)
    put(tmp_path / "events" / "again", 4)
    return tmp_path / "events"


@pytest.fixture
def made(source: Path, tmp_path: Path) -> Path:
    """The checkpoint that this software makes of that source."""
    checkpoint = tmp_path / "made" / "events.parquet"
    take(source, checkpoint)
    return checkpoint


STYLES = {
    "the same types": [],
    "times without a zone": [pl.col("timestamp").dt.replace_time_zone(None)],
    "nanoseconds": [pl.col("timestamp").dt.cast_time_unit("ns")],
    "wide integers": [pl.col("pipeline_adcid").cast(pl.Int64)],
    "categories": [pl.col("action").cast(pl.Categorical)],
}


@pytest.mark.parametrize("style", STYLES)
def test_a_checkpoint_of_another_tool_is_adopted(
    style: str, source: Path, made: Path, tmp_path: Path
) -> None:
    """Its rows stay, what it lacks is appended, and nothing is there twice."""
    checkpoint = tmp_path / "other" / "events.parquet"
    checkpoint.parent.mkdir()
    frame = pl.read_parquet(made).with_columns(*STYLES[style])
    gone = frame.head(1).with_columns(ptid=pl.lit("SYNGONE"))
    pl.concat([gone, frame.reverse().head(4)]).write_parquet(checkpoint)
    refused = call("run", source, checkpoint)
    assert 1 == refused.status
    assert "--adopt" in refused.stderr
    assert "--rebuild" in refused.stderr

    response = take(source, checkpoint, "--adopt")

    assert {"touched": 4, "accepted": 2} == counted(response)
    kept = pl.concat([pl.read_parquet(made).head(1).with_columns(ptid=pl.lit("SYNGONE"))])
    assert rows(made) + type(rows(made))(kept.iter_rows()) == rows(checkpoint)
    assert pl.read_parquet_schema(made) == pl.read_parquet_schema(checkpoint)
    assert {"unchanged": 6} == counted(take(source, checkpoint))
    assert 1 == len(list((checkpoint.parent / "_previous" / "events").iterdir()))
    assert 0 == call("verify", checkpoint, source).status


def test_without_its_ledger_a_checkpoint_is_adopted_with_the_same_rows(
    source: Path, made: Path
) -> None:
    """Again and again."""
    before = rows(made)
    for _ in range(2):
        shutil.rmtree(made.parent / "_ledger")
        assert 1 == call("run", source, made).status

        assert {"touched": 6} == counted(take(source, made, "--adopt"))
        assert before == rows(made)


def test_a_sound_checkpoint_is_not_adopted(source: Path, made: Path) -> None:
    """There is nothing to adopt, and nothing is changed."""
    ended = call("run", source, made, "--adopt")

    assert 1 == ended.status
    assert "Run without --adopt" in ended.stderr


def test_a_rebuild_that_would_lose_rows_needs_a_word(source: Path, made: Path) -> None:
    """It says how many; the replaced file is kept."""
    put(source, 2, packet="F")
    take(source, made)
    before = rows(made)

    refused = call("run", source, made, "--rebuild")
    assert 1 == refused.status
    assert "would lose 1 rows" in refused.stderr
    assert before == rows(made)

    assert {"accepted": 6} == counted(take(source, made, "--rebuild", "--allow-loss"))
    [replaced] = (made.parent / "_previous" / "events").iterdir()
    assert before == rows(replaced)


def test_a_checkpoint_that_was_removed_is_missed(source: Path, made: Path) -> None:
    """After the first generation it does not silently begin anew."""
    put(source, 9)
    take(source, made)
    made.unlink()

    ended = call("run", source, made)

    assert 1 == ended.status
    assert "Restore the file" in ended.stderr
    assert not made.exists()


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_damaged_checkpoint_is_refused_and_left_as_it_is(
    keep: int, source: Path, made: Path
) -> None:
    """Cut off at any length."""
    made.write_bytes(made.read_bytes()[:keep])
    damaged = made.read_bytes()

    ended = call("run", source, made)

    assert 1 == ended.status
    assert 1 == ended.stderr.count("\n")
    assert damaged == made.read_bytes()
    assert 1 == call("verify", made).status
    assert 1 == call("show", made).status
