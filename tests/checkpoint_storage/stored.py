"""Files to be stored, and what is stored."""

from pathlib import Path

from checkpoint_format.stores import CheckpointStore, Condition, Tail

NAME = "events.parquet"
FIRST = Condition(None)


def written(folder: Path, data: bytes) -> Path:
    """Write a local file."""
    file = folder / "file"
    file.write_bytes(data)
    return file


def present(store: CheckpointStore, name: str = NAME) -> Tail:
    """Return the whole of a stored file."""
    tail = store.read_tail(name, 10_000_000)
    assert tail is not None
    return tail
