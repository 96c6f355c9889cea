"""The section on the time until QC is passed, in which what is still open counts."""

from functools import partial
from typing import Final

from checkpoint_report._charts.curve import Step, curve
from checkpoint_report._figures.known import Share, added
from checkpoint_report._figures.telling import DAYS_OF_ESTIMATE, Told
from checkpoint_report._figures.times import LIFE, Estimate
from checkpoint_report._period import day_of
from checkpoint_report._sections.outcomes import interval
from checkpoint_report._sections.section import Picture, Section, joined, of_things
from checkpoint_report._sections.sheets import NONE, Column, Row, Sheet, Value, count, share
from checkpoint_report._sections.subject import Subject

__all__ = ["estimate_section"]

_ESTIMATED: Final = (
    "The estimate is that of Kaplan and Meier, with a log-log 95% interval: what is still open counts "
    "for as long as it was followed."
)
_NOT_ESTIMATED: Final = (
    "Which share passes within so many days is not estimated on a page that hides small counts: each "
    "step of such an estimate is a few submissions, or one."
)


def estimate_section(subject: Subject, told: Told) -> Section:
    """Tell which share of what is handed in has passed after so many days, as far as is known."""
    table, estimate = told.tables["life"], told.estimate
    pictures: tuple[Picture, ...] = ()
    if estimate is not None:
        pictures = (
            Picture(
                name="time-to-qc",
                shows="Share that has passed QC by days since it was first handed in, with 95% band",
                chart=partial(_drawn, estimate),
            ),
        )
    return Section(
        anchor="time-to-qc",
        title="How long QC takes, counting what is still open",
        finding=_told(subject, told),
        pictures=pictures,
        sheets=(
            *(() if told.threshold is not None else (_shares(estimate),)),
            Sheet(
                name="followed",
                caption="Submissions that were followed, by how long",
                heading="followed",
                keys=("followed",),
                columns=(
                    Column("until they passed", "passed", "submissions"),
                    Column("and still not passed", "open", "submissions"),
                ),
                rows=tuple(
                    Row(name=key, keys=(key,), values=tuple(map(count, table.row(key))))
                    for key in LIFE
                ),
                totals=Row(
                    name="all", keys=("all",), values=tuple(map(count, map(added, table.totals())))
                ),
            ),
        ),
        definitions=(
            (
                "Follows each submission that was first handed in during the periods of the trend "
                "above, from its first submit since its last delete to its first pass-qc, "
                "or, where it has none, to the end of the period: whether checked and not passed, or "
                "waiting. Whole days. Those that passed without a submit before are left out."
            ),
            _ESTIMATED if told.threshold is None else _NOT_ESTIMATED,
        ),
    )


def _shares(estimate: Estimate | None) -> Sheet:
    """Return the estimate after so many days."""
    return Sheet(
        name="time-to-qc",
        caption="Estimated share that has passed QC since it was first handed in",
        heading="passed",
        keys=("within_days",),
        columns=(
            Column("estimated share", "estimated_share", "share"),
            Column("95% interval", "estimated_share_interval", "share"),
        ),
        rows=tuple(
            Row(name=f"within {day} days", keys=(str(day),), values=_values(estimate, day))
            for day in DAYS_OF_ESTIMATE
        ),
    )


def _told(subject: Subject, told: Told) -> str:
    passed, still = (added(column) for column in told.tables["life"].totals())
    followed = passed + still
    if followed.most == 0:
        return "No submission was first handed in during these periods."
    steps = subject.scope.steps
    told_of = (
        f"Of {of_things(followed.words, 'submission', 'submissions')} first handed in since {day_of(steps[0].first)}, "
        f"{still.words} {'has' if still.words == '1' else 'have'} not passed QC yet"
    )
    shares = [(day, _share(told.estimate, day)) for day in DAYS_OF_ESTIMATE]
    parts = [f"{each.words()} within {day} days" for day, each in shares if each.exact is not None]
    if not parts:
        return f"{told_of}."
    return f"{told_of}. Counting these for as long as they are open, an estimated {joined(parts)} pass."


def _values(estimate: Estimate | None, day: int) -> tuple[Value, Value]:
    place = None if estimate is None else estimate.at(day)
    if estimate is None or place is None:
        return NONE, NONE
    ends = Share(estimate.low[place], estimate.high[place])
    return share(_share(estimate, day), decimals=1), interval(ends)


def _share(estimate: Estimate | None, day: int) -> Share:
    place = None if estimate is None else estimate.at(day)
    if estimate is None or place is None:
        return Share()
    return Share(estimate.shares[place], estimate.shares[place])


def _drawn(estimate: Estimate, width: int) -> str:
    steps = [
        Step(*each)
        for each in zip(estimate.days, estimate.shares, estimate.low, estimate.high, strict=True)
    ]
    return curve(
        steps, DAYS_OF_ESTIMATE, unit="share that has passed QC", color="var(--pass)", width=width
    )
