"""The command line `nacc-checkpoint`."""

import sys
from typing import NoReturn

from checkpoint_lambda.cli._signals import unwind_on_termination

__all__ = ["main"]

_EXTRA = ("rich", "typer")


def main() -> NoReturn:
    """Run the command line with this process's arguments, and end the process.

    Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted (Ctrl-C), 143 terminated, 141 when
    nobody reads the output any more.
    """
    unwind_on_termination()
    try:
        # Here, so that its absence, and Ctrl-C during the second that it takes, end in one line.
        from checkpoint_lambda.cli._app import app  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.exit(
            f"Error: {error.name} is not installed, which the command line needs. "
            "Install it with: pip install 'nacc-checkpoint-lambda[cli]'"
        )
    except KeyboardInterrupt:
        sys.stderr.write("Error: interrupted; nothing was done yet\n")
        sys.exit(130)
    app(prog_name="nacc-checkpoint")
    sys.exit()
