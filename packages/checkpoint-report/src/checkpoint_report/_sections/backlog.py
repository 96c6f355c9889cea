"""The section on the backlog: what waits for a first outcome, for how long, and where."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from checkpoint_queries import AGES
from checkpoint_report._charts.panels import Part
from checkpoint_report._charts.rows import rows
from checkpoint_report._figures.known import Count, Days, added
from checkpoint_report._figures.telling import Told
from checkpoint_report._sections.centers import center_sheet
from checkpoint_report._sections.outcomes import count_bars, difference
from checkpoint_report._sections.section import Picture, Section, capital, of_things
from checkpoint_report._sections.sheets import NONE, Column, Value, count, days, slug
from checkpoint_report._sections.subject import Subject, ordered

__all__ = ["backlog_section"]

_PARTS: Final = tuple(Part(age, f"var(--age{place})") for place, age in enumerate(AGES, 1))


def backlog_section(subject: Subject, told: Told) -> Section:
    """Tell how many submissions wait, how old they are, and by how many there are more."""
    table, before = told.tables["backlog"], told.tables.get("backlog-before")
    centers = ordered(subject, told)
    every = tuple(map(added, table.totals()))
    then = None if before is None else added(map(added, before.totals()))
    several = len(centers) > 1

    def cells(key: str) -> tuple[Value, ...]:
        earlier = None if before is None else added(before.row(key))
        return _values(table.row(key), told.oldest.get(key), earlier)

    panel = count_bars(
        "Waiting submissions by age",
        "submissions",
        _PARTS,
        [table.row(center.key) for center in centers],
        with_mean=several,
    )
    names = [center.name for center in centers]
    picture = Picture(
        name="backlog",
        shows="Submissions that wait for a first outcome, by center and age",
        chart=partial(rows, names, [panel]),
    )
    changes = () if then is None else (Column("change", "waiting_change", "submissions"),)
    return Section(
        anchor="backlog",
        title="Backlog",
        finding=_told(subject, every, then, told.oldest),
        pictures=(picture,) if added(every).most else (),
        sheets=(
            center_sheet(
                subject,
                told,
                {key: cells(key) for key in table.rows},
                name="backlog",
                caption="Submissions that waited for a first outcome at the end of the period, by age"
                + " and center" * several,
                columns=(
                    Column("waiting", "waiting", "submissions"),
                    *(Column(age, slug(f"waiting {age}"), "submissions") for age in AGES),
                    Column("oldest, days", "oldest", "days"),
                    *changes,
                ),
                every=_values(every, _oldest(told.oldest), then),
            ),
        ),
        definitions=(
            (
                "Counts the submissions that were handed in up to the end of the period, or to the "
                "checkpoint's last change where that came first, and had no outcome by then. Their age "
                "is in whole days of 24 hours since they were first handed in; what came before a "
                "delete does not count. Those handed in again after an outcome are not here."
            ),
        ),
        questions=("waiting",),
    )


def _values(
    ages: tuple[Count, ...], oldest: Days | None, before: Count | None
) -> tuple[Value, ...]:
    waiting = added(ages)
    changes = () if before is None else (difference(waiting, before),)
    return (
        count(waiting),
        *map(count, ages),
        NONE if oldest is None else days(oldest),
        *changes,
    )


def _oldest(oldest: Mapping[str, Days]) -> Days | None:
    """Return the oldest of all: where it is not told of each, not of all."""
    known = [each.days for each in oldest.values() if each.days is not None]
    if len(known) < len(oldest):
        return Days(flag="suppressed")
    return Days.of(max(known)) if known else None


def _told(
    subject: Subject, every: tuple[Count, ...], then: Count | None, oldest: Mapping[str, Days]
) -> str:
    waiting, old = added(every), every[-1]
    if waiting.most == 0:
        return "No submission waits for a first outcome."
    told = f"{capital(of_things(waiting.words, 'submission waits', 'submissions wait'))} for a first outcome"
    if then is not None and subject.scope.before is not None:
        change = (waiting - then).words()
        told = f"{told} ({then.words} at the end of {subject.scope.before.title}, {change})"
    told = f"{told}. {capital(old.words)} of them for {AGES[-1]}" if old.most != 0 else told
    eldest = _oldest(oldest)
    if eldest is None or eldest.days is None:
        return f"{told}."
    return f"{told}; the oldest for {of_things(eldest.words, 'day', 'days')}."
