"""The options of a query: which events it is about, and what it takes besides."""

from datetime import date, datetime
from typing import Annotated, Any

import typer

from checkpoint_cli._choices import ACTIONS, FIELDS, IDENTITIES, choice
from checkpoint_cli._option_groups import OptionGroup
from checkpoint_cli._options import NOT_A_DATE, day, parser

__all__ = ["FilterOptions", "ParameterOptions", "TestCenterOption"]

TestCenterOption = Annotated[
    bool,
    typer.Option(
        "--include-test-center", help="Also of center 0, the test site, which is left out."
    ),
]


def _value(what: str, **more: Any) -> Any:
    """Return the option for the values of which a field must have one; `more` is typer's."""
    return typer.Option(help=f"Only of this {what}.", **{"metavar": "TEXT", **more})


def _value_or_none(what: str) -> Any:
    return _value(f"{what}; '' for those without")


def _date(meaning: str) -> Any:
    """Return an option that takes a date as YYYY-MM-DD."""
    return typer.Option(help=meaning, metavar="DATE", parser=_plain_day)


def _time(meaning: str) -> Any:
    """Return an option that takes a time as a run's --since does."""
    return typer.Option(help=meaning, metavar="TIME", parser=parser("since"))


def _plain_day(text: str) -> date:
    found = day(text)
    # Python reads more than one way of writing a date.
    if found.isoformat() != text:
        raise typer.BadParameter(NOT_A_DATE)
    return found


_ACTION = f"action: {', '.join(ACTIONS)}"


class FilterOptions(OptionGroup, frozen=True, kw_only=True):
    """The filters of the queries, each an option of its name."""

    study: Annotated[list[str] | None, _value("study")] = None
    pipeline_adcid: Annotated[list[int] | None, _value("center's number", metavar="N", min=0)] = (
        None
    )
    center_label: Annotated[list[str] | None, _value("center")] = None
    project_label: Annotated[list[str] | None, _value("project")] = None
    gear_name: Annotated[list[str] | None, _value("gear")] = None
    ptid: Annotated[list[str] | None, _value("participant")] = None
    visit_number: Annotated[list[str] | None, _value_or_none("visit number")] = None
    datatype: Annotated[list[str] | None, _value("datatype")] = None
    module: Annotated[list[str] | None, _value_or_none("module")] = None
    modality: Annotated[list[str] | None, _value_or_none("modality")] = None
    packet: Annotated[list[str] | None, _value_or_none("packet")] = None
    action: Annotated[list[str] | None, _value(_ACTION, **choice("action", ACTIONS))] = None
    not_action: Annotated[
        list[str] | None,
        typer.Option(help="Only of another action than this.", **choice("action", ACTIONS)),
    ] = None
    visit_date_from: Annotated[
        date | None, _date("Only of visits on this day or later, such as 2026-09-01.")
    ] = None
    visit_date_to: Annotated[date | None, _date("Only of visits on this day or earlier.")] = None
    timestamp_from: Annotated[
        datetime | None, _time("Only at this time or later, such as 2026-09-01T12:00:00Z.")
    ] = None
    timestamp_to: Annotated[
        datetime | None, _time("Only before this time: as things stood then.")
    ] = None
    include_test_center: TestCenterOption = False


class ParameterOptions(OptionGroup, frozen=True, kw_only=True):
    """What some queries take besides filters."""

    identity: Annotated[
        str | None,
        typer.Option(
            **choice("identity", IDENTITIES),
            help="What it is about: each submission, or each visit, by participant, date and "
            "number. [default: submission]",
        ),
    ] = None
    by: Annotated[
        list[str] | None,
        typer.Option(
            **choice("field", FIELDS, split=True),
            help="Where something is counted: by this field, or by day, week or month; '' for all "
            "in one. Several may be in one text, with commas between them.",
        ),
    ] = None
    as_of: Annotated[
        datetime | None,
        _time("For waiting and resubmitted: the time at which to look. [default: now]"),
    ] = None
    min_events: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="For completeness: only submissions of so many events."
        ),
    ] = None
