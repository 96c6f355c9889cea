"""Ctrl-C and SIGTERM, made to end the command in the same way."""

import signal
from types import FrameType
from typing import Final, NoReturn

__all__ = ["INTERRUPTED", "StoppedError", "stop_status", "unwind_on_signals"]

INTERRUPTED: Final = 130
_FIRST_STATUS: Final = 128
_received: Final[list[int]] = []


class StoppedError(SystemExit):
    """Somebody asked this process to end; `code` is the exit status that tells of the signal."""


def unwind_on_signals() -> None:
    """Make both signals raise in this process, so that locks and scratch folders are given back.

    Typer would end without a word on Python's own exception for Ctrl-C.
    """
    signal.signal(signal.SIGTERM, _stop)
    # Whoever starts a program in the background may have it ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)


def stop_status(error: BaseException) -> int | None:
    """Return the exit status where somebody asked the process to end, None where nobody did.

    The error alone does not tell: polars makes one of its own of what is raised in its midst.
    """
    if _received:
        return _FIRST_STATUS + _received[-1]
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else None


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    _received.append(number)
    raise StoppedError(_FIRST_STATUS + number)
