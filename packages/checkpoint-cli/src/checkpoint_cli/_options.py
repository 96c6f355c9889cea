"""Options that several commands share, with the help that goes with them."""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import typer

from checkpoint_cli._printing.output import complain
from checkpoint_core.settings_table import BY_NAME
from checkpoint_storage.concurrency import affordable
from checkpoint_storage.errors import UnsupportedLocationError
from checkpoint_storage.locations import OpenSource, OpenStore, open_checkpoint, open_source
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
    "option",
    "parser",
    "patterns",
]

Compression = Literal["snappy", "zstd", "lz4", "uncompressed"]


def option(name: str, *, also: str = "", **more: Any) -> Any:
    """Return the option for a setting: its flag, its bounds and its help are the table's.

    `also` is put at the end of the help, and `more` is typer's.
    """
    setting = BY_NAME[name]
    parts = [setting.meaning]
    if setting.bounds:
        more |= {"metavar": "N", "min": setting.bounds[0], "max": setting.bounds[1]}
    elif not isinstance(setting.default, bool | Enum):
        parts.append(f"Takes {setting.expected}.")
    return typer.Option(setting.option, help=" ".join([*parts, also]).strip(), **more)


def parser(name: str) -> Callable[[str], Any]:
    """Return a function that reads a setting from text; whatever it refuses is wrong usage."""
    setting = BY_NAME[name]

    def parse(text: str) -> Any:
        try:
            return setting.read(text)
        except (ValueError, msgspec.MsgspecError) as error:
            raise typer.BadParameter(f"must be {setting.expected}") from error

    return parse


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
EventFormatOption = Annotated[EventFormat, option("event_format", envvar="EVENT_FORMAT")]
ExcludeProjectOption = Annotated[
    list[str] | None,
    option(
        "exclude_projects",
        also="May be given several times.",
        metavar="PATTERN",
        envvar="EXCLUDE_PROJECTS",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else.")
]
DebugOption = Annotated[
    bool, typer.Option("--debug", help="When something fails, show where in the code.")
]


def event_source(text: str, *, read_concurrency: int | None = None) -> OpenSource:
    """Return the source that the argument names; anything else is wrong usage.

    Reads so many objects at once where it is in S3; fewer, with a warning, where this machine does
    not allow as many.
    """
    if read_concurrency is not None and text.startswith("s3://"):
        read_concurrency, warning = affordable(
            read_concurrency, setting=BY_NAME["read_concurrency"].option or ""
        )
        if warning:
            complain(f"warning: {warning}")
    try:
        return open_source(text, read_concurrency=read_concurrency)
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
    found: tuple[str, ...] = BY_NAME["exclude_projects"].read(" ".join(values or ()))
    return found
