"""Runs the command line in a process that strikes itself at its n-th change of the file system.

    struck.py BLOW N ARGUMENTS...

BLOW is `kill`, `interrupt` or `terminate` (the signal), or `count`, which only says on stderr how
many changes there were. `wait` strikes nothing: it waits for a line on stdin before it begins.
"""

import os
import signal
import sys
from collections.abc import Sequence

import checkpoint_cli._app  # before the watching begins

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
SIGNALS = {
    "kill": signal.SIGKILL,
    "interrupt": signal.SIGINT,
    "terminate": signal.SIGTERM,
}


def main() -> None:
    """Watch what Python reports of itself, and run."""
    blow, at = sys.argv[1], int(sys.argv[2])
    sys.argv[1:3] = []
    seen = 0

    def watch(event: str, _arguments: Sequence[object]) -> None:
        nonlocal seen
        if event in CHANGES:
            seen += 1
            if seen == at and blow in SIGNALS:
                os.kill(os.getpid(), SIGNALS[blow])

    if blow == "wait":
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
    sys.addaudithook(watch)
    try:
        checkpoint_cli.main()
    finally:
        if blow == "count":
            sys.stderr.write(str(seen))


if __name__ == "__main__":
    main()
