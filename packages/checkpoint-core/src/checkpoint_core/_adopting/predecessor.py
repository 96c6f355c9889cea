"""The checkpoint that an adoption or a rebuild replaces, and the rows that are there to adopt."""

from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from checkpoint_core._adopting.normalizing import ExistingRows, normalize, unite
from checkpoint_core._committing.replacement import Task, refuse_mismatch
from checkpoint_core.errors import NothingToAdoptError
from checkpoint_format.errors import (
    ChangedWhileReadingError,
    CorruptCheckpointError,
    MissingLedgerError,
)
from checkpoint_format.event_columns import event_schema
from checkpoint_format.layout import CheckpointMetadata, DamagedFileError
from checkpoint_format.parquet import count_rows, digest_of, read_all
from checkpoint_format.snapshot import (
    NOTHING,
    Snapshot,
    latest_generation,
    load,
    load_digests,
    own_metadata,
)
from checkpoint_format.withholding.applying import without_participants
from checkpoint_format.withholding.listing import load_withheld, refuse_older
from checkpoint_format.withholding.withheld import Withheld

_LEAVE_OUT: Final = "Give another version of this file, or leave it out."


class Predecessor(Struct, frozen=True, kw_only=True):
    """What is there before the checkpoint is rewritten.

    `original` is the file as it is, None where there is none; `existing` its rows together with
    those of other files that are adopted, None where they cannot be read or there are none; without
    those of withheld participants. `snapshot` has its etag, the list, and an empty ledger.
    """

    original: Path | None
    existing: ExistingRows | None
    snapshot: Snapshot
    lineage: tuple[str, ...]


def find_predecessor(task: Task) -> Predecessor:
    """Pin what is there; raises where adoption or rebuilding makes no sense, changes nothing."""
    store, adopting = task.store, task.request.mode == "adopt"
    tail = store.read_tail(store.checkpoint_name, 1)
    generation = latest_generation(store)
    if tail is None:
        if adopting and not task.request.adopt_from:
            raise NothingToAdoptError(store.location, "there is no checkpoint")
        withheld = _withheld(task, None)
        # A ledger of the first generation proves no checkpoint; one of the second would.
        known = generation if generation > 1 else 0
        return Predecessor(
            original=None,
            existing=_existing(None, task, withheld),
            snapshot=structs.replace(NOTHING, generation=known, withheld=withheld),
            lineage=(),
        )
    original = task.host.workdir / "original.parquet"
    if not store.fetch(store.checkpoint_name, original, etag=tail.etag):
        raise ChangedWhileReadingError(f"{store.location}: it was removed meanwhile. Try again.")
    metadata = _metadata(original, task)
    refuse_mismatch(metadata, task)
    is_ours = metadata is not None and metadata.source == task.source
    if adopting and (is_ours or task.request.adopt_from):
        _refuse_sound_pair(original, task)
    if metadata is not None and task.request.adopt_from:
        problem = "it may hold the rows of these files already, and its ledger is lost"
        remedy = "Run with --adopt alone to keep its rows, or give a new checkpoint."
        raise NothingToAdoptError(store.location, problem, remedy)
    if metadata is not None:
        generation = max(generation, metadata.generation)
    withheld = _withheld(task, metadata)
    return Predecessor(
        original=original,
        existing=_existing(original, task, withheld, metadata),
        snapshot=structs.replace(
            NOTHING,
            etag=tail.etag,
            size_bytes=tail.size_bytes,
            generation=generation,
            withheld=withheld,
        ),
        lineage=metadata.lineage if metadata else (),
    )


def _refuse_sound_pair(original: Path, task: Task) -> None:
    try:
        load(task.store, task.host.workdir).check(original)
        read_all(original)
    except (MissingLedgerError, CorruptCheckpointError, DamagedFileError):
        return
    raise NothingToAdoptError(task.store.location, "it has a ledger already")


def _metadata(original: Path, task: Task) -> CheckpointMetadata | None:
    """Read what the file says about itself; None where it is not ours or cannot be read."""
    try:
        return own_metadata(task.store, original)
    except (MissingLedgerError, CorruptCheckpointError):
        return None


def _withheld(task: Task, metadata: CheckpointMetadata | None) -> Withheld:
    """Return the list in force; it is read after the checkpoint, as every load does it."""
    withheld, _ = load_withheld(task.store)
    refuse_older(task.store, metadata, withheld)
    return withheld


def _existing(
    original: Path | None,
    task: Task,
    withheld: Withheld,
    metadata: CheckpointMetadata | None = None,
) -> ExistingRows | None:
    """Bring all rows that are there into one file; None where a rebuild cannot read them.

    Those of withheld participants are left out, whichever file they are in.
    `metadata` are those of the original, where it is ours: its digest is then looked at before.
    """
    store, workdir = task.store, task.host.workdir
    digests = load_digests(store, metadata.commit_id, workdir) if metadata else None
    files = [(store.location, original)] if original else []
    files += [(each.location, each.path) for each in task.request.adopt_from]
    schema = event_schema(task.settings.event_format)
    parts: list[ExistingRows] = []
    locations: dict[str, str] = {}
    for number, (location, path) in enumerate(files):
        try:
            if digests and path == original:
                digests.check_checkpoint(path)
            parts.append(normalize(path, workdir / f"existing-{number}.parquet", schema))
        except DamagedFileError as error:
            if task.request.mode != "adopt":
                return None
            problem = str(error) or "is not a whole Parquet file"
            remedy = None if path == original else _LEAVE_OUT
            raise CorruptCheckpointError(location, problem, remedy) from error
        twin = locations.setdefault(digest_of(path), location)
        if twin != location and parts[-1].rows:
            raise CorruptCheckpointError(
                location,
                f"it is a copy of {twin}, and all its rows would be there twice",
                _LEAVE_OUT,
            )
    if not parts:
        return None
    united = unite(parts, workdir / "existing.parquet")
    file = without_participants(united.file, withheld, workdir / "existing-kept.parquet")
    return ExistingRows(file=file, rows=count_rows(file))
