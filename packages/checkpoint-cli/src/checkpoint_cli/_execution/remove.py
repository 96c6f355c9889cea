"""What `nacc-checkpoint remove` does."""

import secrets
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from checkpoint_cli._commands.remove import HowOptions, WhomOptions
from checkpoint_cli._failures import ended_well
from checkpoint_cli._options import checkpoint_store, event_source
from checkpoint_cli._printing.deleting import commands_for
from checkpoint_cli._printing.output import write_lines
from checkpoint_cli._printing.removal import removal_told
from checkpoint_cli._printing.text import write_document
from checkpoint_cli.errors import NoCheckpointError
from checkpoint_core import CheckpointError, Host, Settings
from checkpoint_core.removal import (
    Participant,
    Purge,
    Removal,
    find_participants,
    listed,
    purge,
    undo,
)
from checkpoint_core.removal import remove as take_out
from checkpoint_format.stores import QuietObserver
from checkpoint_queries.exports import ExportResult, update_exports
from checkpoint_storage.local import local_host
from checkpoint_storage.locations import OpenSource, OpenStore, check_source
from checkpoint_storage.scratch import temporary_folder

__all__ = ["remove"]

_KEY_BYTES: Final = 32
_TAKEN_BACK: Final = (
    "The participant is off the list. The next run takes in what the source still has; overwritten "
    "versions of objects and adopted rows do not come back."
)
_DONE: Final = {"current", "made", "removed"}


def remove(
    checkpoint: str,
    source: str | None,
    whom: WhomOptions,
    how: HowOptions,
    *,
    as_json: bool,
    debug: bool,
) -> None:
    """Take participants out, or off the list, or count who is on it; tell what was done."""
    store = checkpoint_store(checkpoint)
    objects = None if source is None else event_source(source)
    with ended_well(as_json=as_json, debug=debug):
        if objects is not None:
            check_source(objects)
        if store.read_tail(store.checkpoint_name, 1) is None:
            raise NoCheckpointError(store.location)
        with _workdir(store, looking=how.dry_run or how.count) as workdir:
            host = local_host(workdir, QuietObserver())
            command = _Command(store, objects, host, as_json=as_json)
            if how.count:
                command.count()
            elif how.undo:
                command.undo(whom.participants)
            else:
                command.remove(whom, how)


def _workdir(store: OpenStore, *, looking: bool) -> AbstractContextManager[Path]:
    return temporary_folder() if looking else store.scratch()


class _Command:
    """What the command does with one checkpoint."""

    def __init__(
        self, store: OpenStore, objects: OpenSource | None, host: Host, *, as_json: bool
    ) -> None:
        self.store = store
        self.objects = objects
        self.host = host
        self.as_json = as_json

    def count(self) -> None:
        counted = listed(self.store, self.host)
        if self.as_json:
            write_document(counted)
            return
        applied = "" if counted.is_applied else "; the next run takes them out of the checkpoint"
        told = (
            f"{counted.participants:,} participants are withheld, {counted.objects:,} objects known"
        )
        write_lines([f"{told}{applied}."])

    def undo(self, participants: tuple[Participant, ...]) -> None:
        was_there = undo(self.store, participants, host=self.host)
        if self.as_json:
            write_document({"was_withheld": was_there})
        elif was_there:
            write_lines([_TAKEN_BACK])
        else:
            write_lines(["This participant is not on the list. Nothing was changed."])

    def find(self, naccid: str) -> tuple[Participant, ...]:
        """Return whom the rows know by this; raises CheckpointError where that is nobody."""
        found = find_participants(self.store, self.host, naccid)
        if not found:
            message = (
                f"{self.store.location}: no row bears this NACCID. Nothing was changed. "
                "Give --adcid and --ptid, as a dry run before has told them: rows that are removed "
                "already cannot be found by it."
            )
            raise CheckpointError(message)
        return found

    def remove(self, whom: WhomOptions, how: HowOptions) -> None:
        participants, dry_run = whom.participants, how.dry_run
        if whom.naccid:
            participants = self.find(whom.naccid)
        removal: Removal | None = None
        if participants:
            removal = take_out(
                self.store,
                participants,
                source=self.objects,
                settings=Settings(),
                host=self.host,
                new_key=secrets.token_bytes(_KEY_BYTES),
                dry_run=dry_run,
                list_is_lost=how.list_is_lost,
            )
            _refuse_old_exports(removal.exports)
        purged = (
            self._purge(dry_run=dry_run) if how.purge and not (dry_run and participants) else None
        )
        held = removal.holdings if removal else None
        commands = commands_for(held.objects, held.source) if held else []
        if self.as_json:
            write_document(
                {
                    "participants": participants,
                    "holdings": held,
                    "commit_id": removal.commit_id if removal else None,
                    "exports": removal.exports if removal else (),
                    "purge": purged,
                    "commands": commands,
                }
            )
        else:
            write_lines(removal_told(participants, removal, purged, commands, dry_run=dry_run))

    def _purge(self, *, dry_run: bool) -> Purge:
        if not dry_run:
            settings, host = Settings(), self.host
            _refuse_old_exports(
                update_exports(self.store, (), settings=settings, host=host, only_these=False)
            )
        return purge(self.store, host=self.host, dry_run=dry_run)


def _refuse_old_exports(exports: tuple[ExportResult, ...]) -> None:
    """Raise CheckpointError where an export may still hold the participant."""
    left = [each.name for each in exports if each.state not in _DONE]
    if left:
        problems = "; ".join(each.problem for each in exports if each.problem)
        raise CheckpointError(
            f"the checkpoint is without the participant, but not yet its exports {', '.join(left)}"
            f"{f' ({problems})' if problems else ''}. Run the same again."
        )
