"""A working folder for those who must not, or need not, write beside the checkpoint."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["temporary_folder"]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make an empty folder where the system keeps temporary files; removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="nacc-checkpoint-") as folder:
        yield Path(folder)
