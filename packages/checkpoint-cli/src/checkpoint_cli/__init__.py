"""The command line `nacc-checkpoint`."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from checkpoint_cli._signals import INTERRUPTED, StoppedError, unwind_on_signals
from checkpoint_cli._version import __version__

__all__ = ["__version__", "main"]


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
    # Here, so that a signal while it is loaded ends in one line.
    from checkpoint_cli._app import app  # noqa: PLC0415

    app(prog_name="nacc-checkpoint")


def _end_untouched(status: str | int | None) -> NoReturn:
    with suppress(OSError):
        sys.stderr.write("Error: interrupted; nothing was done\n")
        sys.stderr.flush()
    sys.exit(status)
