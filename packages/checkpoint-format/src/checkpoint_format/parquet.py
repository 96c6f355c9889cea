"""Reading and writing Parquet through polars: the few places that touch files."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Final

import polars as pl

from checkpoint_format.errors import StorageError
from checkpoint_format.layout import DAMAGED, DamagedFileError
from checkpoint_format.writing import Compression

_SYSTEM_ERROR: Final = re.compile(r"\(os error (\d+)\)\s*\Z")

_PROBE_BYTES: Final = 65_536


@contextmanager
def _told_apart(file: Path) -> Iterator[None]:
    """Turn what polars raises into a damaged file or a failing disk."""
    try:
        yield
    except (*DAMAGED, OSError) as error:
        # Polars passes some of the system's errors on as errors of the format. Its other texts may
        # quote values of the file, so none is passed on.
        system = _SYSTEM_ERROR.search(str(error))
        if system is None and not isinstance(error, OSError):
            raise DamagedFileError from error
        strerror = error.strerror if isinstance(error, OSError) else None
        reason = os.strerror(int(system[1])) if system else strerror or type(error).__name__
        raise StorageError(
            f"{file.parent}: {reason}. Nothing was changed. Make room there, or choose another "
            "place for temporary files (TMPDIR) or for the checkpoint, and run again."
        ) from None


@contextmanager
def _can_be_written(to: Path) -> Iterator[None]:
    """Raise StorageError instead of DamagedFileError where it is the output that takes no more.

    Of a disk that is full when the footer is written, polars says that the format is not right.
    """
    try:
        yield
    except DamagedFileError:
        with _told_apart(to), to.open("ab") as output:
            output.write(bytes(_PROBE_BYTES))
        raise


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


def count_rows(file: Path) -> int:
    """Return how many rows a file has; raises DamagedFileError."""
    return int(collect(file, scan(file).select(pl.len())).item())


def read_all(file: Path) -> None:
    """Read every page of the file; raises DamagedFileError."""
    collect(file, scan(file).select(pl.all().hash().count()))


def digest_of(file: Path) -> str:
    """Return the digest of a file, BLAKE2b with 128 bits in hexadecimal, in one pass over it."""
    with _told_apart(file), file.open("rb") as opened:
        return file_digest(opened, lambda: blake2b(digest_size=16)).hexdigest()


def sink(
    frame: pl.LazyFrame,
    to: Path,
    *,
    metadata: dict[str, str],
    compression: Compression,
    compression_level: int | None = None,
    row_group_rows: int,
) -> None:
    """Stream a frame into a file, in its order, with statistics for each row group.

    Raises DamagedFileError when what the frame scans is damaged, and StorageError when the file
    cannot be written.
    """
    with _can_be_written(to), _told_apart(to):
        frame.sink_parquet(
            to,
            compression=compression,
            compression_level=compression_level,
            row_group_size=row_group_rows,
            statistics=True,
            maintain_order=True,
            metadata=metadata,
            engine="streaming",
        )


def sink_groups(
    frame: pl.LazyFrame,
    folder: Path,
    *,
    keys: Mapping[str, pl.Expr],
    file_of: Callable[[Mapping[str, str | None]], Path],
    compression: Compression,
    row_group_rows: int,
) -> None:
    """Stream a frame into a file for each group of rows, each in the frame's order.

    `file_of` is given the values of the keys, by name, once for each group, and returns its file
    in the folder. Without keys all rows are one group, also where there are none.
    Raises what `sink` raises.
    """
    if not keys:
        sink(
            frame,
            file_of({}),
            metadata={},
            compression=compression,
            row_group_rows=row_group_rows,
        )
        return
    by_group = pl.PartitionBy(
        folder,
        key=dict(keys),
        include_key=False,
        file_path_provider=lambda group: file_of(group.partition_keys.row(0, named=True)),
        approximate_bytes_per_file=None,
    )
    with _can_be_written(folder / "groups"), _told_apart(folder / "groups"):
        frame.sink_parquet(
            by_group,
            compression=compression,
            row_group_size=row_group_rows,
            statistics=True,
            maintain_order=True,
            engine="streaming",
        )
