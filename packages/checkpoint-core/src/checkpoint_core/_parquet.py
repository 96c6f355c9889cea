"""Reading and writing Parquet through polars: the few places that touch files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import polars as pl

from checkpoint_core._layout import DAMAGED, DamagedFileError
from checkpoint_core.errors import StorageError

Compression = Literal["snappy", "zstd", "lz4", "uncompressed"]


@contextmanager
def _told_apart(file: Path) -> Iterator[None]:
    """Turn what polars raises into a damaged file or a failing disk."""
    try:
        yield
    except (*DAMAGED, OSError) as error:
        # Polars passes some of the system's errors on as errors of the format.
        if not isinstance(error, OSError) and "(os error " not in str(error):
            raise DamagedFileError from error
        message = f"{file}: {error}. Check the space and the permissions there."
        raise StorageError(message) from error


def scan(file: Path) -> pl.LazyFrame:
    """Scan one file; its name is taken as it is, never as a pattern or a partition."""
    return pl.scan_parquet(file, glob=False, hive_partitioning=False)


def read_schema(file: Path) -> pl.Schema:
    """Return a file's columns and types; raises DamagedFileError."""
    with _told_apart(file):
        return scan(file).collect_schema()


def collect(file: Path, frame: pl.LazyFrame) -> pl.DataFrame:
    """Collect what was derived from a scan of the file; raises DamagedFileError."""
    with _told_apart(file):
        return frame.collect(engine="streaming")


def sink(
    frame: pl.LazyFrame,
    to: Path,
    *,
    metadata: dict[str, str],
    compression: Compression,
    row_group_rows: int,
) -> None:
    """Stream a frame into a file, in its order, with statistics for each row group.

    Raises DamagedFileError when what the frame scans is damaged.
    """
    with _told_apart(to):
        frame.sink_parquet(
            to,
            compression=compression,
            row_group_size=row_group_rows,
            statistics=True,
            maintain_order=True,
            metadata=metadata,
            engine="streaming",
        )
