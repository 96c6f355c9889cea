"""`nacc-checkpoint sql`."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from checkpoint_cli._duckdb.answers import NotOneQueryError, SqlError
from checkpoint_cli._failures import ended_well
from checkpoint_cli._filters import TestCenterOption
from checkpoint_cli._opening import check_damage, opened
from checkpoint_cli._option_groups import with_groups
from checkpoint_cli._options import CheckpointArgument, DebugOption, checkpoint_store
from checkpoint_cli._printing.answers import Answer, Form, deliver
from checkpoint_cli._printing.output import complain, one_line, write_document
from checkpoint_cli.errors import NotInstalledError
from checkpoint_core.responses import ErrorDocument
from checkpoint_storage.scratch import temporary_folder

__all__ = ["sql_command"]


@with_groups
def sql_command(
    checkpoint: CheckpointArgument,
    statement: Annotated[
        str,
        typer.Argument(
            metavar="SQL",
            help="One query over the views checkpoint_events and checkpoint_submissions, in "
            "DuckDB's SQL; - reads it from stdin.",
        ),
    ],
    *,
    include_test_center: TestCenterOption = False,
    form: Form,
    debug: DebugOption = False,
) -> None:
    """Ask the checkpoint a question in SQL.

    The rows are in the view checkpoint_events, and what they say of each submission in
    checkpoint_submissions; `DESCRIBE checkpoint_events` lists its columns. A query cannot change
    anything, nor read any other file.
    """
    store = checkpoint_store(checkpoint)
    with ended_well(as_json=form.as_json, debug=debug), temporary_folder() as workdir:
        given = sys.stdin.buffer.read() if statement == "-" else os.fsencode(statement)
        # A byte that is no text is for DuckDB to complain about, with its place.
        sql = given.decode("utf-8-sig", "replace")
        file = opened(store, workdir).events
        try:
            answer = _ask(sql, file, limit=form.rows, include_test_center=include_test_center)
        except SqlError as error:
            if error.may_be_damage:
                check_damage(file, store, error)
            _tell(error, as_json=form.as_json)
            raise typer.Exit(1) from error
        deliver(answer, form)


def _ask(sql: str, file: Path, *, limit: int | None, include_test_center: bool) -> Answer:
    try:
        # Here, because no other command needs it, and it takes its time.
        from checkpoint_cli._duckdb.process import ask  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "duckdb":
            raise
        raise NotInstalledError("duckdb", needed_by="sql", install="nacc-checkpoint-cli") from None
    try:
        return ask(sql, file, limit=limit, include_test_center=include_test_center)
    except NotOneQueryError as error:
        raise typer.BadParameter(str(error), param_hint="SQL") from error


def _tell(error: SqlError, *, as_json: bool) -> None:
    """Show DuckDB's own words, on as many lines as they have: they point into the statement."""
    lines = str(error).replace("\t", " ").splitlines()
    complain("\n".join(one_line(line) for line in lines))
    if as_json:
        write_document(ErrorDocument.of(error, str(error)))
