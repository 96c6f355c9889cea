"""Writes the table of settings in docs/operating.md anew, from the settings' own descriptions."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import NODEFAULT

from checkpoint_cli._options import flag
from checkpoint_core.descriptions import Description
from checkpoint_lambda._environment import event_key, settings, variable

MANUAL = Path(__file__).resolve().parent.parent / "docs" / "operating.md"
BEGIN, END = "<!-- Written by `hatch run settings-table`. -->\n", "<!-- End of the table. -->\n"
HEAD = (
    "setting",
    "event key",
    "environment variable",
    "command line",
    "default",
    "meaning",
    "null, empty or missing means",
)
ARGUMENTS = {
    "source_bucket": "SOURCE",
    "prefix": "SOURCE",
    "checkpoint_bucket": "CHECKPOINT",
    "checkpoint_key": "CHECKPOINT",
    "mode": "--adopt, --adopt-from, --rebuild",
}
"""What the command line has in place of an option of the setting's name."""
ONLY_OF_THE_FUNCTION = {"exports", "log_level", "service", "environment"}


def main() -> None:
    """Write the table between its two marks."""
    MANUAL.write_text(renewed(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")


def renewed(manual: str) -> str:
    """Return the manual with the table as it has to be."""
    before, _, rest = manual.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = [_line(HEAD), "|---" * len(HEAD) + "|\n", *map(_line, _rows())]
    return "".join([before, BEGIN, *lines, END, after])


def command_line(name: str) -> str | None:
    """Return what the command line has for a setting; None for nothing."""
    return ARGUMENTS.get(name) or (None if name in ONLY_OF_THE_FUNCTION else flag(name))


def _rows() -> Iterator[tuple[str, ...]]:
    for each in settings():
        places = (event_key(each.name), variable(each.name), command_line(each.name))
        shown = (f"`{place}`" if place else "-" for place in places)
        yield each.name, *shown, _default(each), each.meaning, each.when_missing


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _default(setting: Description) -> str:
    match setting.default:
        case value if value is NODEFAULT:
            return "required"
        case None | "" | ():
            return "none"
        case bool(value):
            return str(value).lower()
        case float(value) if value.is_integer():
            return str(int(value))
        case value:
            return str(value)


if __name__ == "__main__":
    main()
