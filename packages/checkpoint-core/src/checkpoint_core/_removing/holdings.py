"""What holds a participant: looked up before anything is changed."""

from contextlib import suppress
from pathlib import Path

import polars as pl
from msgspec import Struct

from checkpoint_format.errors import StorageError
from checkpoint_format.layout import CheckpointMetadata
from checkpoint_format.names import Names
from checkpoint_format.rejects import load_rejects
from checkpoint_format.snapshot import tail_of
from checkpoint_format.stores import CheckpointStore, Source, StoredVersion
from checkpoint_format.withholding.applying import load_by
from checkpoint_format.withholding.withheld import Withheld
from checkpoint_queries.exports.files import of_file
from checkpoint_queries.exports.manifest import load_manifest
from checkpoint_queries.exports.paths import called_from, is_named, root


class Holdings(Struct, frozen=True, kw_only=True):
    """What holds the participants, as numbers, and the keys of their event objects.

    `rows` of the checkpoint, `ledger_entries` and `rejects`, also names among the unrecognized, are
    theirs. Of files and versions it is not looked into which hold something of them: `export_files`
    are all that are in force, `older_ledgers`, `previous_files` and `older_versions` all that are
    kept of what was in force before; the last is None where they cannot be listed, which takes a
    permission of its own.
    `source` is where the objects are: the one that was given, or the checkpoint's.
    `objects` are the keys that the ledger or the rejects have of them, and those in the source,
    where one was given, that are named after them. Not those that the ledger has as somebody
    else's, whose event was written over theirs: these are in `overwritten`.
    """

    rows: int
    ledger_entries: int
    rejects: int
    export_files: int
    older_ledgers: int
    previous_files: int
    older_versions: int | None
    source: str
    objects: tuple[str, ...]
    overwritten: tuple[str, ...]


def look_up(
    store: CheckpointStore,
    participants: Withheld,
    source: Source | None,
    workdir: Path,
) -> Holdings:
    """Find out what holds the participants of a list that has no others; changes nothing."""
    names = Names(store.checkpoint_name)
    snapshot, left = load_by(store, workdir, lambda _snapshot: participants)
    metadata, reduced = snapshot.metadata, left.reduced
    if metadata is None or reduced is None:
        raise no_checkpoint(store)
    gone = reduced.gone
    rejects = load_rejects(store, workdir, source=metadata.source)
    keys = [gone["key"]]
    rejected = 0
    for each in (rejects.rows, rejects.unrecognized):
        named = _named(each, participants)
        rejected += named.len()
        keys.append(named)
    manifest, _ = load_manifest(store, must_be_sound=True)
    versions = None
    with suppress(StorageError):
        versions = len(older_versions(store))
    overwritten = gone["key"].clear()
    if source is not None:
        listed = _named(source.list_objects(restore_states=False), participants)
        overwritten = left.ledger.entries(listed.to_frame())["key"]
        keys.append(listed.filter(~listed.is_in(overwritten.implode())))
    return Holdings(
        rows=snapshot.rows - left.rows,
        ledger_entries=gone.height,
        rejects=rejected,
        export_files=sum(len(each.files) for each in manifest.exports.values()),
        older_ledgers=len(store.list_files(names.ledgers)) - len(files_in_force(names, metadata)),
        previous_files=len(store.list_files(names.previous)),
        older_versions=versions,
        source=metadata.source if source is None else source.location,
        objects=tuple(pl.concat(keys).unique().sort()),
        overwritten=tuple(overwritten.sort()),
    )


def no_checkpoint(store: CheckpointStore) -> StorageError:
    """Return the error where there is nothing to take anybody out of."""
    return StorageError(
        f"{store.location}: there is no checkpoint. Nothing was changed. Correct the name."
    )


def files_in_force(names: Names, metadata: CheckpointMetadata) -> set[str]:
    """Return the names of the files in the folder of the ledgers that a checkpoint needs."""
    commit_id, full = metadata.commit_id, metadata.full_ledger
    needed = {names.ledger(commit_id, full), names.digests(commit_id)}
    if full:
        needed.add(names.ledger(full))
    if metadata.unclaimed:
        needed.add(names.unclaimed(metadata.unclaimed))
    return needed


def older_versions(store: CheckpointStore) -> list[StoredVersion]:
    """Return what a versioned store keeps of our files as they were, but not of the list."""
    names = Names(store.checkpoint_name)
    own = (
        names.checkpoint,
        f"{names.ledgers}/",
        names.rejects,
        f"{names.previous}/",
        # What was staged is deleted after each run, which leaves versions.
        f"{names.staged}/",
        names.exports,
    )
    found = {(each.name, each.version_id): each for at in own for each in store.list_versions(at)}
    foreign: dict[str, bool] = {}
    manifest, _ = load_manifest(store, must_be_sound=True)
    for export in manifest.exports.values():
        for path in export.paths:
            folder = f"{root(path)}/" if root(path) else ""
            for each in store.list_versions(folder if "{" in path else path):
                if not is_named(each.name, path):
                    continue
                if each.name not in foreign:
                    foreign[each.name] = _is_foreign(store, each.name)
                if not foreign[each.name]:
                    found[each.name, each.version_id] = each
    return list(found.values())


def _is_foreign(store: CheckpointStore, name: str) -> bool:
    """Whether what is there now under an export's name is not this checkpoint's.

    What was there before a deletion counts as ours: it does not tell any more whose it was.
    """
    tail = tail_of(store, name)
    if tail is None:
        return False
    found = of_file(tail.data)
    return found is None or found.checkpoint != called_from(name, store.location)


def _named(objects: pl.DataFrame, participants: Withheld) -> pl.Series:
    left = participants.without_named(objects)
    return objects.join(left, on="key", how="anti")["key"]
