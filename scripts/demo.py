"""Show the main job on sample event objects: a first run, an incremental one, and the result.

Every command is shown as one would type it, followed by what it says. All of it happens in
out/demo, which is emptied first and left for looking around, or in a new folder that is named as
the argument. Needs the packages and the extra cli.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "out" / "demo"

WEEK = "--start 2026-10-01 --days 7 --late 0.2 --rewritten 0.2 --invalid 0.1"
STEPS = (
    (
        "A month of event objects arrives: some of them late, some of them broken.",
        "nacc-checkpoint sample events --count 1000 --seed 7",
        "nacc-checkpoint run events checkpoint/events.parquet",
        "nacc-checkpoint show checkpoint/events.parquet | head -n 14",
    ),
    (
        "A week later there are new, late and broken ones, and older ones were rewritten in place.",
        f"nacc-checkpoint sample events --count 60 --seed 8 {WEEK}",
        "nacc-checkpoint run events checkpoint/events.parquet",
    ),
    (
        "Once more: nothing is new, so nothing is written.",
        "nacc-checkpoint run events checkpoint/events.parquet",
    ),
    (
        "What is not in the checkpoint, and why; and whether all the rest is.",
        "nacc-checkpoint rejects checkpoint/events.parquet --limit 5",
        "nacc-checkpoint verify checkpoint/events.parquet events",
    ),
    (
        "The checkpoint is one Parquet file. How far have the visits come, in each study?",
        "nacc-checkpoint query checkpoint/events.parquet pass-rates --by study",
    ),
)


def main(arguments: list[str]) -> int:
    """Go through the steps and stop at the first command that fails."""
    if arguments:
        folder = Path(arguments[0])
    else:
        folder = FOLDER
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print("$ mkdir -p out/demo && cd out/demo")
    for title, *commands in STEPS:
        print(f"\n# {title}")
        for command in commands:
            print(f"$ {command}", flush=True)
            status = run(command, folder)
            if status:
                print(f"demo: this failed with exit status {status}", file=sys.stderr)
                return status
    return 0


def run(command: str, folder: Path) -> int:
    """Run a `nacc-checkpoint` command with this Python's packages, whatever is on PATH."""
    _, _, rest = command.partition(" ")
    program = f"{shlex.quote(sys.executable)} -m checkpoint_cli"
    # Settings of whoever runs this would make it another demonstration.
    ignored = ("EVENT_FORMAT", "EXCLUDE_PROJECTS")
    environment = {name: value for name, value in os.environ.items() if name not in ignored}
    completed = subprocess.run(
        ["/bin/sh", "-c", f"{program} {rest}"], cwd=folder, env=environment, check=False
    )
    return completed.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
