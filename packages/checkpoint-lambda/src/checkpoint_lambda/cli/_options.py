"""Options that several commands share, with the help that goes with them."""

from typing import Annotated, Literal

import typer

from checkpoint_core import Source
from checkpoint_lambda._locations import OpenStore, open_checkpoint, open_source
from checkpoint_lambda.errors import UnsupportedLocationError
from nacc_event_model import EventFormat

__all__ = [
    "CheckpointArgument",
    "Compression",
    "DebugOption",
    "EventFormatOption",
    "ExcludeProjectOption",
    "JsonOption",
    "SourceArgument",
    "checkpoint_store",
    "event_source",
    "patterns",
]


Compression = Literal["snappy", "zstd", "lz4", "uncompressed"]

SourceArgument = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="The event objects: a directory, or s3://bucket/prefix."),
]
CheckpointArgument = Annotated[
    str,
    typer.Argument(
        metavar="CHECKPOINT",
        help="The checkpoint: a Parquet file such as out/events.parquet, or s3://bucket/key.",
    ),
]
EventFormatOption = Annotated[
    EventFormat,
    typer.Option("--event-format", envvar="EVENT_FORMAT", help="The event contract to judge by."),
]
ExcludeProjectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude-project",
        metavar="PATTERN",
        envvar="EXCLUDE_PROJECTS",
        help="Leave out projects whose label matches (*, ?, [...]). May be given several times; "
        "in the variable, patterns are separated by spaces or commas.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else.")
]
DebugOption = Annotated[
    bool, typer.Option("--debug", help="When something fails, show where in the code.")
]


def event_source(text: str) -> Source:
    """Return the source that the argument names; anything else is wrong usage."""
    try:
        return open_source(text)
    except UnsupportedLocationError as error:
        raise typer.BadParameter(str(error), param_hint="SOURCE") from error


def checkpoint_store(text: str) -> OpenStore:
    """Return the store that the argument names; anything else is wrong usage."""
    try:
        return open_checkpoint(text)
    except UnsupportedLocationError as error:
        raise typer.BadParameter(str(error), param_hint="CHECKPOINT") from error


def patterns(values: list[str] | None) -> tuple[str, ...]:
    """Return the single patterns in what was given."""
    return tuple(part for value in values or () for part in value.replace(",", " ").split())
