"""`nacc-checkpoint verify`."""

from typing import Annotated

import typer

from checkpoint_cli._options import (
    CheckpointArgument,
    DebugOption,
    ExcludeProjectOption,
    JsonOption,
    option,
)
from nacc_event_model import EventFormat

__all__ = ["verify_command"]


def verify_command(
    checkpoint: CheckpointArgument,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="The event objects, a directory or s3://bucket/prefix: "
            "check too that every one of them is accounted for.",
        ),
    ] = None,
    *,
    event_format: Annotated[
        EventFormat | None,
        option("event_format", also="[default: the checkpoint's own]"),
    ] = None,
    exclude_project: ExcludeProjectOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check that the checkpoint can be read whole, and that rows, metadata and ledger agree.

    Reads everything and changes nothing. The exit status is 1 if a check fails.
    """
    from checkpoint_cli._execution.verify import check

    check(
        checkpoint,
        source,
        event_format=event_format,
        exclude_projects=exclude_project,
        as_json=as_json,
        debug=debug,
    )
