"""The command line `nacc-checkpoint`."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from checkpoint_cli._signals import INTERRUPTED, StoppedError, unwind_on_signals
from checkpoint_cli._version import __version__

__all__ = ["__version__", "main"]

_EXTRA = ("rich", "typer")


def main() -> NoReturn:
    """Run the command line with this process's arguments, and end the process.

    Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted (Ctrl-C), 143 terminated, 141 when
    nobody reads the output any more.
    """
    _open_streams()
    try:
        unwind_on_signals()
        _start()
    # A command that has begun tells of these itself; until then they come here.
    except StoppedError as error:
        _end_untouched(error.code)
    except KeyboardInterrupt:
        _end_untouched(INTERRUPTED)
    sys.exit()


def _open_streams() -> None:
    """Put an empty file where whoever started this has closed a standard stream."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end


def _start() -> None:
    try:
        # Here, so that its absence, and a signal during the second that it takes, end in one line.
        from checkpoint_cli._app import app  # noqa: PLC0415
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
        sys.exit(
            f"Error: {missing} is not installed, which the command line needs. "
            "Install it with: pip install nacc-checkpoint-cli"
        )
    app(prog_name="nacc-checkpoint")


def _end_untouched(status: str | int | None) -> NoReturn:
    with suppress(OSError):
        sys.stderr.write("Error: interrupted; nothing was done\n")
        sys.stderr.flush()
    sys.exit(status)
