"""The command's arguments: options made from the settings' own descriptions, as every front has them."""

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from msgspec import Struct

from checkpoint_core import Request, Settings
from checkpoint_core.descriptions import Description, described
from checkpoint_core.settings import Mode
from checkpoint_spark._running import AT_ONCE
from checkpoint_spark._version import __version__
from checkpoint_storage.settings import S3Settings

__all__ = ["Arguments", "read_arguments"]

_STRUCTS: Final = (Request, Settings, S3Settings)
# A command may take as long as it needs; three options stand for `mode`; and what a person writes
# is encrypted as the bucket says.
_WITHOUT_OPTION: Final = {"mode", "reserve_s", "kms_key_id"}
_FLAGS: Final = {"exclude_projects": "--exclude-project"}
_VARIABLES: Final = {"event_format": "EVENT_FORMAT", "exclude_projects": "EXCLUDE_PROJECTS"}
_Made = TypeVar("_Made", bound=Struct)


class Arguments(Struct, frozen=True, kw_only=True):
    """What was asked for."""

    source: str
    checkpoint: str
    settings: Settings
    request: Request
    reading: S3Settings
    adopt_from: tuple[str, ...]
    as_json: bool


def read_arguments(given: Sequence[str] | None) -> Arguments:
    """Read a command line, this process's where None; ends the process with 2 on wrong usage."""
    parser = _parser()
    found = parser.parse_args(given)
    adopting = found.adopt or bool(found.adopt_from)
    if adopting and found.rebuild:
        parser.error("--adopt, --rebuild: choose one")
    mode: Mode = "adopt" if adopting else "rebuild" if found.rebuild else "incremental"
    try:
        return Arguments(
            source=found.source,
            checkpoint=found.checkpoint,
            settings=_made(Settings, found),
            request=_made(Request, found, mode=mode),
            reading=_made(S3Settings, found),
            adopt_from=tuple(found.adopt_from),
            as_json=found.json,
        )
    except ValueError as error:
        parser.error(str(error))


def _made(struct: type[_Made], found: argparse.Namespace, **more: Any) -> _Made:
    names = [name for name in described(struct) if name not in _WITHOUT_OPTION]
    return struct(**{name: getattr(found, name) for name in names}, **more)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nacc-checkpoint-spark",
        description="Keep a checkpoint up to date, with a Spark cluster to read the objects.",
        epilog="Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="bring a checkpoint up to date",
        usage="%(prog)s [OPTIONS] SOURCE CHECKPOINT",
        description="Bring the checkpoint up to date with the source, until nothing is left.",
    )
    run.add_argument("source", metavar="SOURCE", help="a shared directory, or s3://bucket/prefix")
    run.add_argument(
        "checkpoint", metavar="CHECKPOINT", help="a file such as events.parquet, or s3://bucket/key"
    )
    run.add_argument("--json", action="store_true", help="print the response document on stdout")
    run.add_argument(
        "--adopt", action="store_true", help="take over a checkpoint that has no ledger"
    )
    run.add_argument(
        "--adopt-from",
        action="append",
        default=[],
        metavar="FILE",
        help="take over the rows of a file that another system wrote; repeatable",
    )
    run.add_argument(
        "--rebuild", action="store_true", help="make the checkpoint anew from the source"
    )
    for struct in _STRUCTS:
        for setting in described(struct).values():
            if setting.name not in _WITHOUT_OPTION:
                _add_option(run, setting)
    return parser


def _add_option(parser: argparse.ArgumentParser, setting: Description) -> None:
    flag = _FLAGS.get(setting.name, f"--{setting.name.replace('_', '-')}")
    meaning = setting.meaning.replace("%", "%%")
    if isinstance(setting.default, bool):
        parser.add_argument(flag, dest=setting.name, action="store_true", help=meaning)
        return
    default = getattr(AT_ONCE, setting.name, setting.default)
    variable = _VARIABLES.get(setting.name, "")
    parser.add_argument(
        flag,
        dest=setting.name,
        # A text is read as if it had been typed.
        default=os.environ.get(variable) or default,
        type=_reading(setting),
        metavar="VALUE",
        help=f"{meaning} Takes {setting.expected.replace('%', '%%')}. "
        + (f"Or by {variable}. " if variable else "")
        + ("" if default in (None, ()) else f"Default: {default}."),
    )


def _reading(setting: Description) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            value = setting.read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return read
