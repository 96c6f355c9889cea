"""`nacc-checkpoint rejects`."""

from typing import Annotated

import typer

from checkpoint_cli._choices import OUTCOMES, choice
from checkpoint_cli._form import SHOWN
from checkpoint_cli._options import (
    CheckpointArgument,
    CsvOption,
    CsvSafeOption,
    DebugOption,
    JsonOption,
)

__all__ = ["rejects_command"]


def rejects_command(
    checkpoint: CheckpointArgument,
    *,
    outcome: Annotated[
        str | None,
        typer.Option(
            help=f"Only objects that came to this end: {', '.join(OUTCOMES)}.",
            **choice("outcome", OUTCOMES),
        ),
    ] = None,
    key_contains: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only objects with this text in their name.")
    ] = None,
    unrecognized: Annotated[
        bool,
        typer.Option(
            "--unrecognized",
            help="Instead, every object that the last run did not take for an event object, by its name.",
        ),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help=f"At most so many. [default: {SHOWN} in the table, else all]"
        ),
    ] = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    debug: DebugOption = False,
) -> None:
    """List the objects that are not in the checkpoint, or whose newest content is not, and why."""
    from checkpoint_cli._execution.rejects import list_rejects

    list_rejects(
        checkpoint,
        outcome=outcome,
        key_contains=key_contains,
        unrecognized=unrecognized,
        limit=limit,
        as_json=as_json,
        as_csv=as_csv,
        csv_safe=csv_safe,
        debug=debug,
    )
