"""`nacc-checkpoint doctor`."""

from typing import Annotated

import typer

from checkpoint_cli._options import CheckpointArgument, DebugOption, JsonOption, SourceArgument

__all__ = ["doctor_command"]


def doctor_command(
    source: SourceArgument,
    checkpoint: CheckpointArgument,
    *,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Write nothing, not even a probe.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check everything that a run relies on: access, conditional writes, encryption, settings.

    Writes a probe beside the ledgers and removes it. The exit status is 1 if a check fails; a
    warning does not stop a run.
    """
    from checkpoint_cli._execution.doctor import check

    check(source, checkpoint, read_only=read_only, as_json=as_json, debug=debug)
