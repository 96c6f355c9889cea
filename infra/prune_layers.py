"""Removes old versions of the functions and of their layers: those that nothing needs any more.

Of each function stay the newest few versions, those that an alias leads to, and those that a stack's
file pins. Of each layer stay the newest few, and those that any version of any function of the
account and region has. To remove one is final. With function versions goes the way back to them.

    python infra/prune_layers.py --region us-east-1 --dry-run
"""

# ruff: noqa: INP001, T201 - it is run, and printing is its output

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from checkpoint_infra.settings.stack import SERVICE

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

LAYERS = ("observability", "data-processing", "aws-sdk")

# A version of a function, and the layers that it has.
Versions = dict[tuple[str, int], set[str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Remove what is old and unused; returns the exit status."""
    options = _parser().parse_args(arguments)
    client = boto3.client("lambda", region_name=options.region)
    names = options.layer or [f"{options.service}-{layer}" for layer in LAYERS]
    try:
        pins = pinned_versions(Path(options.stacks))
        functions, used = all_versions(client)
        old = [
            key
            for name in sorted({name for name, _ in functions})
            if name.startswith(f"{options.service}-")
            for key in _prune_function(client, name, functions, pins, options)
        ]
        for key in old:
            del functions[key]
        used = used.union(*functions.values())
        for name in names:
            _prune_layer(client, name, used, keep=options.keep, dry_run=options.dry_run)
    except (BotoCoreError, ClientError, OSError) as error:
        print(f"prune_layers: {error}", file=sys.stderr)
        return 1
    return 0


def pinned_versions(folder: Path) -> set[int]:
    """Return the numbers that any stack's file pins; they stay, whichever function they are of."""
    stacks = sorted(folder.glob("Pulumi.*.yaml"))
    if not stacks:
        raise FileNotFoundError(f"{folder} has no Pulumi.<stack>.yaml, which may pin a version")
    pins = (re.findall(r"pinnedVersion: *[\"']?(\d+)", each.read_text("utf-8")) for each in stacks)
    return {int(number) for found in pins for number in found}


def all_versions(client: "LambdaClient") -> tuple[Versions, set[str]]:
    """Return every published version with its layers, and the layers of what is not published."""
    versions: Versions = {}
    unpublished: set[str] = set()
    for page in client.get_paginator("list_functions").paginate(FunctionVersion="ALL"):
        for function in page["Functions"]:
            layers = {layer["Arn"] for layer in function.get("Layers", [])}
            if function["Version"] == "$LATEST":
                unpublished |= layers
            else:
                versions[function["FunctionName"], int(function["Version"])] = layers
    return versions, unpublished


def aliased_versions(client: "LambdaClient", function: str) -> set[int]:
    """Return the versions that an alias leads to, also with a part of the invocations only."""
    pages = client.get_paginator("list_aliases").paginate(FunctionName=function)
    found: set[str] = set()
    for page in pages:
        for alias in page["Aliases"]:
            weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
            found |= {alias["FunctionVersion"], *weights}
    return {int(version) for version in found - {"$LATEST"}}


def layer_versions(client: "LambdaClient", name: str) -> dict[int, str]:
    """Return the ARN of each version of a layer."""
    pages = client.get_paginator("list_layer_versions").paginate(LayerName=name)
    return {
        version["Version"]: version["LayerVersionArn"]
        for page in pages
        for version in page["LayerVersions"]
    }


def superfluous(versions: Iterable[int], needed: Iterable[int], *, keep: int) -> list[int]:
    """Return the versions, oldest first, that are neither among the newest nor needed."""
    ordered = sorted(versions)
    return sorted(set(ordered) - set(ordered[-keep:]) - set(needed))


def _prune_function(
    client: "LambdaClient",
    name: str,
    functions: Versions,
    pins: set[int],
    options: argparse.Namespace,
) -> list[tuple[str, int]]:
    versions = [number for function, number in functions if function == name]
    needed = aliased_versions(client, name) | pins
    old = superfluous(versions, needed, keep=options.keep)
    for number in old:
        if not options.dry_run:
            client.delete_function(FunctionName=name, Qualifier=str(number))
    _tell(name, old, len(versions), dry_run=options.dry_run)
    return [(name, number) for number in old]


def _prune_layer(
    client: "LambdaClient", name: str, used: set[str], *, keep: int, dry_run: bool
) -> None:
    versions = layer_versions(client, name)
    needed = [number for number, arn in versions.items() if arn in used]
    old = superfluous(versions, needed, keep=keep)
    for number in old:
        if not dry_run:
            client.delete_layer_version(LayerName=name, VersionNumber=number)
    _tell(name, old, len(versions), dry_run=dry_run)


def _tell(name: str, old: list[int], total: int, *, dry_run: bool) -> None:
    for number in old:
        print(f"{name}:{number} {'would be removed' if dry_run else 'removed'}")
    left = "would stay" if dry_run else "left"
    print(f"{name}: {len(old)} of {total} versions, {total - len(old)} {left}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--region", required=True, help="where they are")
    parser.add_argument("--service", default=SERVICE, help="first part of the names")
    parser.add_argument("--layer", action="append", help="a layer's whole name; may be repeated")
    parser.add_argument("--keep", type=_count, default=3, help="how many stay anyway (default: 3)")
    parser.add_argument(
        "--stacks",
        default=str(Path(__file__).parent),
        help="the folder of the stacks' files, which may pin versions (default: this one)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say it, and remove nothing")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count


if __name__ == "__main__":
    raise SystemExit(main())
