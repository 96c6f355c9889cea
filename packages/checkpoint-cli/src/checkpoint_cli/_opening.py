"""The checkpoint's files, brought here to be asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from checkpoint_cli.errors import NoCheckpointError
from checkpoint_core import CheckpointStore
from checkpoint_format.errors import CorruptCheckpointError
from checkpoint_format.inspection import Opened, open_for_queries

__all__ = ["check_damage", "opened", "reading", "scanned"]


def opened(store: CheckpointStore, workdir: Path, *, ledger: bool = False) -> Opened:
    """Return the files of the checkpoint in force, which stay as they are whatever runs meanwhile.

    Raises NoCheckpointError where there is none, and CheckpointError where it cannot be read.
    """
    files = open_for_queries(store, workdir, ledger=ledger)
    if files is None:
        raise NoCheckpointError(store.location)
    return files


def scanned(file: Path) -> pl.LazyFrame:
    """Scan one file; its name is taken as it is, never as a pattern or a partition."""
    return pl.scan_parquet(file, glob=False, hive_partitioning=False)


@contextmanager
def reading(file: Path, store: CheckpointStore) -> Iterator[None]:
    """Tell what polars raises over a file that is damaged as damage to the checkpoint."""
    try:
        yield
    except (PanicException, PolarsError) as error:
        check_damage(file, store, error)
        raise


def check_damage(file: Path, store: CheckpointStore, error: BaseException) -> None:
    """Raise CorruptCheckpointError where some page of the file cannot be read: that is the cause."""
    try:
        scanned(file).select(pl.all().hash().count()).collect(engine="streaming")
    except (PanicException, PolarsError):
        raise CorruptCheckpointError(store.location, "a part of it is damaged") from error
