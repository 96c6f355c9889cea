"""The section on centers: one row each, with all that one compares centers by."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import structs

from checkpoint_report._figures.centers import Center
from checkpoint_report._figures.known import Count, Share, added
from checkpoint_report._figures.standing import STATUSES
from checkpoint_report._figures.tables import Table
from checkpoint_report._figures.telling import Told
from checkpoint_report._sections.outcomes import (
    COLUMNS,
    Standing,
    difference,
    interval,
    picture_of,
    rates_differ,
    values,
)
from checkpoint_report._sections.section import Section, capital, of_things
from checkpoint_report._sections.sheets import Column, Row, Sheet, Value, count, slug
from checkpoint_report._sections.subject import Subject, ordered

__all__ = ["ALL", "center_sheet", "centers_section", "standing_of"]

ALL: Final = "all centers"
_ENOUGH: Final = 10
"""Of fewer that were checked a rate says little."""
_ORDERS: Final = {
    "adcid": "by number",
    "name": "by name",
    "submissions": "by submissions, the most first",
    "rate": "by pass rate, the lowest first",
    "backlog": "by backlog, the largest first",
}
_CHANGES: Final = (
    Column("change", "submissions_change", "submissions"),
    Column("change, points", "pass_rate_change", "percentage points"),
)
_STANDING: Final = COLUMNS[:6]
_APART: Final = frozenset({"passed", "waiting", "handed_in_again", "duplicate_or_deleted"})
"""What a table of its own tells on the page, so that the one to compare by fits a screen."""


def standing_of(told: Told, center: str | None = None) -> Standing:
    """Return where the submissions of a center stand, or those of all."""
    table = told.tables["status"]
    if center is not None:
        return Standing(table.row(center))
    return Standing(tuple(map(added, table.totals())))


def center_sheet(
    subject: Subject,
    told: Told,
    cells: Mapping[str, tuple[Value, ...]],
    *,
    name: str,
    caption: str,
    columns: tuple[Column, ...],
    every: tuple[Value, ...] | None = None,
    in_page: bool = True,
) -> Sheet:
    """Return a table of a row for each center, in the order of the report, from its values.

    Below them, where there are several, is one of the values of every center, if they are given.
    """
    return Sheet(
        name=name,
        caption=caption,
        heading="center",
        keys=("adcid", "center"),
        columns=columns,
        rows=tuple(
            Row(name=each.name, keys=(str(each.adcid), each.name), values=cells[each.key])
            for each in ordered(subject, told)
        ),
        totals=Row(name=ALL, keys=("", ALL), values=every)
        if every and len(subject.centers) > 1
        else None,
        in_page=in_page,
    )


def centers_section(subject: Subject, told: Told) -> Section:
    """Tell of each center what it handed in, how much of it passed, and what waits."""
    centers = ordered(subject, told)
    standings = {each.key: standing_of(told, each.key) for each in centers}
    every = standing_of(told)
    before = told.tables.get("status-before")
    cells = {key: _values(each, told, key, _before(before, key)) for key, each in standings.items()}
    changes = _CHANGES if before is not None else ()
    several = len(centers) > 1
    named = [(each.name, standings[each.key]) for each in centers]
    whole = None if before is None else tuple(map(added, before.totals()))
    return Section(
        anchor="centers",
        title="Centers" if several else "Submissions",
        finding=_told(every, centers, standings),
        pictures=(
            picture_of("centers", "center", named, every.rate if several else None, with_mean=several),
        ) if every.total.most else (),
        sheets=(
            center_sheet(
                subject,
                told,
                cells,
                name="centers",
                caption="Submissions with events in the period, pass rate"
                + (f", and change from {_name_before(subject)}" if changes else "")
                + f", and backlog; {_ORDERS[subject.order]}" * several,
                columns=(
                    *(structs.replace(each, in_page=each.measure not in _APART) for each in COLUMNS),
                    *changes,
                    Column("backlog", "backlog", "submissions"),
                ),
                every=_values(every, told, None, whole),
            ),
            _parts(centers, standings, every),
            _statuses(subject, told),
        ),
        definitions=(
            ("Counts the submissions whose latest event up to the end of the period is of the period, "
            "by where they stood then. What came before a delete does not count. The checked have an "
            "outcome, and the last one is that of the pass rate, also of those handed in again since; "
            "those waiting, dismissed as duplicates or deleted are in no rate."),
            ("The interval is Wilson's: were the center's rate outside of it, such numbers would be "
            "seen in less than one of twenty periods. The backlog is all that waits, from whatever "
            "period."),
        ),
        questions=("status", "pass-rates"),
    )  # fmt: skip


def _name_before(subject: Subject) -> str:
    before = subject.scope.before
    return "" if before is None else before.title


def _before(table: Table[Count] | None, key: str) -> tuple[Count, ...] | None:
    return None if table is None else table.row(key)


def _values(
    standing: Standing, told: Told, key: str | None, before: tuple[Count, ...] | None
) -> tuple[Value, ...]:
    """Return the values of a center's row, or with None as the key of that of all."""
    backlog = told.tables["backlog"]
    waiting = added(backlog.row(key) if key else map(added, backlog.totals()))
    changes: tuple[Value, ...] = ()
    if before is not None:
        passed, failed, _ = before
        changes = (
            difference(standing.total, added(before)),
            rates_differ(standing.rate, Share.of(passed, failed)),
        )
    return (*values(standing), *changes, count(waiting))


def _told(every: Standing, centers: Sequence[Center], standings: dict[str, Standing]) -> str:
    if every.total.most == 0:
        return "No submission had an event in this period."
    told = f"{capital(of_things(every.total.words, 'submission', 'submissions'))} had events."
    if every.rate.flag == "none":
        return f"{told} None of them has an outcome."
    told = (
        f"{told} {every.checked.words} of them had an outcome at the end of the period: "
        f"{every.rate.words(1)} passed QC "
        f"(95% interval {interval(every.interval).text}, n {every.checked.words})."
    )
    rates = [
        (each.rate.exact, center.name, each.checked.words)
        for center, each in ((center, standings[center.key]) for center in centers)
        if each.checked.least >= _ENOUGH
    ]
    known = [(rate, name, number) for rate, name, number in rates if rate is not None]
    if len(known) < 2 or len(known) < len(rates):
        return told
    low, high = min(known), max(known)
    return (
        f"{told} Of the centers with {_ENOUGH} or more checked, from {low[0]:.1%} ({low[1]}, "
        f"n {low[2]}) to {high[0]:.1%} ({high[1]}, n {high[2]})."
    )


def _parts(centers: Sequence[Center], standings: Mapping[str, Standing], every: Standing) -> Sheet:
    """Return what the chart shows of each center, as numbers."""
    rows = tuple(
        Row(name=each.name, keys=(), values=values(standings[each.key])[: len(_STANDING)])
        for each in centers
    )
    return Sheet(
        name="standing",
        caption="Submissions with events in the period by where they stand",
        heading="center",
        keys=(),
        columns=_STANDING,
        rows=rows,
        totals=Row(name=ALL, keys=(), values=values(every)[: len(_STANDING)])
        if len(rows) > 1
        else None,
        in_file=False,
    )


def _statuses(subject: Subject, told: Told) -> Sheet:
    """Return every status by itself, and the duplicates, as a file."""
    status, duplicates = told.tables["status"], told.tables["duplicates"]
    cells = {
        key: tuple(map(count, (*status.row(key), *duplicates.row(key)))) for key in status.rows
    }
    names = [*STATUSES, "with duplicates"]
    caption = "Submissions by status, and those of which some submit was taken back"
    columns = tuple(Column(name, slug(name), "submissions") for name in names)
    return center_sheet(
        subject, told, cells, name="statuses", caption=caption, columns=columns, in_page=False
    )
