"""The options of a query: which events it is about, and what it takes besides."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import typer

from checkpoint_cli._options import parser

__all__ = [
    "About",
    "Action",
    "TestCenterOption",
    "date_option",
    "given",
    "given_or_missing",
    "time_option",
    "value_option",
]

TestCenterOption = Annotated[
    bool,
    typer.Option(
        "--include-test-center", help="Also of center 0, the test site, which is left out."
    ),
]


class Action(StrEnum):
    """What can be asked for as an action: those of the latest event format."""

    SUBMIT = "submit"
    PASS_QC = "pass-qc"  # noqa: S105 - not a password
    NOT_PASS_QC = "not-pass-qc"  # noqa: S105 - neither is this
    DELETE = "delete"
    DUPLICATE_SUBMIT = "duplicate-submit"


class About(StrEnum):
    """What a query can be about: the identities of the core."""

    SUBMISSION = "submission"
    VISIT = "visit"


def value_option(what: str, *, may_be_missing: bool = False, **more: Any) -> Any:
    """Return the option for the values of which a field must have one; `more` is typer's."""
    missing = "; '' for those without" if may_be_missing else ""
    return typer.Option(help=f"Only of this {what}{missing}.", **{"metavar": "TEXT", **more})


def date_option(meaning: str) -> Any:
    """Return an option that takes a date as YYYY-MM-DD."""
    return typer.Option(help=meaning, metavar="DATE", parser=_date)


def time_option(meaning: str) -> Any:
    """Return an option that takes a time as a run's --since does."""
    return typer.Option(help=meaning, metavar="TIME", parser=parser("since"))


def given(values: Sequence[str] | None) -> tuple[str, ...]:
    """Return the values of an option that may be given several times."""
    return tuple(map(str, values or ()))


def given_or_missing(values: Sequence[str] | None) -> tuple[str | None, ...]:
    """Return the values, with None for the empty text that stands for no value."""
    return tuple(value or None for value in values or ())


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    # Python reads more than one way of writing a date.
    if found is None or found.isoformat() != text:
        raise typer.BadParameter("must be a date, such as 2026-09-30")
    return found
