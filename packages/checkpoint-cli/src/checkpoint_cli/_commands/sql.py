"""`nacc-checkpoint sql`."""

from pathlib import Path
from typing import Annotated

import typer

from checkpoint_cli._filters import TestCenterOption
from checkpoint_cli._form import Form
from checkpoint_cli._option_groups import with_groups
from checkpoint_cli._options import CheckpointArgument, DebugOption

__all__ = ["sql_command"]


@with_groups
def sql_command(
    checkpoint: CheckpointArgument,
    statement: Annotated[
        str | None,
        typer.Argument(
            metavar="SQL",
            help="One query over the views checkpoint_events and checkpoint_submissions, in "
            "DuckDB's SQL, comments and all. Without it, or for -, it is read from stdin.",
        ),
    ] = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Read the query from this file instead."),
    ] = None,
    include_test_center: TestCenterOption = False,
    form: Form,
    debug: DebugOption = False,
) -> None:
    """Ask the checkpoint a question in SQL.

    The rows are in the view checkpoint_events, and what they say of each submission in
    checkpoint_submissions; `DESCRIBE checkpoint_events` lists its columns. A query cannot change
    anything, nor read any other file.
    """
    from checkpoint_cli._execution.sql import answer

    answer(
        checkpoint,
        statement,
        file=file,
        include_test_center=include_test_center,
        form=form,
        debug=debug,
    )
