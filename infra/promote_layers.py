"""Gives a stack exactly the layers that another one was tried with.

    python infra/promote_layers.py tell dev > layers.json
    python infra/promote_layers.py set staging layers.json

`set` changes the stack's file, and nothing in the account. `tell` is empty for a stack that was
never deployed, and `set` then leaves the stack's file as it is.
"""

# ruff: noqa: INP001 - it is run

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from prune_layers import LAYERS

INFRA = Path(__file__).resolve().parent
PROJECT = "event-log-checkpoint"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.verb == "tell":
            outputs = json.loads(pulumi("stack", "output", "--json", stack=options.stack))
            sys.stdout.write(json.dumps(layers_of(outputs)) + "\n")
        else:
            layers = json.loads(Path(options.layers).read_text(encoding="utf-8"))
            for setting, text in settings(layers).items():
                pulumi("config", "set", "--path", setting, text, stack=options.stack)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"promote_layers: {error}\n")
        return 1
    return 0


def layers_of(outputs: Mapping[str, object]) -> dict[str, str]:
    """Return the ARNs of a stack's layers by name; of all three, or of none."""
    arns = {name: outputs.get(f"{name.replace('-', '_')}_layer_arn") for name in LAYERS}
    found = {name: str(arn) for name, arn in arns.items() if arn}
    if found and len(found) != len(LAYERS):
        raise ValueError(f"the stack tells some of its layers only: {', '.join(found)}")
    return found


def settings(layers: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that give a stack these layers."""
    if layers and layers.keys() != set(LAYERS):
        raise ValueError(f"the layers must be {', '.join(LAYERS)}, as `tell` prints them")
    values: dict[str, str] = {}
    for name, arn in layers.items():
        section = f"{PROJECT}:layers.{re.sub('-(.)', lambda found: found[1].upper(), name)}"
        values |= {f"{section}.mode": "external", f"{section}.arn": arn}
    return values


def pulumi(*arguments: str, stack: str) -> str:
    """Run Pulumi's command line, which says itself what went wrong."""
    command = ["pulumi", *arguments, "--stack", stack, "--non-interactive"]
    return subprocess.run(  # noqa: S603 - the arguments are ours
        command, cwd=INFRA, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    tell = verbs.add_parser("tell", help="print the layers of a stack")
    setting = verbs.add_parser("set", help="set the layers in a stack's file")
    for verb in (tell, setting):
        verb.add_argument("stack", help="such as staging")
    setting.add_argument("layers", help="a file with what `tell` printed")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
