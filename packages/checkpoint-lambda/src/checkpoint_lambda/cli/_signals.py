"""SIGTERM, made to end a run as Ctrl-C does."""

import signal
from types import FrameType
from typing import Final, NoReturn

__all__ = ["TERMINATED", "TerminatedError", "unwind_on_termination"]

TERMINATED: Final = 143


class TerminatedError(SystemExit):
    """Somebody asked this process to end."""


def unwind_on_termination() -> None:
    """Make SIGTERM raise in this process, so that locks and scratch folders are given back."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise TerminatedError(TERMINATED)
