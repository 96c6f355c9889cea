"""`nacc-checkpoint help`."""

from typing import Annotated

import typer

from checkpoint_cli._choices import COMMANDS, choice

__all__ = ["help_command"]


def help_command(
    context: typer.Context,
    command: Annotated[
        str | None,
        typer.Argument(help="The command.", **choice("command", COMMANDS, metavar="COMMAND")),
    ] = None,
) -> None:
    """Explain a command, as its --help does, or list all of them."""
    context.find_root().command.main([*filter(None, [command]), "--help"], "nacc-checkpoint")
