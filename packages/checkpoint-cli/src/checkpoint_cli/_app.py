"""The commands, put together; each is loaded when it is asked for."""

import re
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from checkpoint_cli._choices import COMMANDS, no_such
from checkpoint_cli._printing.text import write

__all__ = ["app", "load"]

_PACKAGES: Final = {
    "nacc-checkpoint-cli": "checkpoint_cli",
    "nacc-checkpoint-storage": "checkpoint_storage",
    "nacc-checkpoint-core": "checkpoint_core",
    "nacc-checkpoint-queries": "checkpoint_queries",
    "nacc-checkpoint-format": "checkpoint_format",
    "nacc-event-model": "nacc_event_model",
}
_COMMENT: Final = re.compile(r"--[^\s=]*\s")
_USUAL: Final[dict[str, Any]] = {
    "rich_markup_mode": None,
    # They show local variables, and those hold event data.
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


class _Command(TyperCommand):
    """A command to which a text that begins with a comment of SQL is no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # type: ignore[explicit-override] # Python 3.11 has no such decorator
        texts = [f" {each}" if _COMMENT.match(each) else each for each in args]
        return super().parse_args(ctx, texts)


class _Group(TyperGroup):
    """Lists commands by name and summary, and loads the one that is meant."""

    def __init__(self, **given: Any) -> None:
        listed = {
            name: _Command(name=name, short_help=summary) for name, summary in COMMANDS.items()
        }
        super().__init__(**given | {"commands": listed})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # type: ignore[explicit-override] # likewise
        name = args[0]
        if name in COMMANDS:
            return name, load(name), args[1:]
        if not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(no_such("command", name, COMMANDS))
        return super().resolve_command(ctx, args)


@cache
def load(name: str) -> TyperCommand:
    """Return the command of this name: the function NAME_command of its module."""
    single = typer.Typer(add_completion=False, **_USUAL)
    module = import_module(f"checkpoint_cli._commands.{name}")
    declared = single.command(name, cls=_Command, short_help=COMMANDS[name])
    declared(getattr(module, f"{name}_command"))
    command: Any = get_command(single)
    return command  # type: ignore[no-any-return] # of one function it makes one command


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    epilog="Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.",
    **_USUAL,
)


def _print_versions(wanted: bool) -> None:  # noqa: FBT001 - typer calls it like this
    if wanted:
        versions = (
            f"{name} {import_module(package).__version__}\n" for name, package in _PACKAGES.items()
        )
        write("".join(versions).encode())
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_versions,
            is_eager=True,
            help="Print the versions of the packages.",
        ),
    ] = False,
) -> None:
    """Keep a checkpoint, one Parquet file, up to date with visit-event objects, here or in S3.

    Try it: `nacc-checkpoint sample events`, then `nacc-checkpoint run events out/events.parquet`.
    """
