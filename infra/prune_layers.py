"""Removes old versions of the layers: those beyond the newest few that no function uses.

A version that any function of the account and region uses, published or not, stays. To remove one
is final: a function that has it keeps working, but none can be given it again.

    python infra/prune_layers.py --region us-east-1 --dry-run
"""

# ruff: noqa: INP001, T201 - it is run, and printing is its output

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

LAYERS = ("observability", "data-processing", "aws-sdk")


def main(arguments: Sequence[str] | None = None) -> int:
    """Remove what is old and unused; returns the exit status."""
    options = _parser().parse_args(arguments)
    client = boto3.client("lambda", region_name=options.region)
    names = options.layer or [f"{options.service}-{layer}" for layer in LAYERS]
    try:
        used = used_versions(client)
        for name in names:
            _prune(client, name, used, keep=options.keep, dry_run=options.dry_run)
    except (BotoCoreError, ClientError) as error:
        print(f"prune_layers: {error}", file=sys.stderr)
        return 1
    return 0


def used_versions(client: "LambdaClient") -> set[str]:
    """Return the ARNs of all layer versions that any version of any function has."""
    pages = client.get_paginator("list_functions").paginate(FunctionVersion="ALL")
    return {
        layer["Arn"]
        for page in pages
        for function in page["Functions"]
        for layer in function.get("Layers", [])
    }


def layer_versions(client: "LambdaClient", name: str) -> dict[int, str]:
    """Return the ARN of each version of a layer."""
    pages = client.get_paginator("list_layer_versions").paginate(LayerName=name)
    return {
        version["Version"]: version["LayerVersionArn"]
        for page in pages
        for version in page["LayerVersions"]
    }


def superfluous(versions: dict[int, str], used: Iterable[str], *, keep: int) -> list[int]:
    """Return the versions, oldest first, that are neither among the newest nor used."""
    in_use = set(used)
    newest = set(sorted(versions)[-keep:])
    return [
        number
        for number, arn in sorted(versions.items())
        if number not in newest and arn not in in_use
    ]


def _prune(client: "LambdaClient", name: str, used: set[str], *, keep: int, dry_run: bool) -> None:
    versions = layer_versions(client, name)
    old = superfluous(versions, used, keep=keep)
    for number in old:
        if not dry_run:
            client.delete_layer_version(LayerName=name, VersionNumber=number)
        print(f"{name}:{number} {'would be removed' if dry_run else 'removed'}")
    left = "would stay" if dry_run else "left"
    print(f"{name}: {len(old)} of {len(versions)} versions, {len(versions) - len(old)} {left}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--region", required=True, help="where the layers are")
    parser.add_argument("--service", default="event-log-checkpoint", help="first part of the names")
    parser.add_argument("--layer", action="append", help="a layer's whole name; may be repeated")
    parser.add_argument("--keep", type=_count, default=3, help="how many stay anyway (default: 3)")
    parser.add_argument("--dry-run", action="store_true", help="say it, and remove nothing")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count


if __name__ == "__main__":
    raise SystemExit(main())
