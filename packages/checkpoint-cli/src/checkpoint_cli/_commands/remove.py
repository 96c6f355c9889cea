"""`nacc-checkpoint remove`."""

import secrets
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Final

import typer

from checkpoint_cli._failures import ended_well
from checkpoint_cli._options import (
    CheckpointArgument,
    DebugOption,
    JsonOption,
    checkpoint_store,
    event_source,
)
from checkpoint_cli._printing.deleting import commands_for
from checkpoint_cli._printing.output import write_document, write_lines
from checkpoint_cli._printing.removal import removal_told
from checkpoint_cli.errors import NoCheckpointError
from checkpoint_core import CheckpointError, Host, Settings
from checkpoint_core.exports import ExportResult, update_exports
from checkpoint_core.inspection import open_for_queries
from checkpoint_core.removal import (
    Participant,
    Purge,
    Removal,
    find_participants,
    listed,
    purge,
    remove,
    undo,
)
from checkpoint_core.stores import QuietObserver
from checkpoint_storage.local import local_host
from checkpoint_storage.locations import OpenSource, OpenStore, check_source, familiar
from checkpoint_storage.scratch import temporary_folder

__all__ = ["remove_command"]

_KEY_BYTES: Final = 32
_TAKEN_BACK: Final = (
    "The participant is off the list. The next run takes in what the source still has; overwritten "
    "versions of objects and adopted rows do not come back."
)
_DONE: Final = {"current", "made", "removed"}


def remove_command(
    checkpoint: CheckpointArgument,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[SOURCE]",
            help="The event objects, a directory or s3://bucket/prefix: look there too for objects "
            "that are named after the participant.",
        ),
    ] = None,
    *,
    adcid: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="The participant's center.")
    ] = None,
    ptid: Annotated[
        str | None,
        typer.Option(metavar="P", help="The participant's ptid; leading zeros do not count."),
    ] = None,
    naccid: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Instead, every center and ptid whose rows bear this NACCID."
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what holds the participant, and change nothing."),
    ] = False,
    with_purge: Annotated[
        bool,
        typer.Option(
            "--purge",
            help="Afterwards delete everything of ours that is older: ledgers, replaced checkpoints "
            "and, in a bucket, versions. Also without a participant.",
        ),
    ] = False,
    count: Annotated[
        bool, typer.Option("--list", help="Only count who is withheld; ids are not kept.")
    ] = False,
    take_back: Annotated[
        bool,
        typer.Option(
            "--undo", help="Take the participant off the list; later runs bring the objects back."
        ),
    ] = False,
    list_is_lost: Annotated[
        bool,
        typer.Option(
            "--list-is-lost",
            help="Begin a new list where the old one is gone; every participant must be removed again.",
        ),
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Take a participant out of the checkpoint, its rejects and its exports, for good.

    Later runs withhold the participant's objects, whatever version of the checkpoint is restored.
    """
    given = _given(adcid, ptid, naccid)
    _refuse_odd(given or naccid, dry_run=dry_run, purge=with_purge, count=count, undo=take_back)
    if take_back and not given:
        raise typer.BadParameter("--undo needs them", param_hint="--adcid, --ptid")
    store = checkpoint_store(checkpoint)
    objects = None if source is None else event_source(source)
    with ended_well(as_json=as_json, debug=debug):
        if objects is not None:
            check_source(objects)
        if store.read_tail(store.checkpoint_name, 1) is None:
            raise NoCheckpointError(familiar(store.location))
        with _workdir(store, looking=dry_run or count) as workdir:
            command = _Command(
                store, objects, local_host(workdir, QuietObserver()), as_json=as_json
            )
            if count:
                command.count()
            elif take_back:
                command.undo(given)
            else:
                wanted = given or (command.find(naccid) if naccid else ())
                command.remove(wanted, dry_run=dry_run, purge=with_purge, lost=list_is_lost)


def _given(adcid: int | None, ptid: str | None, naccid: str | None) -> tuple[Participant, ...]:
    if (adcid is None) != (ptid is None):
        raise typer.BadParameter("give both", param_hint="--adcid, --ptid")
    if adcid is not None and naccid is not None:
        raise typer.BadParameter("choose one", param_hint="--ptid, --naccid")
    if ptid is not None and not ptid.strip():
        raise typer.BadParameter("it is empty", param_hint="--ptid")
    return () if adcid is None or ptid is None else ((adcid, ptid),)


def _refuse_odd(
    participant: object, *, dry_run: bool, purge: bool, count: bool, undo: bool
) -> None:
    if count + undo > 1 or (count and (participant or dry_run or purge)) or (undo and purge):
        raise typer.BadParameter("choose one", param_hint="--list, --undo, --purge")
    if undo and dry_run:
        raise typer.BadParameter("choose one", param_hint="--undo, --dry-run")
    if not (participant or purge or count):
        raise typer.BadParameter("say whom", param_hint="--adcid and --ptid, or --naccid")


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
                f"{familiar(self.store.location)}: no row bears this NACCID. Nothing was changed. "
                "Give --adcid and --ptid, as a dry run before has told them: rows that are removed "
                "already cannot be found by it."
            )
            raise CheckpointError(message)
        return found

    def remove(
        self, participants: tuple[Participant, ...], *, dry_run: bool, purge: bool, lost: bool
    ) -> None:
        removal: Removal | None = None
        if participants:
            removal = remove(
                self.store,
                participants,
                source=self.objects,
                settings=Settings(),
                host=self.host,
                new_key=secrets.token_bytes(_KEY_BYTES),
                dry_run=dry_run,
                list_is_lost=lost,
            )
            _refuse_old_exports(removal.exports)
        purged = self._purge(dry_run=dry_run) if purge and not (dry_run and participants) else None
        commands = commands_for(removal.holdings.objects, self._source()) if removal else []
        if self.as_json:
            write_document(
                {
                    "participants": participants,
                    "holdings": removal.holdings if removal else None,
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

    def _source(self) -> str:
        """Return where the objects are: as it is given, or as the checkpoint says."""
        if self.objects:
            return self.objects.location
        opened = open_for_queries(self.store, self.host.workdir, ledger=False)
        return opened.metadata.source if opened else ""


def _refuse_old_exports(exports: tuple[ExportResult, ...]) -> None:
    """Raise CheckpointError where an export may still hold the participant."""
    left = [each.name for each in exports if each.state not in _DONE]
    if left:
        problems = "; ".join(each.problem for each in exports if each.problem)
        raise CheckpointError(
            f"the checkpoint is without the participant, but not yet its exports {', '.join(left)}"
            f"{f' ({problems})' if problems else ''}. Run the same again."
        )
