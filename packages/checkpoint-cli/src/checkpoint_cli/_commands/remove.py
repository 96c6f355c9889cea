"""`nacc-checkpoint remove`."""

from typing import Annotated

import typer

from checkpoint_cli._options import CheckpointArgument, DebugOption, JsonOption

__all__ = ["remove_command"]


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
    from checkpoint_cli._execution.remove import Removing, remove

    if (adcid is None) != (ptid is None):
        raise typer.BadParameter("give both", param_hint="--adcid, --ptid")
    if adcid is not None and naccid is not None:
        raise typer.BadParameter("choose one", param_hint="--ptid, --naccid")
    if ptid is not None and not ptid.strip():
        raise typer.BadParameter("it is empty", param_hint="--ptid")
    given = () if adcid is None or ptid is None else ((adcid, ptid),)
    _refuse_odd(given or naccid, dry_run=dry_run, purge=with_purge, count=count, undo=take_back)
    if take_back and not given:
        raise typer.BadParameter("--undo needs them", param_hint="--adcid, --ptid")
    remove(
        checkpoint,
        source,
        Removing(
            participants=given,
            naccid=naccid,
            dry_run=dry_run,
            purge=with_purge,
            count=count,
            undo=take_back,
            list_is_lost=list_is_lost,
        ),
        as_json=as_json,
        debug=debug,
    )


def _refuse_odd(
    participant: object, *, dry_run: bool, purge: bool, count: bool, undo: bool
) -> None:
    if count + undo > 1 or (count and (participant or dry_run or purge)) or (undo and purge):
        raise typer.BadParameter("choose one", param_hint="--list, --undo, --purge")
    if undo and dry_run:
        raise typer.BadParameter("choose one", param_hint="--undo, --dry-run")
    if not (participant or purge or count):
        raise typer.BadParameter("say whom", param_hint="--adcid and --ptid, or --naccid")
