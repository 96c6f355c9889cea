"""How a command ends when something is wrong: one line on stderr, and an exit status."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import typer

from checkpoint_cli._printing.text import complain, one_line, write_document
from checkpoint_cli._signals import stop_status
from checkpoint_core.explanations import Advice, explain

__all__ = ["ended_well", "what_is_wrong"]

_ADVICE: Final = Advice(
    no_space="Make room there, and run again.",
    other_system_error="Check the space and the permissions there, and run again.",
    no_memory="Lower --max-events-per-run and --batch-objects, and run again.",
    bug="Please report it, with what --debug prints.",
)
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
        message = what_is_wrong(error)
        if debug:
            complain(_trace(error))
        complain(f"Error: {message}")
        if as_json:
            # Here, because it comes with polars, which not every command needs.
            from checkpoint_core.responses import ErrorDocument  # noqa: PLC0415

            with suppress(OSError):
                write_document(ErrorDocument.of(error, message))
        raise typer.Exit(_FAILED) from None


def what_is_wrong(error: BaseException) -> str:
    """Return what is wrong and what to do, in one line without a value of an event."""
    return one_line(explain(error, _ADVICE))


def _trace(error: BaseException) -> str:
    """Return where the error and its causes came from: no messages, which may quote an event."""
    parts = []
    cause: BaseException | None = error
    while cause is not None:
        parts += [*traceback.format_tb(cause.__traceback__), f"{type(cause).__qualname__}\n"]
        cause = cause.__cause__ or cause.__context__
    return "".join(parts).rstrip()
