"""Bringing exports up to date with the checkpoint in force, as far as time allows.

Whatever is written is written on the condition that the file is still the one that was known. Where
it is another, it tells itself whose it is; and what is newer is decided by the checkpoint in force
alone, which is looked at again then: a run whose commit is no longer in force gives way.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Final, Literal

from msgspec import Struct

from checkpoint_format.errors import CheckpointError, StorageError
from checkpoint_format.inspection import open_for_queries
from checkpoint_format.layout import DamagedFileError
from checkpoint_format.snapshot import own_metadata, tail_of
from checkpoint_format.stores import CheckpointStore, Host
from checkpoint_format.writing import Writing
from checkpoint_queries.exports._definitions import Export, may_meet
from checkpoint_queries.exports._publishing import GiveWay, Publisher
from checkpoint_queries.exports.files import make_groups
from checkpoint_queries.exports.manifest import Exported, GroupFile

_MARGIN_S: Final = 15.0
"""No file is begun when less time than this is left: the largest must still be written."""

State = Literal["current", "made", "partly made", "removed", "given way", "failed"]


class ExportResult(Struct, frozen=True, kw_only=True):
    """What became of one export.

    `current`: it was up to date. `made`: it is now. `partly made`: time ended first, and the next
    update goes on. `removed`: nobody defines it any more. `given way`: another commit is in force
    by now, whose update makes it. `failed`: `problem` says why, and the next update tries again.
    """

    name: str
    state: State
    files: int = 0
    written: int = 0
    removed: int = 0
    problem: str | None = None


def update_exports(
    store: CheckpointStore,
    exports: Sequence[Export],
    *,
    settings: Writing,
    host: Host,
    only_these: bool,
) -> tuple[ExportResult, ...]:
    """Bring the exports up to date with the checkpoint in force; never raises for one of them.

    Guarantee: the checkpoint is only read; a file is replaced in one step, never by older rows than
    it has, and never where it is not an export of this checkpoint. Where all is up to date, the
    cost is to read the manifest and the checkpoint's footer and to list the exports' folders. After
    an update that was not disturbed each export equals its definition applied to the checkpoint,
    whatever earlier ones left behind. Only files of groups whose rows have changed are written.

    Args:
        store: where the checkpoint is; without one, nothing is done.
        exports: the definitions, together sound by `read_exports`.
        settings: say how Parquet is written.
        host: gives the time that is left, and room for local files.
        only_these: exports of other names are removed; otherwise they are kept up to date as well.

    Raises:
        CheckpointError: where the checkpoint or the manifest cannot be read or written.

    """
    if host.remaining_s() < _MARGIN_S:
        # Not even what is asked first: the run has committed, and must still end in time.
        return tuple(ExportResult(name=export.name, state="partly made") for export in exports)
    tail = tail_of(store, store.checkpoint_name)
    if tail is None:
        return ()
    metadata = own_metadata(store, tail.data)
    with host.observer.stage("export"):
        update = _Update(store, host, settings, metadata.commit_id)
        results = update.execute(exports, only_these=only_these)
        host.observer.note(
            exports=len(results),
            files_written=sum(each.written for each in results),
            files_removed=sum(each.removed for each in results),
            exports_failed=sum(each.state == "failed" for each in results),
        )
        return results


class _Update:
    """One update, of a checkpoint at one commit."""

    def __init__(
        self, store: CheckpointStore, host: Host, settings: Writing, commit_id: str
    ) -> None:
        self.store = store
        self.host = host
        self.settings = settings
        self.commit_id = commit_id
        self.publisher = Publisher(store, host, settings, commit_id)
        self.events: Path | None = None

    def execute(self, exports: Sequence[Export], *, only_these: bool) -> tuple[ExportResult, ...]:
        known = self.publisher.manifest.exports
        wanted = {} if only_these else {name: each.definition for name, each in known.items()}
        wanted |= {export.name: export for export in exports}
        self.publisher.wanted = wanted
        dropped = [each.definition for name, each in known.items() if name not in wanted]
        steps = [(each, self._bring) for each in self._by_need(wanted.values())]
        steps += [(each, self._drop) for each in dropped]
        results: dict[str, ExportResult] = {}
        given_way = False
        for export, step in steps:
            result = ExportResult(name=export.name, state="given way")
            try:
                if export.name in wanted:
                    self._refuse_in_the_way(export, wanted.values())
                result = result if given_way else step(export)
            except GiveWay:
                given_way = True
                with suppress(CheckpointError):
                    self.publisher.take_back()
            except (CheckpointError, DamagedFileError) as error:
                problem = str(error) or "the checkpoint is damaged"
                result = ExportResult(name=export.name, state="failed", problem=problem)
            finally:
                # Also of one that failed: the next needs the room.
                rmtree(self._folder_of(export), ignore_errors=True)
            results[export.name] = result
        return tuple(results[name] for name in (*wanted, *(each.name for each in dropped)))

    def _refuse_in_the_way(self, export: Export, exports: Iterable[Export]) -> None:
        """Raise StorageError where an export that is new or changed may write another's files."""
        known = self.publisher.manifest.exports.get(export.name)
        if known and known.definition == export:
            return
        for other in exports:
            if other.name != export.name and may_meet(export.path, other.path):
                message = f"it may write files of export {other.name}; give it another path"
                raise StorageError(message)

    def _by_need(self, exports: Iterable[Export]) -> list[Export]:
        """Put first what has never been made, then what is furthest behind."""
        made = self.publisher.manifest.exports
        return sorted(
            exports, key=lambda each: (made[each.name].commit_id or "") if each.name in made else ""
        )

    def _bring(self, export: Export) -> ExportResult:
        """Bring one export up to date."""
        known = self.publisher.manifest.exports.get(export.name)
        paths = tuple(dict.fromkeys([*(known.paths if known else ()), export.path]))
        there = self.publisher.listed(paths)
        if known and self._is_current(known, export, there):
            return ExportResult(name=export.name, state="current", files=len(known.files))
        if self._is_out_of_time():
            return ExportResult(name=export.name, state="partly made", files=len(there))
        files = known.files if known else {}
        if known is None or paths != known.paths:
            # Before the first file is written under a template: whoever comes next, finds it.
            before = known.definition if known else export
            entry = Exported(definition=before, commit_id=None, paths=paths, files=files)
            if self.publisher.save(export.name, entry):
                # Where a rival has its files, and which, is to be listed again.
                self.publisher.trees.clear()
                return self._bring(export)
        return self._make(export, paths, files, there)

    def _make(
        self,
        export: Export,
        paths: tuple[str, ...],
        known: Mapping[str, GroupFile],
        there: Mapping[str, str],
    ) -> ExportResult:
        groups = make_groups(self._events(), export, self._folder_of(export), self.settings)
        files: dict[str, GroupFile] = {}
        written = removed = 0
        is_whole = True
        for group in groups:
            digest, before = group.digest(), known.get(group.name)
            etag = before.etag if before else None
            if before and before.digest == digest and there.get(group.name) == etag:
                files[group.name] = before
            elif self._is_out_of_time():
                is_whole = False
                files |= {group.name: before} if before else {}
            else:
                files[group.name] = self.publisher.write(
                    export, group, digest, known=etag, is_there=group.name in there
                )
                written += 1
        if is_whole:
            removed = self.publisher.remove(export.name, there.keys() - files.keys())
        self.publisher.save(
            export.name,
            Exported(
                definition=export,
                commit_id=self.commit_id if is_whole else None,
                paths=(export.path,) if is_whole else paths,
                files=files if is_whole else {**known, **files},
            ),
        )
        return ExportResult(
            name=export.name,
            state="made" if is_whole else "partly made",
            files=len(files),
            written=written,
            removed=removed,
        )

    def _drop(self, export: Export) -> ExportResult:
        """Remove an export that nobody defines any more."""
        known = self.publisher.manifest.exports.get(export.name)
        if known is None:  # a rival was first
            return ExportResult(name=export.name, state="removed")
        removed = self.publisher.remove(export.name, self.publisher.listed(known.paths))
        self.publisher.save(export.name, None)
        return ExportResult(name=export.name, state="removed", removed=removed)

    def _folder_of(self, export: Export) -> Path:
        return self.host.workdir / f"export-{export.name}"

    def _events(self) -> Path:
        """Fetch the checkpoint, once."""
        if self.events is None:
            opened = open_for_queries(self.store, self.host.workdir, ledger=False)
            if opened is None or opened.metadata.commit_id != self.commit_id:
                raise GiveWay
            self.events = opened.events
        return self.events

    def _is_out_of_time(self) -> bool:
        return self.host.remaining_s() < _MARGIN_S

    def _is_current(self, known: Exported, export: Export, there: Mapping[str, str]) -> bool:
        """Tell whether all files are there and none is left behind; others' files do not count."""
        return (
            known.definition == export
            and known.commit_id == self.commit_id
            and known.paths == (export.path,)
            and all(there.get(name) == file.etag for name, file in known.files.items())
            and not any(
                self.publisher.is_of(export.name, name)
                for name in there.keys() - known.files.keys()
            )
        )
