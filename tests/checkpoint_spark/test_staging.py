"""What driver and executors hand to each other, and what becomes of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from checkpoint_core import StorageError
from checkpoint_format.names import Names
from checkpoint_spark._staging import Staging, read_staged

NOW = datetime.now(UTC)
FRAME = pl.DataFrame({"key": ["a"], "ptid": ["P-SECRET"]})


def staging_in(folder: Path, run: str) -> Staging:
    """Return the staging place of a run whose checkpoint is in this folder."""
    return Staging(checkpoint=str(folder / "events.parquet"), run=run)


def staged_in(folder: Path) -> list[str]:
    """Return the names of the files that are staged, from where a purge looks for them."""
    found = (folder / Names("events.parquet").staged).glob("*.parquet")
    return sorted(file.name for file in found)


def test_what_is_staged_is_read_as_it_was_wherever_it_is(tmp_path: Path) -> None:
    """Names of folders are neither patterns nor partitions."""
    folder = tmp_path / "year=2024" / "[x] *"
    staging = staging_in(folder, "staged-1")

    names = staging.put_all([FRAME, FRAME.clear()])

    assert staging.get(names[0]).equals(FRAME)
    assert staging.get(names[1]).schema == FRAME.schema
    (file,) = staging.fetch(names[:1], folder)
    assert read_staged(file).equals(FRAME)


def test_nothing_stays_of_a_run_that_has_ended(tmp_path: Path) -> None:
    """Also of tasks that go on: what they stage then they take back. Other runs keep theirs."""
    staging, other = staging_in(tmp_path, "staged-1"), staging_in(tmp_path, "staged-2")
    for each in (staging, other):
        each.put_all([FRAME, FRAME])
        each.put("accepted-0-1", FRAME)

    staging.clear(now=NOW)
    with pytest.raises(StorageError, match="has ended"):
        staging.put("accepted-0-2", FRAME)

    assert len(staged_in(tmp_path)) == 3
    staging.clear(now=NOW + timedelta(days=8))
    assert staged_in(tmp_path) == []


def test_a_staged_file_that_is_damaged_or_gone_is_told_without_what_it_held(tmp_path: Path) -> None:
    """As what it is: no fault of the checkpoint, and nothing that a run cannot make again."""
    staging = staging_in(tmp_path, "staged-1")
    (name,) = staging.put_all([FRAME])
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[:10])

    with pytest.raises(StorageError, match=r"part-0.parquet, .* is damaged. Nothing was changed."):
        staging.get(name)
    (tmp_path / name).unlink()
    with pytest.raises(StorageError, match="is gone"):
        staging.get(name)
