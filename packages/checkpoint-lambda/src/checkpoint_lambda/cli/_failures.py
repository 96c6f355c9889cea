"""How a command ends when something is wrong: one line on stderr, and an exit status."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import typer

from checkpoint_lambda._explanations import ON_THE_COMMAND_LINE, explain
from checkpoint_lambda._responses import ErrorDocument
from checkpoint_lambda.cli._output import complain, one_line, write_document
from checkpoint_lambda.cli._signals import stop_status

__all__ = ["ended_well"]

_FAILED: Final = 1
_NOBODY_READS: Final = 141
_PASSED_ON: Final = (typer.TyperException, typer.Exit, SystemExit, GeneratorExit)


@contextmanager
def ended_well(*, as_json: bool = False, debug: bool = False) -> Iterator[None]:
    """End the command with one line on stderr, and the error document where JSON is wanted.

    No value of an event gets out: messages are shown only of errors that are known to hold none,
    and tracebacks, with `debug`, come without messages and variables.
    """
    try:
        yield
    except BaseException as error:  # this is the entry point; polars panics with one
        status = stop_status(error)
        if status is not None:
            complain("Error: interrupted; the checkpoint is as it was before or complete")
            raise typer.Exit(status) from None
        if isinstance(error, _PASSED_ON):
            raise
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(_NOBODY_READS) from None
        message = one_line(explain(error, ON_THE_COMMAND_LINE))
        if debug:
            complain(_trace(error))
        complain(f"Error: {message}")
        if as_json:
            with suppress(OSError):
                write_document(ErrorDocument.of(error, message))
        raise typer.Exit(_FAILED) from None


def _trace(error: BaseException) -> str:
    """Return where the error and its causes came from: no messages, which may quote an event."""
    parts = []
    cause: BaseException | None = error
    while cause is not None:
        parts += [*traceback.format_tb(cause.__traceback__), f"{type(cause).__qualname__}\n"]
        cause = cause.__cause__ or cause.__context__
    return "".join(parts).rstrip()
