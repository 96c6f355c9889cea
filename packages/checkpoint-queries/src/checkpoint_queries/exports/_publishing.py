"""Writing and removing the files of exports, each on the condition that it is what was known."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import structs

from checkpoint_format.errors import OutcomeUnknownError, StorageError
from checkpoint_format.names import Names
from checkpoint_format.snapshot import look, tail_of
from checkpoint_format.stores import CheckpointStore, Condition, Host, PutOutcome, Tail, back_off
from checkpoint_format.writing import Writing
from checkpoint_queries.exports._definitions import Export
from checkpoint_queries.exports.files import Group, of_file
from checkpoint_queries.exports.manifest import (
    Exported,
    FileMetadata,
    GroupFile,
    Manifest,
    load_manifest,
)
from checkpoint_queries.exports.paths import called_from, is_named, root

_ATTEMPTS: Final = 5
_FOREIGN: Final = (
    "{}: there is a file that is not of this export. It was left alone. Move it away, or give the "
    "export another path."
)


class GiveWay(Exception):  # noqa: N818 - no error: somebody else does it
    """The checkpoint in force is of another commit by now."""


class Publisher:
    """What is published of a checkpoint at one commit: its manifest and the files of exports.

    Every method raises GiveWay where the commit turns out to be no longer in force, and
    StorageError.
    """

    def __init__(
        self, store: CheckpointStore, host: Host, settings: Writing, commit_id: str
    ) -> None:
        """Load the manifest."""
        self.store = store
        self.host = host
        self.settings = settings
        self.commit_id = commit_id
        self.manifest, self.etag = load_manifest(store)
        self.trees: dict[str, dict[str, str]] = {}
        self.written: list[tuple[str, str]] = []
        """Export and name of each file that was written."""
        self.wanted: Mapping[str, Export] = {}

    def write(
        self, export: Export, group: Group, digest: str, *, known: str | None, is_there: bool
    ) -> GroupFile:
        """Write one file, unless it is there already, and return what is there afterwards.

        What is there is looked at first, also where its etag is known: a copy of a checkpoint has
        the manifest of the other, and both may lead to one folder.
        """
        metadata = FileMetadata(
            checkpoint=called_from(group.name, self.store.location),
            export=export.name,
            commit_id=self.commit_id,
            digest=digest,
        )
        file = group.finish(metadata, self.settings)
        etag = None
        for attempt in range(_ATTEMPTS):
            if attempt or is_there:
                tail = tail_of(self.store, group.name)
                etag = tail.etag if tail else None
                if tail:
                    theirs = self._ours(group.name, tail)
                    if theirs is None or self._is_anothers(group.name, theirs, export):
                        raise StorageError(_FOREIGN.format(group.name))
                    if (theirs.export, theirs.digest) == (export.name, digest):
                        return GroupFile(digest=digest, etag=tail.etag)
                    if etag != known:
                        self.check_in_force()
            self.written.append((export.name, group.name))
            with suppress(OutcomeUnknownError):
                outcome = self.store.put_if(group.name, file, Condition(etag))
                if outcome is PutOutcome.REFUSED:
                    back_off(self.host, attempt)
        message = f"{group.name}: it keeps being replaced; other runs are at work."
        raise StorageError(message)

    def _ours(self, name: str, tail: Tail) -> FileMetadata | None:
        """Return what a file says it is; None where it is not an export of this checkpoint."""
        found = of_file(tail.data)
        is_ours = found and found.checkpoint == called_from(name, self.store.location)
        return found if is_ours else None

    def take_back(self) -> None:
        """Remove what was written and is in nobody's manifest, after another commit came first.

        Whoever made that may have taken the export out already, and would never look there again.
        """
        manifest, _ = load_manifest(self.store)
        for export, name in dict.fromkeys(self.written):
            known = manifest.exports.get(export)
            if known and name in known.files:
                continue
            tail = tail_of(self.store, name)
            found = self._ours(name, tail) if tail else None
            if found and (found.export, found.commit_id) == (export, self.commit_id):
                self.store.delete(name)

    def _is_anothers(self, name: str, found: FileMetadata, export: Export) -> bool:
        """Tell whether another export still has its files under such names."""
        other = self.wanted.get(found.export)
        return other is not None and other.name != export.name and is_named(name, other.path)

    def is_of(self, export: str, name: str) -> bool:
        """Tell whether the file is there and says that it is the export's."""
        tail = tail_of(self.store, name)
        found = self._ours(name, tail) if tail else None
        return found is not None and found.export == export

    def remove(self, export: str, names: Iterable[str]) -> int:
        """Remove those of the files that are the export's by now; return how many those were."""
        removed = 0
        for number, name in enumerate(names):
            if number == 0:
                self.check_in_force()
            if self.is_of(export, name):
                self.store.delete(name)
                removed += 1
        return removed

    def save(self, name: str, entry: Exported | None) -> bool:
        """Put an entry into the manifest, or take it out, whatever others have done to the rest.

        Returns whether a rival had meanwhile another one there; its paths are kept in ours.
        """
        has_rival = False
        file = self.host.workdir / "exports.json"
        target = Names(self.store.checkpoint_name).exports
        for attempt in range(_ATTEMPTS):
            others = {key: each for key, each in self.manifest.exports.items() if key != name}
            wanted = Manifest(exports=others | ({name: entry} if entry else {}))
            file.write_bytes(msgspec.json.encode(wanted))
            with suppress(OutcomeUnknownError):
                if self.store.put_if(target, file, Condition(self.etag)) is PutOutcome.REFUSED:
                    back_off(self.host, attempt)
            before = self.manifest.exports.get(name)
            self.manifest, self.etag = load_manifest(self.store)
            theirs = self.manifest.exports.get(name)
            if theirs == entry:
                return has_rival
            if entry and theirs and theirs != before:
                # A rival defines it otherwise: the next update looks where its files may lie, too.
                paths = tuple(dict.fromkeys([*theirs.paths, *entry.paths]))
                entry = structs.replace(entry, paths=paths)
                has_rival = True
            self.check_in_force()
        message = f"{target}: it keeps being replaced; other runs are at work."
        raise StorageError(message)

    def listed(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the etags of the files whose names the templates may have given."""
        found: dict[str, str] = {}
        for path in paths:
            folder = root(path)
            if folder not in self.trees:
                self.trees[folder] = self.store.list_tree(folder)
            found |= {n: etag for n, etag in self.trees[folder].items() if is_named(n, path)}
        return found

    def check_in_force(self) -> None:
        _, metadata = look(self.store)
        if metadata is None or metadata.commit_id != self.commit_id:
            raise GiveWay
