"""Starts commands that strike themselves, each as a process of its own that has imported already.

Read from stdin, a line of JSON each, and answered with a number each:

    ["start", OUTPUT, ENVIRONMENT, BLOW, N, ARGUMENTS...]   the process that was started
    ["wait", PROCESS]                                       how it ended

BLOW is a signal (`SIGKILL`, ...), which the process sends itself at its n-th change of the file
system; `count` only says on stderr how many changes there were, and `none` nothing. What the
command writes is in the files OUTPUT.out and OUTPUT.err. ARGUMENTS are those of the command line;
without any, it is the function that is invoked.
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Sequence

# Before any command begins: so that it takes no time, and its watching sees none of it.
import pydantic.type_adapter  # noqa: F401 - which Typer loads when it reads a command line

import checkpoint_cli._app
import checkpoint_cli._commands.run
import checkpoint_cli._execution.run
from checkpoint_lambda.handler import lambda_handler
from tests.checkpoint_lambda.invoking import EVENT, Context

CHANGES = {
    "fcntl.flock",
    "os.chmod",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.truncate",
    "os.utime",
    "shutil.copyfile",
}


def main() -> None:
    """Start and wait for processes until there are no more lines."""
    # Or each process looks through all that was imported when it ends, which takes longer than a run.
    gc.freeze()
    for line in sys.stdin:
        verb, *given = json.loads(line)
        if verb == "wait":
            number = os.waitstatus_to_exitcode(os.waitpid(given[0], 0)[1])
        elif not (number := os.fork()):
            _run(*given)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def _run(output: str, environment: dict[str, str], blow: str, at: int, *arguments: str) -> None:
    """Become the command."""
    for descriptor, file in enumerate((os.devnull, f"{output}.out", f"{output}.err")):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT), descriptor)
    os.environ.update(environment)
    sys.argv[1:] = arguments
    seen = 0

    def watch(event: str, _arguments: Sequence[object]) -> None:
        nonlocal seen
        if event in CHANGES:
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.Signals[blow])

    sys.addaudithook(watch)
    if not arguments:
        lambda_handler(EVENT, Context())
        sys.exit()
    try:
        checkpoint_cli.main()
    finally:
        if blow == "count":
            sys.stderr.write(str(seen))


if __name__ == "__main__":
    main()
