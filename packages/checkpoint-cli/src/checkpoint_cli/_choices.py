"""What can be chosen from, and what is said of anything else: in the same words everywhere."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

import typer

from checkpoint_cli._printing.text import one_line
from checkpoint_queries.questions import QUESTIONS, Identity
from nacc_event_model import EventFormat, VisitEventV11

__all__ = [
    "ACTIONS",
    "CENTER_ORDERS",
    "COLUMN_ORDERS",
    "COMMANDS",
    "EVENT_FORMATS",
    "FIELDS",
    "IDENTITIES",
    "KINDS",
    "OUTCOMES",
    "QUERIES",
    "choice",
    "no_such",
]

_NAMED: Final = 50
"""So many are named, and the others counted."""

COMMANDS: Final = {
    "run": "Bring a checkpoint up to date.",
    "show": "Show what a checkpoint holds.",
    "rejects": "List the objects that are left out, and why.",
    "query": "Ask the checkpoint one of the usual questions.",
    "sql": "Ask the checkpoint in SQL.",
    "verify": "Check a checkpoint, and that no object is missing.",
    "doctor": "Check everything that a run relies on.",
    "report": "Write the monthly report, a page of its own.",
    "export": "Make Parquet files in other shapes.",
    "remove": "Take a participant out, for good.",
    "sample": "Write synthetic event objects.",
    "help": "Explain a command.",
}
"""What each does; the order is that in which they are listed."""
# Those of the queries are repeated here, because these tell their own together with polars.
ACTIONS: Final = ("submit", "pass-qc", "not-pass-qc", "delete", "duplicate-submit")
CENTER_ORDERS: Final = ("adcid", "name", "submissions", "rate", "backlog")
COLUMN_ORDERS: Final = ("checkpoint", "scraper")
EVENT_FORMATS: Final = tuple(EventFormat)
FIELDS: Final = (*VisitEventV11.__struct_fields__, "day", "week", "month")
IDENTITIES: Final = get_args(Identity)
KINDS: Final = ("events", "latest-events", "submissions")
OUTCOMES: Final = ("invalid", "excluded", "unreadable", "denied", "archived", "missing")
QUERIES: Final = {name: question.summary for name, question in QUESTIONS.items()}


def no_such(what: str, given: str, choices: Iterable[str]) -> str:
    """Say that there is none of this name, which was probably meant, and which there are."""
    names = {name.lower(): one_line(name) for name in choices}
    near = get_close_matches(given.lower().replace(" ", "-"), list(names))
    meant = f"; did you mean {' or '.join(names[name] for name in near)}?" if near else "."
    named = ", ".join(list(names.values())[:_NAMED]) or "none"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"there is no {what} {one_line(given) or repr('')}{meant} There are {named}{more}"


def choice(
    what: str,
    choices: Iterable[str] | Mapping[str, str],
    *,
    split: bool = False,
    metavar: str | None = None,
) -> dict[str, Any]:
    """Return what makes an option or argument of typer one that takes one of these.

    Shells complete it, with the meaning of each choice where it has one. With `split` the text may
    be several, with commas between them, or none.
    """
    names = {str(name): name for name in choices}
    with_meaning = list(choices.items()) if isinstance(choices, Mapping) else list(names)

    def parse(text: str) -> str:
        for part in text.split(",") if split else [text]:
            if part.strip() not in names and not (split and not part.strip()):
                raise typer.BadParameter(no_such(what, part.strip(), names))
        return text if split else names[text]

    return {
        "parser": parse,
        "autocompletion": _offering(with_meaning),
        "metavar": metavar or what.upper().replace(" ", "_"),
    }


def _offering(choices: list[Any]) -> Callable[[], list[Any]]:
    def offer() -> list[Any]:
        return choices

    return offer
