"""`nacc-checkpoint remove`."""

from typing import Annotated

import typer

from checkpoint_cli._option_groups import OptionGroup, with_groups
from checkpoint_cli._options import CheckpointArgument, DebugOption, JsonOption

__all__ = ["HowOptions", "WhomOptions", "remove_command"]


class WhomOptions(OptionGroup, frozen=True, kw_only=True):
    """Who is meant: a participant of a center, whoever bears a NACCID, or nobody."""

    adcid: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="The participant's center.")
    ] = None
    ptid: Annotated[
        str | None,
        typer.Option(metavar="P", help="The participant's ptid; leading zeros do not count."),
    ] = None
    naccid: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Instead, every center and ptid whose rows bear this NACCID."
        ),
    ] = None

    def __post_init__(self) -> None:
        """Check what typer cannot: the options together."""
        if (self.adcid is None) != (self.ptid is None):
            raise typer.BadParameter("give both", param_hint="--adcid, --ptid")
        if self.ptid is not None and self.naccid is not None:
            raise typer.BadParameter("choose one", param_hint="--ptid, --naccid")
        if self.ptid is not None and not self.ptid.strip():
            raise typer.BadParameter("it is empty", param_hint="--ptid")

    @property
    def participants(self) -> tuple[tuple[int, str], ...]:
        """Center and ptid, where these are given."""
        return () if self.adcid is None or self.ptid is None else ((self.adcid, self.ptid),)


class HowOptions(OptionGroup, frozen=True, kw_only=True):
    """What is done, in place of taking the participant out or besides."""

    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what holds the participant, and change nothing."),
    ] = False
    purge: Annotated[
        bool,
        typer.Option(
            "--purge",
            help="Afterwards delete everything of ours that is older: ledgers, replaced checkpoints "
            "and, in a bucket, versions. Also without a participant.",
        ),
    ] = False
    count: Annotated[
        bool, typer.Option("--list", help="Only count who is withheld; ids are not kept.")
    ] = False
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Take the participant off the list; later runs bring the objects back."
        ),
    ] = False
    list_is_lost: Annotated[
        bool,
        typer.Option(
            "--list-is-lost",
            help="Begin a new list where the old one is gone; every participant must be removed again.",
        ),
    ] = False


@with_groups
def remove_command(
    checkpoint: CheckpointArgument,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="The event objects, a directory or s3://bucket/prefix: look there too for objects "
            "that are named after the participant.",
        ),
    ] = None,
    *,
    whom: WhomOptions,
    how: HowOptions,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Take a participant out of the checkpoint, its rejects and its exports, for good.

    Later runs withhold the participant's objects, whatever version of the checkpoint is restored.
    """
    from checkpoint_cli._execution.remove import remove

    _refuse_odd(whom, how)
    remove(checkpoint, source, whom, how, as_json=as_json, debug=debug)


def _refuse_odd(whom: WhomOptions, how: HowOptions) -> None:
    anybody = whom.participants or whom.naccid
    alone = not (anybody or how.dry_run or how.purge or how.undo)
    if (how.count and not alone) or (how.undo and how.purge):
        raise typer.BadParameter("choose one", param_hint="--list, --undo, --purge")
    if how.undo and how.dry_run:
        raise typer.BadParameter("choose one", param_hint="--undo, --dry-run")
    if not (anybody or how.purge or how.count):
        raise typer.BadParameter("say whom", param_hint="--adcid and --ptid, or --naccid")
    if how.undo and not whom.participants:
        raise typer.BadParameter("--undo needs them", param_hint="--adcid, --ptid")
