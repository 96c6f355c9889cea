"""What stands on top of the page: what to beware of, the few numbers, what is covered."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from checkpoint_queries import AGES
from checkpoint_report._figures.known import added
from checkpoint_report._figures.telling import Told
from checkpoint_report._figures.times import EVERY
from checkpoint_report._period import day_of
from checkpoint_report._sections.centers import standing_of
from checkpoint_report._sections.outcomes import interval
from checkpoint_report._sections.section import capital, of_things
from checkpoint_report._sections.subject import Subject, passing_before

__all__ = ["Fact", "coverage", "glance", "notices", "summary"]


class Fact(Struct, frozen=True):
    """A number or words, what they are, and what is to be said beside them."""

    name: str
    value: str
    note: str = ""


def notices(subject: Subject, told: Told) -> Iterator[str]:
    """Yield what a reader has to know before any number."""
    scope = subject.scope
    period, changed = scope.period, day_of(scope.changed_at.date())
    if scope.cut <= period.begin:
        yield (
            f"This period had not begun when the checkpoint was last changed, on {changed}: "
            "nothing is known of it yet, and the backlog is that of then."
        )
    elif not scope.is_over:
        yield (
            f"This period was not over when the checkpoint was last changed, on {changed}: the "
            "numbers are up to then, and nothing is compared with the period before."
        )
    elif scope.latest is not None and period.first <= scope.latest.date() < period.last:
        days = (period.last - scope.latest.date()).days
        yield (
            f"The period is not covered to its end: no event is dated after "
            f"{day_of(scope.latest.date())}, {of_things(str(days), 'day', 'days')} before it."
        )
    elif scope.latest is not None and scope.latest.date() < period.first:
        yield (
            f"There are no events of this period: the latest is dated {day_of(scope.latest.date())}, "
            "before it."
        )
    if scope.begun is not None and period.first < scope.begun.date():
        begins = f"begins on {day_of(scope.begun.date())}, after the"
        which = "log" if subject.center is None else "center's log"
        when = "first day of the period" if scope.begun.date() <= period.last else "period"
        yield f"The {which} {begins} {when}."
    later = told.tables["later"].cells[0][0]
    if later.most != 0:
        verb = "is" if later.words == "1" else "are"
        yield (
            f"{capital(of_things(later.words, 'event', 'events'))} {verb} dated later than the last "
            "change of the checkpoint, and in no number here."
        )


def glance(subject: Subject, told: Told) -> Iterator[Fact]:
    """Yield the few numbers that one looks for first."""
    scope, tables = subject.scope, told.tables
    before = scope.before
    than = "" if before is None else f" from {before.title}"
    handed_in = [added(cells) for cells in tables["cohort"].cells]
    change = "" if before is None else f"{(handed_in[-1] - handed_in[-2]).words()}{than}"
    yield Fact("First handed in", handed_in[-1].words, change or "submissions")
    every = standing_of(told)
    note = "none was checked"
    if every.rate.flag != "none":
        note = f"of {every.checked.words} checked, 95% interval {interval(every.interval).text}"
    earlier = passing_before(told)
    if earlier is not None and {earlier.flag, every.rate.flag}.isdisjoint({"none", "unknown"}):
        note = f"{note}; {(every.rate - earlier).words(1)} points{than}"
    yield Fact("Passed QC", every.rate.words(1), note)
    waiting = added(map(added, tables["backlog"].totals()))
    old = added(tables["backlog"].total(AGES[-1]))
    note = f"{old.words} of them for {AGES[-1]}"
    if "backlog-before" in tables:
        then = added(map(added, tables["backlog-before"].totals()))
        note = f"{note}; {(waiting - then).words()}{than}"
    yield Fact("Waiting", waiting.words, note)
    passed = told.spreads["qc"][EVERY]
    days = passed.median.words if passed.median.days is None else f"{passed.median.words} days"
    yield Fact("From visit to QC", days, f"median of {passed.count.words} that first passed")
    yield Fact("Events", added(map(added, tables["events"].totals())).words)
    if "rejects" in tables:
        yield Fact("Rejected", added(tables["rejects"].totals()[-1]).words, "event objects")
    else:
        yield Fact("Rejected", "unknown", "no rejects beside the checkpoint")


def summary(told: Told) -> str:
    """Return in a line what a list of reports says of one."""
    every = standing_of(told)
    waiting = added(map(added, told.tables["backlog"].totals()))
    parts = [of_things(every.total.words, "submission", "submissions")]
    if every.rate.flag != "none":
        parts.append(f"{every.rate.words(1)} of {every.checked.words} checked passed")
    return ", ".join([*parts, f"{waiting.words} waiting"])


def coverage(subject: Subject) -> Iterator[Fact]:
    """Yield what the report covers, and up to when."""
    scope, centers = subject.scope, subject.centers
    yield Fact(
        "Period",
        scope.period.title,
        f"from {moment(scope.period.begin)} up to, and without, {moment(scope.period.end)}",
    )
    if scope.latest is None:
        yield Fact("Data up to", "\N{EN DASH}", "there are no events")
    else:
        yield Fact(
            "Data up to",
            day_of(scope.latest.date()),
            "the latest event that is not dated later than the last change",
        )
    yield Fact(
        "Last change",
        moment(scope.changed_at),
        "by the last run that found something new. A run that finds nothing new leaves no trace",
    )
    silent = [center.name for center in centers if not center.has_data]
    if subject.center is not None:
        yield Fact("Center", subject.center.name, "without data in this period" if silent else "")
    elif not centers:
        yield Fact("Centers", "none", "none has sent an event before the end of this period")
    else:
        told = f"without data in this period: {', '.join(silent)}. " if silent else ""
        value = f"{len(centers) - len(silent)} of {len(centers)} with data"
        yield Fact("Centers", value, f"{told}One that never sent an event is not known here")


def moment(time: datetime) -> str:
    """Return a moment to the minute."""
    return f"{time:%Y-%m-%d %H:%M} UTC"
