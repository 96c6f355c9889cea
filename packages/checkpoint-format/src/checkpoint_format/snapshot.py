"""Loading the pair that is in force: a checkpoint's metadata and the ledger that it names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl
from msgspec import Struct, structs

from checkpoint_format.digests import Digests, decode_digests, footer_size
from checkpoint_format.errors import (
    ChangedWhileReadingError,
    CorruptCheckpointError,
    MissingCheckpointError,
    MissingLedgerError,
    NewerLayoutError,
    StorageError,
)
from checkpoint_format.layout import (
    LAYOUT_VERSION,
    CheckpointMetadata,
    DamagedFileError,
    LayoutTooNewError,
    LedgerMetadata,
    NotOurFileError,
    read_metadata,
)
from checkpoint_format.ledger import NO_LEDGER, Ledger, LedgerFile
from checkpoint_format.names import Names, generation_of, is_digests
from checkpoint_format.stores import CheckpointStore, Tail
from checkpoint_format.withholding.withheld import NOBODY, Withheld

_TAIL_BYTES: Final = 65_536
_LOOKS: Final = 5
_DIGESTS_SINCE: Final = 3
_LOST: Final = (
    "the file of digests, {}, is gone or damaged, so damage to the checkpoint or its ledger may go "
    "unnoticed; the next commit makes a new one"
)
_ORPHANED: Final = (
    "there was no checkpoint, but the ledger of a first commit: either a first run ended before it "
    "wrote its checkpoint, or is at work now, or the checkpoint was removed after it, or its name "
    "is mistyped. If it was removed, restore it: rows of objects that the source does not hold any "
    "more were only there"
)


class Reduced(Struct, frozen=True, kw_only=True):
    """Local files of what is left where participants were taken out.

    `unclaimed` is there where rows were adopted that no object has claimed. `gone` are the rows of
    the ledger that were taken out.
    """

    rows: Path
    unclaimed: Path | None
    unclaimed_digest: str | None
    gone: pl.DataFrame


class Snapshot(Struct, frozen=True, kw_only=True):
    """What was in force when it was loaded; everything is pinned to that moment.

    Without a checkpoint, `metadata` and `etag` are None and the ledger is empty. Without `digests`,
    which older layouts do not have, damage that the files do not show by themselves goes unnoticed.
    `remarks` is what a person should know of it.
    Where the list of the `withheld` has changed since it was committed, it is what becomes of it by
    the list (`Reduced`), and is to be committed.
    """

    metadata: CheckpointMetadata | None
    etag: str | None
    size_bytes: int
    ledger: Ledger
    generation: int
    digests: Digests | None = None
    remarks: tuple[str, ...] = ()
    withheld: Withheld = NOBODY
    reduced: Reduced | None = None

    @property
    def rows(self) -> int:
        """The number of rows in the checkpoint."""
        return self.metadata.rows if self.metadata else 0

    def check(self, checkpoint: Path) -> None:
        """Raise DamagedFileError unless the file is as it was committed, where that is known."""
        if self.digests:
            self.digests.check_checkpoint(checkpoint)


NOTHING: Final = Snapshot(metadata=None, etag=None, size_bytes=0, ledger=NO_LEDGER, generation=0)


def load(store: CheckpointStore, workdir: Path) -> Snapshot:
    """Load the pair in force, whole and checked, or NOTHING for a first run.

    When the checkpoint is replaced meanwhile, looks again. Raises CorruptCheckpointError,
    NewerLayoutError, MissingLedgerError or MissingCheckpointError; changes nothing.
    """
    names = Names(store.checkpoint_name)
    for _ in range(_LOOKS):
        tail = tail_of(store, store.checkpoint_name)
        if tail is None:
            return _without_checkpoint(store, names)
        alone = _alone(store, tail, workdir)
        metadata, digests = own_metadata(store, tail.data), alone.digests
        ledgers = _ledger_names(names, metadata)
        missing = [name for name in ledgers if not _is_here(store, name, workdir)]
        are_lost = digests is None and metadata.layout >= _DIGESTS_SINCE
        if (missing or are_lost) and _is_replaced(store, tail):
            continue
        if missing:
            raise MissingLedgerError(store.location, f"its ledger, {missing[0]}, is gone")
        files = [_here(name, workdir) for name in ledgers]
        if digests:
            with damage_told(store.location):
                digests.check_ledger(files)
        return structs.replace(
            alone,
            ledger=_ledger(store, metadata, *files),
            remarks=(_LOST.format(names.digests(metadata.commit_id)),) if are_lost else (),
        )
    raise StorageError(
        f"{store.location}: it keeps being replaced; other runs are at work. Try again."
    )


def load_alone(store: CheckpointStore, workdir: Path) -> Snapshot:
    """Load what is in force without its ledger, as of a copy. Raises what `load` raises."""
    tail = tail_of(store, store.checkpoint_name)
    return _alone(store, tail, workdir) if tail else NOTHING


def _alone(store: CheckpointStore, tail: Tail, workdir: Path) -> Snapshot:
    metadata = own_metadata(store, tail.data)
    digests = load_digests(store, metadata.commit_id, workdir)
    if digests:
        with damage_told(store.location):
            digests.check_footer(tail.data)
    return structs.replace(
        NOTHING,
        metadata=metadata,
        etag=tail.etag,
        size_bytes=tail.size_bytes,
        generation=metadata.generation,
        digests=digests,
    )


def load_digests(store: CheckpointStore, commit_id: str, workdir: Path) -> Digests | None:
    """Return the digests of a commit's files; None where they are not there, or damaged."""
    name = Names(store.checkpoint_name).digests(commit_id)
    if not _is_here(store, name, workdir):
        return None
    try:
        return decode_digests(_here(name, workdir).read_bytes(), commit_id)
    except DamagedFileError:
        return None


def fetch_rows(store: CheckpointStore, snapshot: Snapshot, to: Path) -> Path:
    """Fetch the rows that are in force, checked.

    Raises ChangedWhileReadingError where they were replaced, and DamagedFileError.
    """
    if not store.fetch(store.checkpoint_name, to, etag=snapshot.etag):
        raise ChangedWhileReadingError(f"{store.location}: it was removed")
    snapshot.check(to)
    return to


def _is_replaced(store: CheckpointStore, tail: Tail) -> bool:
    again = store.read_tail(store.checkpoint_name, 1)
    return again is None or again.etag != tail.etag


def own_metadata(store: CheckpointStore, file: Path | bytes) -> CheckpointMetadata:
    """Read the metadata in a checkpoint, or in its tail. Raises what `load` raises."""
    try:
        return read_metadata(file, CheckpointMetadata)
    except NotOurFileError:
        raise MissingLedgerError(
            store.location, "was not written by this software and has no ledger"
        ) from None
    except LayoutTooNewError as error:
        raise NewerLayoutError(store.location, error.layout, LAYOUT_VERSION) from None
    except DamagedFileError as error:
        problem = str(error) or "is not a whole Parquet file"
        raise CorruptCheckpointError(store.location, problem) from error


@contextmanager
def damage_told(location: str) -> Iterator[None]:
    """Tell damage that is met on the way as what it is to callers: a corrupt checkpoint."""
    try:
        yield
    except DamagedFileError as error:
        problem = str(error) or "it or its ledger is damaged"
        raise CorruptCheckpointError(location, problem) from error


def look(store: CheckpointStore) -> tuple[str | None, CheckpointMetadata | None]:
    """Return the etag and the metadata of what is in force, both of the same moment.

    The etag is None without a checkpoint; the metadata are where it is not ours, damaged, or newer.
    """
    tail = tail_of(store, store.checkpoint_name)
    if tail is None:
        return None, None
    try:
        return tail.etag, own_metadata(store, tail.data)
    except (MissingLedgerError, CorruptCheckpointError, NewerLayoutError):
        return tail.etag, None


def tail_of(store: CheckpointStore, name: str) -> Tail | None:
    """Read as much of a file's end as its footer needs, where it has one."""
    length = _TAIL_BYTES
    while True:
        tail = store.read_tail(name, length)
        if tail is None:
            return None
        needed = footer_size(tail.data)
        if needed <= len(tail.data) or needed > tail.size_bytes:
            return tail
        length = needed


def _ledger_names(names: Names, metadata: CheckpointMetadata) -> list[str]:
    """Return the names of the full ledger, and of the delta upon it if there is one."""
    if metadata.full_ledger is None:
        return [names.ledger(metadata.commit_id)]
    return [
        names.ledger(metadata.full_ledger),
        names.ledger(metadata.commit_id, metadata.full_ledger),
    ]


def _here(name: str, workdir: Path) -> Path:
    return workdir / f"ledger-{name.rpartition('/')[2]}"


def _is_here(store: CheckpointStore, name: str, workdir: Path) -> bool:
    """Fetch a ledger unless that was done before; a ledger's content never changes."""
    file = _here(name, workdir)
    return file.exists() or store.fetch(name, file)


def _ledger(
    store: CheckpointStore, metadata: CheckpointMetadata, full: Path, delta: Path | None = None
) -> Ledger:
    """Read the ledger that a checkpoint names, and check it against the checkpoint."""
    commit_id, upon = metadata.commit_id, metadata.full_ledger
    try:
        ledger = Ledger(
            full=_ledger_file(full, upon or commit_id, upon=None),
            delta=_ledger_file(delta, commit_id, upon=upon) if delta else None,
        )
        return ledger.checked(rows=metadata.versions_in_ledger)
    except LayoutTooNewError as error:
        raise NewerLayoutError(store.location, error.layout, LAYOUT_VERSION) from None
    except (DamagedFileError, NotOurFileError) as error:
        problem = str(error) or "its ledger is not a whole ledger file"
        raise CorruptCheckpointError(store.location, problem) from error


def _ledger_file(path: Path, commit_id: str, *, upon: str | None) -> LedgerFile:
    metadata = read_metadata(path, LedgerMetadata)
    if metadata.commit_id != commit_id:
        raise DamagedFileError(
            f"its ledger belongs to commit {metadata.commit_id}, not {commit_id}"
        )
    if metadata.full != upon:
        raise DamagedFileError(f"the ledger of commit {commit_id} is not upon {upon or 'nothing'}")
    return LedgerFile(path, metadata)


def latest_generation(store: CheckpointStore) -> int:
    """Return the latest generation of which there is a ledger, 0 without any."""
    folder = Names(store.checkpoint_name).ledgers
    names = [file.name for file in store.list_files(folder)]
    return max((generation_of(name) for name in names if not is_digests(name)), default=0)


def _without_checkpoint(store: CheckpointStore, names: Names) -> Snapshot:
    """Return NOTHING; refuse ledgers of which one must have been that of a checkpoint.

    A ledger of the first generation may be of a run that never got to write its checkpoint.
    """
    generation = latest_generation(store)
    if generation > 1 and store.read_tail(names.checkpoint, 1) is None:
        raise MissingCheckpointError(store.location, generation)
    return structs.replace(NOTHING, remarks=(_ORPHANED,)) if generation else NOTHING
