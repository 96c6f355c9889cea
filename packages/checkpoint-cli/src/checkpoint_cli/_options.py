"""Options that several commands share, with the help that goes with them.

What may be set, within which bounds and what it means stands with each setting's type; the option
is the field's name, and only what is otherwise is listed here.
"""

import inspect
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, get_args

import typer
from msgspec import Struct

from checkpoint_cli._choices import EVENT_FORMATS, choice
from checkpoint_cli._printing.text import complain
from checkpoint_core import Request, Settings
from checkpoint_core.descriptions import Description, described
from checkpoint_format.writing import Compression
from checkpoint_storage.concurrency import affordable
from checkpoint_storage.errors import UnsupportedLocationError
from checkpoint_storage.settings import S3Settings
from nacc_event_model import EventFormat

if TYPE_CHECKING:
    from checkpoint_storage.locations import OpenSource, OpenStore

__all__ = [
    "NOT_A_DATE",
    "CheckpointArgument",
    "CsvOption",
    "CsvSafeOption",
    "DebugOption",
    "EventFormatOption",
    "ExcludeProjectOption",
    "JsonOption",
    "SourceArgument",
    "checkpoint_store",
    "day",
    "event_source",
    "flag",
    "made",
    "option",
    "options_of",
    "parser",
]

_Command = TypeVar("_Command", bound=Callable[..., None])
_Made = TypeVar("_Made", bound=Struct)

_DESCRIBED: Final = {**described(Request), **described(Settings), **described(S3Settings)}
_FLAGS: Final[Mapping[str, str | None]] = {
    "exclude_projects": "--exclude-project",
    # `run` has three options for it.
    "mode": None,
    # A command may take as long as it needs.
    "reserve_s": None,
    # What a person writes is encrypted as the bucket says.
    "kms_key_id": None,
}
_ALSO: Final = {
    "exclude_projects": "May be given several times.",
    "max_events_per_run": "Here a command goes on until nothing is left.",
}
_SHOWN: Final[Mapping[str, dict[str, Any]]] = {
    "since": {"metavar": "TIME"},
    "event_format": {"envvar": "EVENT_FORMAT", **choice("event format", EVENT_FORMATS)},
    "exclude_projects": {"metavar": "PATTERN", "envvar": "EXCLUDE_PROJECTS"},
    "compression": choice("codec", get_args(Compression)),
}


def flag(name: str) -> str | None:
    """Return the option that a setting has; None where it has none of its own."""
    return _FLAGS.get(name, f"--{name.replace('_', '-')}")


def option(name: str, *, also: str = "") -> Any:
    """Return the option for a setting: its flag, its bounds and its help are the setting's.

    `also` is put at the end of the help.
    """
    setting = _DESCRIBED[name]
    parts = [setting.meaning]
    more = dict(_SHOWN.get(name, {}))
    if setting.bounds:
        more |= {"metavar": "N", "min": setting.bounds[0], "max": setting.bounds[1]}
    elif not isinstance(setting.default, bool):
        parts.append(f"Takes {setting.expected}.")
    if name == "since":
        more["parser"] = parser(name)
    parts.append(also or _ALSO.get(name, ""))
    return typer.Option(flag(name), help=" ".join(parts).strip(), **more)


def parser(name: str) -> Callable[[str], Any]:
    """Return a function that reads a setting from text; whatever it refuses is wrong usage."""

    def parse(text: str) -> Any:
        try:
            return _DESCRIBED[name].read(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return parse


def options_of(*structs: type[Struct]) -> Callable[[_Command], _Command]:
    """Give a command, in place of its `**given`, an option for every setting of these structs.

    Typer has no options in groups; it reads which there are from the signature.
    """
    options = [
        _parameter(setting)
        for struct in structs
        for setting in described(struct).values()
        if flag(setting.name)
    ]

    def declared(command: _Command) -> _Command:
        signature = inspect.signature(command)
        *own, _given = signature.parameters.values()
        command.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]  # what inspect looks for first
        return command

    return declared


def _parameter(setting: Description) -> inspect.Parameter:
    many = isinstance(setting.default, tuple)
    return inspect.Parameter(
        setting.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None if many else setting.default,
        annotation=Annotated[list[str] | None if many else setting.type, option(setting.name)],
    )


def made(struct: type[_Made], given: Mapping[str, Any], **more: Any) -> _Made:
    """Return the struct with what was given of it; what it refuses is wrong usage."""
    values = {name: given[name] for name in described(struct) if given.get(name) is not None}
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = parser(name)(" ".join(value))
    try:
        return struct(**values, **more)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


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
EventFormatOption = Annotated[EventFormat, option("event_format")]
ExcludeProjectOption = Annotated[list[str] | None, option("exclude_projects")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else.")
]
CsvOption = Annotated[
    bool, typer.Option("--csv", help="Print CSV; lists and the like are JSON in it.")
]
CsvSafeOption = Annotated[
    bool,
    typer.Option(
        "--csv-safe",
        help="The same, with an apostrophe before each text that a spreadsheet would take for a "
        "formula.",
    ),
]
DebugOption = Annotated[
    bool, typer.Option("--debug", help="When something fails, show where in the code.")
]


def event_source(text: str, *, read_concurrency: int | None = None) -> "OpenSource":
    """Return the source that the argument names; anything else is wrong usage.

    Reads so many objects at once where it is in S3; fewer, with a warning, where this machine does
    not allow as many.
    """
    # Here and below, so that options can be declared without what opens anything.
    from checkpoint_storage.locations import open_source  # noqa: PLC0415

    if read_concurrency is not None and text.startswith("s3://"):
        read_concurrency, warning = affordable(read_concurrency, setting="--read-concurrency")
        if warning:
            complain(f"warning: {warning}")
    try:
        return open_source(text, read_concurrency=read_concurrency)
    except UnsupportedLocationError as error:
        raise typer.BadParameter(str(error), param_hint="SOURCE") from error


def checkpoint_store(text: str) -> "OpenStore":
    """Return the store that the argument names; anything else is wrong usage."""
    from checkpoint_storage.locations import open_checkpoint  # noqa: PLC0415

    try:
        return open_checkpoint(text)
    except UnsupportedLocationError as error:
        raise typer.BadParameter(str(error), param_hint="CHECKPOINT") from error


NOT_A_DATE = "must be a date, such as 2026-09-30"


def day(text: str | date) -> date:
    """Return the day; whatever is none is wrong usage. A default of this type comes this way too."""
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(NOT_A_DATE) from error
