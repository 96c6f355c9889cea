"""The sections on time: from visit to submission and to QC, and until an event's object arrived."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from checkpoint_report._charts.panels import Mark, Panel, Points
from checkpoint_report._charts.rows import rows
from checkpoint_report._figures.known import added
from checkpoint_report._figures.telling import Told, ToldSpread
from checkpoint_report._figures.times import EVERY
from checkpoint_report._sections.centers import center_sheet
from checkpoint_report._sections.section import Picture, Section, of_things
from checkpoint_report._sections.sheets import Column, Sheet, Value, count, days, slug
from checkpoint_report._sections.subject import Subject, ordered

__all__ = ["days_section", "lateness_section"]


class _Timed(Struct, frozen=True, kw_only=True):
    """What is timed: the table of its counts, and how one speaks of it."""

    table: str
    title: str
    of: tuple[str, str] = ("submission", "submissions")
    which: str
    did: str
    since: str = "the visit"
    unit: str = "days"
    heading: str
    negative: str = "before the visit"
    color: str


_SUBMITTED: Final = _Timed(
    table="submission",
    title="From visit to first submit",
    which="first handed in during {}",
    did="came",
    heading="first handed in",
    color="var(--submit)",
)
_PASSED: Final = _Timed(
    table="qc",
    title="From visit to first pass",
    which="that first passed QC in {}",
    did="did so",
    heading="first passed",
    color="var(--pass)",
)
_ARRIVED: Final = _Timed(
    table="arrivals",
    title="From event to arrival",
    of=("event object", "event objects"),
    which="of {} whose arrival is known",
    did="arrived",
    since="the event's own time",
    unit="hours",
    heading="timed",
    negative="before its time",
    color="var(--other)",
)
_PERCENTILES: Final = "The dot is the median; the line ends where nine of ten were done. Percentiles are interpolated."
_ARRIVAL: Final = (
    "From an event's own time to that at which its object was last written. Of an object that was written "
    "again this is not its arrival: it is not timed. One that was copied arrived when it was copied. Those "
    "that arrived before their own time are in all numbers. What was taken over unread has no center, and "
    "is not here."
)
_PERCENTILES_HIDDEN: Final = (
    "A median is told of {} or more, nine of ten of {} or more, both without fractions: of fewer "
    "they would tell about single ones."
)


def days_section(subject: Subject, told: Told) -> Section:
    """Tell how many days passed from visits until they were handed in and until they passed QC."""
    waiting = added(map(added, told.tables["backlog"].totals())).words
    still = (
        f"Beside these, {of_things(waiting, 'submission', 'submissions')} handed in until then "
        f"{'has' if waiting == '1' else 'have'} no outcome yet."
    )
    both = (_SUBMITTED, _PASSED)
    sentences = [_told(subject, told, timed) for timed in both]
    return Section(
        anchor="days",
        title="Time to submission and to QC",
        finding=" ".join([*sentences, still]),
        pictures=_pictures(subject, told, both, "days", "Days from visit to submission and to QC"),
        sheets=(
            _sheet(
                subject,
                told,
                both,
                "days",
                "Days from visit to first submit and to first pass-qc, of those in the period",
            ),
        ),
        definitions=(
            (
                "From the date of the visit to the day on which a submission was first handed in, and "
                "to that on which it first passed, where it had been handed in before. Whole days, in "
                "UTC. A submit that was taken back as a duplicate does not count, nor what came before "
                "a delete. Those dated before the visit are in all numbers."
            ),
            _percentiles(told.threshold),
            (
                "This is about what has been done: what takes longest is not among it yet. The next "
                "section counts that too."
            ),
        ),
        questions=("days-to-submission", "days-to-qc"),
    )


def lateness_section(subject: Subject, told: Told) -> Section:
    """Tell how many hours after an event its object arrived; or that this is not known."""
    title, anchor, questions = "Lateness", "lateness", ("lateness",)
    if "arrivals" not in told.tables:
        return Section(
            anchor=anchor,
            title=title,
            finding="Not known: there is no ledger beside this checkpoint, and nothing else tells "
            "when objects arrived.",
            questions=questions,
        )
    shows = "Hours from the time of the period's events to the arrival of their objects"
    timed = (_ARRIVED,)
    return Section(
        anchor=anchor,
        title=title,
        finding=_told(subject, told, _ARRIVED),
        pictures=_pictures(subject, told, timed, anchor, shows),
        sheets=(_sheet(subject, told, timed, anchor, shows),),
        definitions=(_ARRIVAL, _percentiles(told.threshold)),
        questions=questions,
    )


def _percentiles(threshold: int | None) -> str:
    if threshold is None:
        return _PERCENTILES
    return f"{_PERCENTILES} {_PERCENTILES_HIDDEN.format(2 * threshold, 10 * threshold)}"


def _told(subject: Subject, told: Told, timed: _Timed) -> str:
    """Return the sentence on the median and on nine of ten, as far as these are told."""
    every = told.spreads[timed.table][EVERY]
    which = timed.which.format(subject.scope.period.title)
    if every.count.most == 0:
        return f"There is no {timed.of[0]} {which}."
    whom = f"Of the {of_things(every.count.words, *timed.of)} {which}"
    if every.median.days is None:
        return f"{whom} too few are told of to say how long it took."
    half = f"{whom}, half {timed.did} within {every.median.words} {timed.unit} of {timed.since}"
    return (
        f"{half}." if every.p90.days is None else f"{half}, nine of ten within {every.p90.words}."
    )


def _pictures(
    subject: Subject, told: Told, several: Sequence[_Timed], name: str, shows: str
) -> tuple[Picture, ...]:
    if not any(told.spreads[timed.table][EVERY].count.most for timed in several):
        return ()
    centers = ordered(subject, told)
    names = [center.name for center in centers]
    panels = [
        _panel(timed, [told.spreads[timed.table][center.key] for center in centers],
               told.spreads[timed.table][EVERY])
        for timed in several
    ]  # fmt: skip
    return (Picture(name=name, shows=f"{shows}, by center", chart=partial(rows, names, panels)),)


def _panel(timed: _Timed, shown: Sequence[ToldSpread], every: ToldSpread) -> Panel:
    overall = every.median.days if len(shown) > 1 else None
    return Panel(
        title=timed.title,
        unit=timed.unit,
        seen=Points(color=timed.color, values=tuple(map(_mark, shown))),
        texts=tuple(map(_said, shown)),
        text_heading="median, 9 of 10, n",
        overall=overall,
        overall_text="" if overall is None else f"dashed: median of all, {every.median.words}",
    )


def _mark(spread: ToldSpread) -> Mark | None:
    if spread.median.days is None:
        return None
    end = spread.median.days if spread.p90.days is None else spread.p90.days
    return Mark(low=spread.median.days, high=end, middle=spread.median.days)


def _said(spread: ToldSpread) -> str:
    if spread.count.most == 0:
        return "none"
    if spread.median.days is None:
        return f"too few, n {spread.count.words}"
    within = "" if spread.p90.days is None else f", {spread.p90.words}"
    return f"{spread.median.words}{within}, n {spread.count.words}"


def _sheet(
    subject: Subject, told: Told, several: Sequence[_Timed], name: str, caption: str
) -> Sheet:
    def cells(key: str) -> tuple[Value, ...]:
        return tuple(value for timed in several for value in _values(told, timed, key))

    columns = tuple(column for timed in several for column in _columns(timed))
    each = {center.key: cells(center.key) for center in subject.centers}
    return center_sheet(
        subject, told, each, name=name, caption=caption, columns=columns, every=cells(EVERY)
    )


def _columns(timed: _Timed) -> tuple[Column, ...]:
    name, of = timed.table, timed.of[1].rsplit(" ", 1)[-1]
    found = (
        Column(timed.heading, name, of),
        Column(f"median {timed.unit}", f"{name}_median", timed.unit),
        Column("9 of 10 within", f"{name}_nine_of_ten", timed.unit),
        Column(timed.negative, slug(f"{name} {timed.negative}"), of),
    )
    return (*found, Column("not timed", "not_timed", of)) if timed is _ARRIVED else found


def _values(told: Told, timed: _Timed, key: str) -> tuple[Value, ...]:
    spread, table = told.spreads[timed.table][key], told.tables[timed.table]

    def counted(column: str) -> Value:
        cells = table.total(column) if key == EVERY else table.part(key, column)
        return count(added(cells))

    shown = (count(spread.count), days(spread.median), days(spread.p90), counted(timed.negative))
    return (*shown, counted("not timed")) if timed is _ARRIVED else shown
