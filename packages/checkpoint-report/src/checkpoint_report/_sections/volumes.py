"""The sections on time: events of the period, and what became of what was handed in each month."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Final

from checkpoint_report._charts.columns import Columns, columns
from checkpoint_report._charts.panels import Part
from checkpoint_report._figures.known import Count, Share, added
from checkpoint_report._figures.scope import Scope
from checkpoint_report._figures.taking import ACTIONS
from checkpoint_report._figures.telling import Told
from checkpoint_report._period import Period
from checkpoint_report._sections.outcomes import COLUMNS, ends, interval
from checkpoint_report._sections.section import Picture, Section, capital, joined, of_things
from checkpoint_report._sections.sheets import Column, Row, Sheet, Value, count, share, slug
from checkpoint_report._sections.subject import Subject

__all__ = ["events_section", "step_name", "trend_section"]

_ACTION_COLORS: Final = (
    "var(--submit)",
    "var(--pass)",
    "var(--fail)",
    "var(--again)",
    "var(--other)",
)
_OUTCOMES: Final = (
    Part("passed", "var(--pass)"),
    Part("not passed", "var(--fail)"),
    Part("no outcome yet", "var(--submit)"),
)


def events_section(subject: Subject, told: Told) -> Section:
    """Tell how many events there were, when, and of which action."""
    table, scope = told.tables["events"], subject.scope
    buckets = scope.period.buckets()
    totals = [added(cells) for cells in table.cells]
    by_action = [added(cells) for cells in table.totals()]
    seen = Columns(
        unit="events",
        names=tuple(bucket.label for bucket in buckets),
        parts=tuple(map(Part, ACTIONS, _ACTION_COLORS)),
        values=_ends(table.cells),
        texts=tuple(total.words for total in totals),
        partial=tuple(not scope.is_whole(bucket) for bucket in buckets),
    )
    whole = added(by_action)
    by = scope.period.by
    return Section(
        anchor="events",
        title="Events over time",
        finding=_events_told(whole, by_action),
        pictures=(_picture("events", f"Events by {by} and action", seen),) if whole.most else (),
        sheets=(
            Sheet(
                name="events",
                caption=f"Events by {by} and action",
                heading=by,
                keys=("by",),
                columns=(
                    *(Column(name, slug(name), "events") for name in ACTIONS),
                    Column("all events", "all", "events"),
                ),
                rows=tuple(
                    Row(
                        name=bucket.label
                        if scope.is_whole(bucket)
                        else f"{bucket.label} (partial)",
                        keys=(by,),
                        values=(*map(count, cells), count(total)),
                        days=(bucket.first, bucket.last),
                    )
                    for bucket, cells, total in zip(buckets, table.cells, totals, strict=True)
                ),
                totals=Row(
                    name="all", keys=("all",), values=(*map(count, by_action), count(whole))
                ),
            ),
        ),
        definitions=(
            (
                "Every event counts, a delete like any other. One whose object was written anew with "
                "other content counts once for each content that was taken."
            ),
            (
                "Weeks begin on Monday. One of which days are not of the period, or had not passed when "
                "the checkpoint was last changed, is partial: drawn lighter, and called so."
            ),
        ),
        questions=("counts",),
    )


def _events_told(whole: Count, by_action: Sequence[Count]) -> str:
    if whole.most == 0:
        return "No event took place in this period."
    named = zip(by_action, ACTIONS, strict=True)
    parts = [f"{number.words} {name}" for number, name in named if number.most != 0]
    return f"{capital(of_things(whole.words, 'event', 'events'))} took place: {joined(parts)}."


def trend_section(subject: Subject, told: Told) -> Section:
    """Tell what became of the submissions that were first handed in during each step."""
    table, steps = told.tables["cohort"], subject.scope.steps
    handed_in = [added(cells) for cells in table.cells]
    whole = [_is_whole(step, subject.scope) for step in steps]
    seen = Columns(
        unit="submissions first handed in",
        names=tuple(map(step_name, steps)),
        parts=_OUTCOMES,
        values=_ends(table.cells),
        texts=tuple(total.words for total in handed_in),
        partial=tuple(not each for each in whole),
    )
    caption = "Submissions by when they were first handed in, and their last outcome so far"
    columns_ = (
        Column("handed in", "handed_in", "submissions"),
        *COLUMNS[1:3],
        Column("no outcome yet", "no_outcome_yet", "submissions"),
        *COLUMNS[6:],
    )
    return Section(
        anchor="trend",
        title=f"The last {len(steps)} periods" if not _are_months(steps) else "Twelve months",
        finding=_trend_told(subject, handed_in),
        pictures=(_picture("trend", caption, seen),) if added(handed_in).most else (),
        sheets=(
            Sheet(
                name="trend",
                caption=caption,
                heading="period",
                keys=(),
                columns=columns_,
                rows=tuple(
                    Row(
                        name=step_name(step) if is_whole else f"{step_name(step)} (partial)",
                        keys=(),
                        values=_outcomes(cells),
                        days=(step.first, step.last),
                    )
                    for step, is_whole, cells in zip(steps, whole, table.cells, strict=True)
                ),
                totals=None
                if len(steps) == 1
                else Row(
                    name="all",
                    keys=(),
                    values=_outcomes(tuple(map(added, table.totals()))),
                    days=(steps[0].first, steps[-1].last),
                ),
            ),
        ),
        definitions=(
            (
                "Counts submissions by their first submit since their last delete, with the outcome "
                "that they had when the period ended; the younger they are, the more have none yet. "
                "Those of which nothing but an outcome, duplicates or a delete is known are not here."
            ),
        ),
    )


def _trend_told(subject: Subject, handed_in: Sequence[Count]) -> str:
    period, now = subject.scope.period.title, handed_in[-1]
    whom = capital(of_things(now.words, "submission was", "submissions were"))
    told = f"{whom} first handed in during {period}"
    before = subject.scope.before
    if before is None or len(handed_in) < 2:
        return f"{told}. There is no whole period before it to compare with."
    then = handed_in[-2]
    return f"{told} ({then.words} in {before.title}, {(now - then).words()})."


def _outcomes(cells: Sequence[Count]) -> tuple[Value, ...]:
    passed, failed, _ = cells
    return (
        count(added(cells)),
        *map(count, cells),
        count(passed + failed),
        share(Share.of(passed, failed), decimals=1),
        interval(Share.interval(passed, failed)),
    )


def step_name(step: Period) -> str:
    """Return what a step is called where there is little room."""
    if _are_months((step,)):
        return f"{step.first:%b} {step.first.year}"
    return f"{step.first.day} {step.first:%b} {step.first.year}"


def _are_months(steps: Sequence[Period]) -> bool:
    return all(" to " not in step.title and not step.title[:1].isdigit() for step in steps)


def _is_whole(step: Period, scope: Scope) -> bool:
    begun: date | None = None if scope.begun is None else scope.begun.date()
    return step.end <= scope.cut and begun is not None and begun <= step.first


def _ends(cells: Sequence[Sequence[Count]]) -> tuple[tuple[tuple[float, float], ...], ...]:
    return tuple(tuple(map(ends, row)) for row in cells)


def _picture(name: str, shows: str, seen: Columns) -> Picture:
    return Picture(name=name, shows=shows, chart=partial(columns, seen))
