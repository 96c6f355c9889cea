"""What the removal of a participant comes to, in words."""

from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from checkpoint_cli._printing.output import table
from checkpoint_cli._printing.text import one_line
from checkpoint_core.removal import Holdings, Participant, Purge, Removal

__all__ = ["removal_told"]

_HELD: Final = {
    "rows": "rows of the checkpoint",
    "ledger_entries": "objects in the ledger",
    "rejects": "objects in the rejects",
    "export_files": "files of exports, which are made anew",
    "older_ledgers": "older ledgers and what is beside them, which --purge deletes",
    "previous_files": "replaced checkpoints in _previous, which --purge deletes",
    "older_versions": "older versions of our files in the bucket, which --purge deletes",
}


def removal_told(
    participants: tuple[Participant, ...],
    removal: Removal | None,
    purged: Purge | None,
    commands: list[str],
    *,
    dry_run: bool,
) -> Iterator[RenderableType]:
    """Tell what held the participants, what became of it, and what is left to the operator."""
    if removal:
        yield from _removed(participants, removal, dry_run=dry_run)
    if purged:
        verb = "Would be deleted" if dry_run else "Deleted"
        yield (
            f"{verb}: {purged.ledgers:,} older ledgers and what is beside them, "
            f"{purged.previous_files:,} replaced checkpoints, {purged.handed_over:,} files of killed "
            f"runs on clusters, {purged.versions:,} older versions."
        )
        if purged.left:
            yield (
                f"{purged.left:,} files may be a run's in progress: purge again after the next "
                "commit; a week later, where they are below _work."
            )
    if commands:
        yield Text("Left to you: the event objects, and backups and copies of any of this.", "bold")
        yield from map(one_line, commands)
    if removal and removal.holdings.overwritten:
        yield Text("And these, which have the name and hold somebody else's event by now:", "bold")
        yield from map(one_line, removal.holdings.overwritten)


def _removed(
    participants: tuple[Participant, ...], removal: Removal, *, dry_run: bool
) -> Iterator[RenderableType]:
    yield table(("center", "ptid"), [(str(adcid), ptid) for adcid, ptid in participants])
    yield table(("found", "what"), _found(removal.holdings))
    if dry_run:
        yield Text("Nothing was changed.", "bold")
    elif removal.commit_id:
        yield Text(f"Taken out by commit {removal.commit_id}.", "bold")
    else:
        yield Text("The checkpoint was without them already.", "bold")


def _found(holdings: Holdings) -> Iterator[tuple[object, str]]:
    for name, meaning in _HELD.items():
        number = getattr(holdings, name)
        yield ("not known" if number is None else number, meaning)
    yield (len(holdings.objects), "event objects that are known, or named after the participant")
