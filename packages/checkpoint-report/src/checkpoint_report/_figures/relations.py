"""What holds between the tables by the definitions that the page states, whoever reads it.

Who knows the definitions can reckon with these; so does whoever hides counts. Each holds of every
checkpoint, however it came about; only between periods a later event can tell submissions apart that
were one before.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import combinations
from typing import Final, Literal

from checkpoint_queries import AGES
from checkpoint_report._figures.scope import Scope
from checkpoint_report._figures.standing import (
    ATTEMPTS,
    NOT_ALIVE,
    NOT_PASSED,
    PASSED,
    STATUSES,
)
from checkpoint_report._figures.tables import Place, Relation, Table
from checkpoint_report._figures.times import LIFE

__all__ = ["relations_of"]

_RESUBMITTED: Final = (PASSED[1], NOT_PASSED[1])
_LAST_EVENT: Final = {
    "submit": ("waiting", *_RESUBMITTED),
    "pass-qc": ("pass-qc",),
    "not-pass-qc": ("not-pass-qc",),
    "delete": ("deleted",),
}
"""By action: where submissions stand of which it can be the latest event, if not a duplicate."""
_DUPLICATE: Final = "duplicate-submit"
_ALIVE: Final = tuple(status for status in STATUSES if status not in NOT_ALIVE)
_BY_OUTCOME: Final = {"pass-qc": PASSED, "not-pass-qc": NOT_PASSED, "none": ("waiting",)}


def relations_of(tables: Mapping[str, Table[int]], scope: Scope) -> tuple[Relation, ...]:
    """Return what holds between these tables; of one that is not there, nothing."""
    found = (
        *_counted_twice(tables),
        *_latest_events(),
        *_of_cohorts(tables),
        *_of_ages(tables, scope),
        *_of_the_period_before(tables, scope.cut - scope.period.begin),
        *_of_centers(tables, scope.cut - scope.period.begin),
        _at_most("arrivals", "events", "the objects of the period's events have a row each"),
    )
    return tuple(
        relation
        for relation in found
        if all(place.table in tables for place in (*relation.left, *relation.right))
    )


def _at_most(left: Place | str, right: Place | str, why: str) -> Relation:
    return _relation("is at most", left, right, why)


def _relation(
    how: Literal["equals", "is at most"], left: Place | str, right: Place | str, why: str
) -> Relation:
    sides = [(Place(side) if isinstance(side, str) else side,) for side in (left, right)]
    return Relation(left=sides[0], how=how, right=sides[1], why=why)


def _counted_twice(tables: Mapping[str, Table[int]]) -> Iterator[Relation]:
    """The submissions of the period are counted by center, study, kind, attempts, and as forms."""
    for name in ("study", "kind", "attempts"):
        for status in STATUSES:
            yield _relation(
                "equals",
                Place(name, columns=(status,)),
                Place("status", columns=(status,)),
                "each submission with this status is in one row of either table",
            )
    forms = tuple(key for key in tables["kind"].rows if key.split(" ", 1)[0] == "form")
    for field in tables["completeness"].rows:
        yield _relation(
            "equals",
            Place("completeness", (field,)),
            Place("kind", forms),
            "each form has the field from the start, got it later, or lacks it",
        )


def _latest_events() -> Iterator[Relation]:
    """The latest event of each submission is of the period, and fits its status or is a duplicate."""
    for number in range(len(_LAST_EVENT) + 1):
        for actions in combinations(_LAST_EVENT, number):
            statuses = [status for action in actions for status in _LAST_EVENT[action]]
            yield _at_most(
                Place("status", columns=("duplicate", *statuses)),
                Place("events", columns=(_DUPLICATE, *actions)),
                "the latest event of a submission brought it where it stands, or is a duplicate",
            )


def _of_cohorts(tables: Mapping[str, Table[int]]) -> Iterator[Relation]:
    """Of all cohorts, and of the last, which was first handed in during the period."""
    last = tables["cohort"].rows[-1:]
    yield _relation(
        "equals",
        Place("cohort", last),
        "submission",
        "both count the submissions that were first handed in during the period",
    )
    for outcome, statuses in _BY_OUTCOME.items():
        yield _at_most(
            Place("cohort", last, (outcome,)),
            Place("status", columns=statuses),
            "what was first handed in during the period has its latest event in it",
        )
        yield _at_most(
            Place("cohort", last, (outcome,)),
            Place("attempts", ATTEMPTS[1:], statuses),
            "what was first handed in was handed in",
        )
    none, failed = Place("cohort", columns=("none",)), ("none", "not-pass-qc")
    still_open = Place("life", columns=("open",))
    yield _at_most(none, "backlog", "without an outcome they wait")
    yield _at_most(none, still_open, "those that wait have not passed")
    yield _at_most(still_open, Place("cohort", columns=failed), "those that passed are not open")
    yield _at_most("life", "cohort", "those that are followed were handed in during the steps")
    handed_in = ATTEMPTS[1:]
    for name, action, statuses in (
        ("submission", "submit", _ALIVE),
        ("qc", "pass-qc", (*PASSED, *NOT_PASSED)),
    ):
        yield _at_most(name, Place("events", columns=(action,)), "each has such an event")
        yield _at_most(name, Place("attempts", handed_in, statuses), "each was handed in")


def _of_ages(tables: Mapping[str, Table[int]], scope: Scope) -> Iterator[Relation]:
    """What was handed in since a step began is no older, and what is younger was handed in since."""
    rows = tables["cohort"].rows
    last = (scope.cut - timedelta(microseconds=1)).date()
    for number, step in enumerate(scope.steps):
        before, since = rows[:number], rows[number:]
        none = Place("cohort", since, ("none",))
        not_passed = Place("cohort", since, ("none", "not-pass-qc"))
        age = scope.cut - step.begin
        classes = sum(timedelta(days=days) <= age for days in (7, 30, 90))
        days = (last - step.first).days
        up_to = LIFE[: 1 + sum(upper < days for upper in (7, 30, 90))]
        within = LIFE[: sum(upper <= days for upper in (7, 30, 90))]
        for left, right in (
            (none, Place("backlog", columns=AGES[: classes + 1])),
            (Place("backlog", columns=AGES[:classes]), none),
            (none, Place("life", up_to, ("open",))),
            (Place("life", within, ("open",)), not_passed),
            (Place("life", LIFE[len(up_to) :]), Place("cohort", before)),
            (
                Place("life", LIFE[len(up_to) :], ("open",)),
                Place("cohort", before, ("none", "not-pass-qc")),
            ),
            (
                Place("cohort", before, ("none",)),
                Place("life", LIFE[len(within) :], ("open",)),
            ),
        ):
            yield _at_most(left, right, "since a step began nothing has waited for longer than it")


def _of_the_period_before(
    tables: Mapping[str, Table[int]], length: timedelta
) -> Iterator[Relation]:
    """What is older than the period was there before it."""
    old = AGES[1 + sum(timedelta(days=days) <= length for days in (7, 30, 90)) :]
    for center in tables["status"].rows:
        yield _at_most(
            Place("backlog", (center,), old),
            Place("backlog-before", (center,)),
            "what has waited for longer waited then",
        )
    yield _at_most(
        Place("cohort", tables["cohort"].rows[-2:-1]),
        "status-before",
        "what was first handed in then had its latest event then",
    )


def _of_centers(tables: Mapping[str, Table[int]], length: timedelta) -> Iterator[Relation]:
    """Of each center alone."""
    ends = zip((7, 30, 90), AGES, strict=False)
    young = tuple(age for days, age in ends if timedelta(days=days) <= length)
    for center in tables["status"].rows:
        here = (center,)
        waiting = Place("status", here, ("waiting",))
        yield _at_most(
            Place("duplicates", here),
            Place("status", here, (*_ALIVE, "duplicate")),
            "those with a duplicate are some of the center's",
        )
        yield _at_most(
            Place("submission", here),
            Place("status", here, _ALIVE),
            "what was first handed in during the period has its latest event in it",
        )
        yield _at_most(
            Place("qc", here),
            Place("status", here, (*PASSED, *NOT_PASSED)),
            "what first passed in the period has its latest event in it",
        )
        yield _at_most(waiting, Place("backlog", here), "those of the period wait with the others")
        yield _at_most(
            Place("backlog", here, young), waiting, "what has waited less is of the period"
        )
