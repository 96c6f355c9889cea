"""`nacc-checkpoint show`."""

from checkpoint_cli._options import CheckpointArgument, DebugOption, JsonOption

__all__ = ["show_command"]


def show_command(
    checkpoint: CheckpointArgument, *, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Show what a checkpoint holds: size, rows, time span, last run, counts by center and action."""
    from checkpoint_cli._execution.show import show

    show(checkpoint, as_json=as_json, debug=debug)
