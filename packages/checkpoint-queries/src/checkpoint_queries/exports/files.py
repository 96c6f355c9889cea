"""The files of an export on the local disk, one for each group of rows."""

import io
from collections.abc import Mapping
from pathlib import Path

import msgspec
import polars as pl
from msgspec import Struct

from checkpoint_format.errors import StorageError
from checkpoint_format.layout import DAMAGED
from checkpoint_format.parquet import digest_of, scan, sink, sink_groups
from checkpoint_format.writing import Writing
from checkpoint_queries.exports._definitions import Export
from checkpoint_queries.exports._rows import export_rows
from checkpoint_queries.exports.manifest import METADATA_KEY, FileMetadata
from checkpoint_queries.exports.paths import file_name, group_keys


class Group(Struct, frozen=True, kw_only=True):
    """One group of rows: the name of its file in the store, and the local file without metadata."""

    name: str
    file: Path

    def digest(self) -> str:
        """Return the digest of its rows as they are written: equal rows have an equal one."""
        return digest_of(self.file)

    def finish(self, metadata: FileMetadata, settings: Writing) -> Path:
        """Return a file of the same rows that says what it is."""
        finished = self.file.with_suffix(".finished")
        sink(
            scan(self.file),
            finished,
            metadata={METADATA_KEY: msgspec.json.encode(metadata).decode()},
            compression=settings.compression,
            row_group_rows=settings.row_group_rows,
        )
        return finished


def make_groups(events: Path, export: Export, folder: Path, settings: Writing) -> list[Group]:
    """Write the rows of an export into a new folder, a file for each group, the largest first.

    The rows of a group have the order that `export_rows` gives. They are streamed: memory does not
    grow with the groups. Raises DamagedFileError and StorageError.
    """
    folder.mkdir()
    names: list[str] = []

    def local_file(values: Mapping[str, str | None]) -> Path:
        names.append(file_name(export.path, values))
        return folder / f"{len(names) - 1}.parquet"

    sink_groups(
        export_rows(scan(events), export),
        folder,
        keys=group_keys(export.path),
        file_of=local_file,
        compression=settings.compression,
        row_group_rows=settings.row_group_rows,
    )
    if len(set(names)) < len(names):
        message = (
            f"{export.path}: different groups of rows would have one file. Nothing was written. "
            "Give each placeholder a folder of its own."
        )
        raise StorageError(message)
    groups = [
        Group(name=name, file=folder / f"{number}.parquet") for number, name in enumerate(names)
    ]
    return sorted(groups, key=lambda group: (-group.file.stat().st_size, group.name))


def of_file(tail: bytes) -> FileMetadata | None:
    """Return what a file of an export says about itself; None where it is no such file."""
    try:
        text = pl.read_parquet_metadata(io.BytesIO(tail)).get(METADATA_KEY)
        return msgspec.json.decode(text, type=FileMetadata) if text else None
    except (*DAMAGED, ValueError, RecursionError):
        return None
