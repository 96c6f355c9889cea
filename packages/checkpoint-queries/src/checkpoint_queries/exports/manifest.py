"""What has been exported: by definition, from which commit, in which files."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from checkpoint_format.errors import NewerLayoutError, StorageError
from checkpoint_format.names import CommitId, Names
from checkpoint_format.stores import CheckpointStore
from checkpoint_queries.exports._definitions import Export

LAYOUT: Final = 1
METADATA_KEY: Final = "nacc.export"
_MOST_BYTES: Final = 64 * 1_048_576


class GroupFile(Struct, frozen=True, kw_only=True):
    """One file of an export: the digest of its rows, and the etag that the store gave it."""

    digest: str
    etag: str


class Exported(Struct, frozen=True, kw_only=True):
    """What is there of an export.

    `commit_id` is the commit that all files are as of; None while they are not all. `paths` are
    the templates under which files of it may still lie, the definition's own last.
    """

    definition: Export
    commit_id: CommitId | None
    paths: tuple[str, ...]
    files: dict[str, GroupFile]


class Manifest(Struct, frozen=True, kw_only=True):
    """Every export of a checkpoint, by name."""

    layout: Annotated[int, Meta(ge=1)] = LAYOUT
    exports: dict[str, Exported] = {}


class _LayoutOnly(Struct):
    layout: int


class FileMetadata(Struct, frozen=True, kw_only=True):
    """What a file of an export says about itself, below METADATA_KEY.

    `checkpoint` is its name, with as many folders before it as the file's name leads out of;
    `commit_id` is the commit by which it was last changed, `digest` that of its rows.
    """

    checkpoint: str
    export: str
    commit_id: str
    digest: str


def load_manifest(
    store: CheckpointStore, *, must_be_sound: bool = False
) -> tuple[Manifest, str | None]:
    """Return the manifest and its etag; an empty one where there is none, or a damaged one.

    Nothing is lost with a damaged one but definitions: each file says what it is. Whoever has to
    know all files that there are wants it sound. Raises NewerLayoutError where newer software wrote
    it, and StorageError where it `must_be_sound` and is damaged.
    """
    name = Names(store.checkpoint_name).exports
    tail = store.read_tail(name, _MOST_BYTES)
    if tail is None:
        return Manifest(), None
    try:
        layout = msgspec.json.decode(tail.data, type=_LayoutOnly).layout
        if layout > LAYOUT:
            raise NewerLayoutError(f"{store.location}, its exports", layout, LAYOUT)
        return msgspec.json.decode(tail.data, type=Manifest), tail.etag
    except (ValueError, RecursionError) as error:
        if must_be_sound:
            raise StorageError(
                f"{store.location}: {name} is damaged, so it is not known what has been exported. "
                "Nothing was changed. Export everything again, and do the same again."
            ) from error
        return Manifest(), tail.etag
