"""What `nacc-checkpoint sql` does."""

import os
import shlex
import sys
from pathlib import Path

import typer

from checkpoint_cli._duckdb.answers import NotOneQueryError, SqlError
from checkpoint_cli._duckdb.process import ask
from checkpoint_cli._failures import ended_well
from checkpoint_cli._form import Form
from checkpoint_cli._opening import check_damage, opened
from checkpoint_cli._options import checkpoint_store
from checkpoint_cli._printing.answers import deliver
from checkpoint_cli._printing.text import complain, one_line, write_document
from checkpoint_core.responses import ErrorDocument
from checkpoint_storage.scratch import temporary_folder

__all__ = ["answer"]

_STDIN = "-"


def answer(
    checkpoint: str,
    statement: str | None,
    *,
    file: Path | None,
    include_test_center: bool,
    form: Form,
    debug: bool,
) -> None:
    """Answer the query, from wherever it is given, in the form that is asked for."""
    store = checkpoint_store(checkpoint)
    with ended_well(as_json=form.as_json, debug=debug), temporary_folder() as workdir:
        # A byte that is no text is for DuckDB to complain about, with its place.
        sql = _given(statement, file).decode("utf-8-sig", "replace")
        events = opened(store, workdir).events
        try:
            found = ask(sql, events, limit=form.rows, include_test_center=include_test_center)
        except NotOneQueryError as error:
            raise typer.BadParameter(str(error), param_hint="SQL") from error
        except SqlError as error:
            if error.may_be_damage:
                check_damage(events, store, error)
            _tell(error, as_json=form.as_json)
            raise typer.Exit(1) from error
        deliver(found, form)


def _given(statement: str | None, file: Path | None) -> bytes:
    """Return the query as it was written; whatever is none, and more than one, is wrong usage."""
    if file is not None:
        if statement is not None:
            raise typer.BadParameter("choose one", param_hint="SQL, --file")
        try:
            return file.read_bytes()
        except OSError as error:
            message = f"{one_line(str(file))}: {error.strerror}"
            raise typer.BadParameter(message, param_hint="--file") from error
    if statement is None and sys.stdin.isatty():
        message = "give a query: here, by --file FILE, or on stdin"
        raise typer.BadParameter(message, param_hint="SQL")
    if statement is None or statement == _STDIN:
        return sys.stdin.buffer.read()
    if statement.endswith(".sql") or os.path.isfile(statement):  # noqa: PTH113 - any text may come, also one that is too long for a name
        named = one_line(shlex.quote(statement))
        message = f"this names a file; to ask what is in it: --file {named}"
        raise typer.BadParameter(message, param_hint="SQL")
    return os.fsencode(statement)


def _tell(error: SqlError, *, as_json: bool) -> None:
    """Show DuckDB's own words, on as many lines as they have: they point into the statement."""
    lines = str(error).replace("\t", " ").splitlines()
    complain("\n".join(one_line(line) for line in lines))
    if as_json:
        write_document(ErrorDocument.of(error, str(error)))
