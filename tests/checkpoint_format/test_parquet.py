"""Files of ours that cannot be written."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from checkpoint_format.errors import StorageError
from checkpoint_format.layout import DamagedFileError
from checkpoint_format.parquet import scan, sink

ROWS = pl.DataFrame({f"column {number}": range(3000) for number in range(14)})


@contextmanager
def at_most(size_bytes: int) -> Iterator[None]:
    """Let this process write no file that is larger, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write(rows: pl.LazyFrame, to: Path) -> None:
    """Write rows as a commit does."""
    sink(rows, to, metadata={}, compression="zstd", row_group_rows=100)


def test_an_output_that_takes_no_more_is_told_as_that(tmp_path: Path) -> None:
    """Wherever it ends, also within the footer: the checkpoint is not what is damaged."""
    whole, cut = tmp_path / "whole.parquet", tmp_path / "cut.parquet"
    write(ROWS.lazy(), whole)
    size = whole.stat().st_size
    messages = []
    for most in range(0, size, size // 40):
        with at_most(most), pytest.raises(StorageError) as raised:
            write(ROWS.lazy(), cut)
        messages.append(str(raised.value))

    assert {f"{tmp_path}: File too large"} == {message.partition(".")[0] for message in messages}


def test_an_input_that_is_damaged_is_not_told_as_a_full_disk(tmp_path: Path) -> None:
    """The output can be written to the end."""
    whole = tmp_path / "whole.parquet"
    write(ROWS.lazy(), whole)
    data = bytearray(whole.read_bytes())
    data[8:400] = bytes(392)
    whole.write_bytes(data)

    with pytest.raises(DamagedFileError):
        write(scan(whole), tmp_path / "other.parquet")
