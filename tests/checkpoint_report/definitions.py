"""What everybody knows of the numbers that a report publishes: the definitions that it states."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final

from tests.checkpoint_report.auditing import Auditor
from tests.checkpoint_report.published import Key, Published

STATUSES: Final = (
    "pass_qc", "not_pass_qc", "waiting", "resubmitted_pass_qc", "resubmitted_not_pass_qc",
    "duplicate", "deleted",
)  # fmt: skip
"""Where a submission can stand."""
_ALIVE: Final = STATUSES[:5]
_CHECKED: Final = (STATUSES[0], STATUSES[1], STATUSES[3], STATUSES[4])
_PARTS: Final = {
    "passed": STATUSES[:1],
    "not_passed": STATUSES[1:2],
    "waiting": STATUSES[2:3],
    "handed_in_again": STATUSES[3:5],
    "duplicate_or_deleted": STATUSES[5:],
    "submissions": STATUSES,
    "checked": _CHECKED,
}
"""What columns of submissions add up."""
_LATEST: Final = {
    "waiting": "submit",
    "resubmitted_pass_qc": "submit",
    "resubmitted_not_pass_qc": "submit",
    "pass_qc": "pass_qc",
    "not_pass_qc": "not_pass_qc",
    "deleted": "delete",
}
"""The action of the latest event of a submission that stands there, if that is no duplicate."""
_AGES: Final = ("under_7_days", "7_to_29_days", "30_to_89_days", "90_days_or_more")
_YOUNGER: Final = (7, 30, 90)
_FOLLOWED: Final = ("within 7 days", "8 to 30 days", "31 to 90 days", "over 90 days")
_UP_TO: Final = (7, 30, 90)


def auditor_of(published: Published, first: date, end: date) -> Auditor:
    """Return one who has read all files of a report on the days from `first` to before `end`."""
    auditor = Auditor()
    for key, (least, most, flag) in published.numbers.items():
        if flag in {"exact", "suppressed", "bounded"} and is_count(key):
            auditor.is_told(key, int(least or 0), None if most is None else int(most))
    _knows_standings(auditor, published)
    _knows_times(auditor, published)
    _knows_steps(auditor, published, first, end)
    return auditor


def is_count(key: Key) -> bool:
    """Tell whether a number counts something: it is no rate, no time and no change."""
    others = ("rate", "share", "median", "nine_of_ten", "oldest", "change")
    return not any(part in key[-1] for part in others)


def _knows_standings(auditor: Auditor, published: Published) -> None:
    """Each submission has one status, and is in one row of each table; its latest event fits it."""

    def cell(file: str, row: Key, status: str) -> Key:
        return ("atom", file, *row, status)

    rows: dict[str, list[Key]] = {}
    for file in ("centers", "studies", "kinds", "attempts"):
        rows[file] = [row for row in published.of(file, "submissions") if row != ("",)]
        for row in rows[file]:
            for status in STATUSES:
                auditor.is_told(cell(file, row, status))
            for measure, statuses in _PARTS.items():
                (key,) = (key for key in published.keys(file, measure) if key[3:-1] == row)
                auditor.equal([key], [cell(file, row, status) for status in statuses])
    for (center,) in rows["centers"]:
        for status in STATUSES:
            (key,) = (k for k in published.keys("statuses", status) if k[3:-1] == (center,))
            auditor.equal([key], [cell("centers", (center,), status)])
    every = {
        status: [cell("centers", row, status) for row in rows["centers"]] for status in STATUSES
    }
    for file in ("studies", "kinds", "attempts"):
        for status in STATUSES:
            auditor.equal([cell(file, row, status) for row in rows[file]], every[status])
    for measure, statuses in _PARTS.items():
        for key in published.keys("centers", measure):
            if key[3] == "":
                auditor.equal([key], [each for status in statuses for each in every[status]])
        for key in published.keys("datatypes", measure):
            auditor.equal(
                [key],
                [
                    cell("kinds", row, s)
                    for row in rows["kinds"]
                    for s in statuses
                    if row[0] == key[3]
                ],
            )
    for key in published.keys("completeness", "forms"):
        parts = [(*key[:-1], part) for part in ("from_the_start", "filled_in_later", "missing")]
        auditor.equal([key], parts)
        forms = [
            cell("kinds", row, s) for row in rows["kinds"] for s in STATUSES if row[0] == "form"
        ]
        auditor.equal([key], forms)
    # Those that were never handed in are not waiting, and nothing was handed in again.
    for status in ("waiting", *STATUSES[3:5]):
        auditor.is_told(cell("attempts", ("never",), status), 0, 0)
    for measure, statuses in (("submission", _ALIVE), ("qc", _CHECKED)):
        auditor.at_most(
            [key for key in published.keys("days", measure) if key[3] != ""],
            [cell("attempts", row, s) for row in rows["attempts"] for s in statuses
             if row != ("never",)],
        )  # fmt: skip
    _knows_events(auditor, published, every)


def _knows_events(
    auditor: Auditor, published: Published, every: Mapping[str, Iterable[Key]]
) -> None:
    """The latest event of each submission is one of the period's: of its status, or a duplicate."""
    by_action: dict[str, list[Key]] = {"duplicate_submit": []}
    for status, cells in every.items():
        latest = [("latest", status, "duplicate_submit")]
        by_action["duplicate_submit"].append(latest[0])
        if status in _LATEST:
            latest.append(("latest", status, _LATEST[status]))
            by_action.setdefault(_LATEST[status], []).append(latest[1])
        for each in latest:
            auditor.is_told(each)
        auditor.equal(latest, cells)
    weeks = [key for key in published.numbers if key[0] == "events" and key[-1] != "all"]
    for action in {key[-1] for key in weeks}:
        parts = [key for key in weeks if key[-1] == action and key[3] != "all"]
        auditor.equal(parts, [key for key in weeks if key[-1] == action and key[3] == "all"])
        auditor.at_most(by_action.get(action, []), parts)
    for key in published.keys("events", "all"):
        auditor.equal([key], [each for each in weeks if each[:-1] == key[:-1]])


def _knows_times(auditor: Auditor, published: Published) -> None:
    """Of each center: what happened in the period is of submissions that have their latest event in it."""
    centers = [row[0] for row in published.of("statuses", "waiting")]

    def status(center: str, *names: str) -> list[Key]:
        return [key for key in published.numbers if key[0] == "statuses" and key[3] == center
                and key[-1] in names]  # fmt: skip

    for file, measures in (
        ("days", ("submission", "submission_before_the_visit", "qc", "qc_before_the_visit")),
        ("backlog", ("waiting", *(f"waiting_{age}" for age in _AGES))),
        ("lateness", ("arrivals", "arrivals_before_its_time", "not_timed")),
    ):
        for measure in measures:
            keys = published.keys(file, measure)
            auditor.equal(
                [key for key in keys if key[3] == ""],
                [key for key in keys if key[3] != ""] if any(key[3] == "" for key in keys) else [],
            )
    for center in centers:
        row = ("days", *_days(published), center)
        alive, checked = status(center, *_ALIVE), status(center, *_CHECKED)
        auditor.at_most([(*row, "submission")], alive)
        auditor.at_most([(*row, "qc")], checked)
        for measure in ("submission", "qc"):
            auditor.at_most([(*row, f"{measure}_before_the_visit")], [(*row, measure)])
        auditor.at_most(status(center, "with_duplicates"), status(center, *_ALIVE, "duplicate"))
        backlog = ("backlog", *_days(published), center)
        auditor.equal([(*backlog, "waiting")], [(*backlog, f"waiting_{age}") for age in _AGES])
        auditor.at_most(status(center, "waiting"), [(*backlog, "waiting")])
        auditor.equal([("centers", *_days(published), center, "backlog")], [(*backlog, "waiting")])
    for measure, action in (("submission", "submit"), ("qc", "pass_qc")):
        events = [key for key in published.keys("events", action) if key[3] != "all"]
        auditor.at_most([("days", *_days(published), c, measure) for c in centers], events)


def _days(published: Published) -> tuple[str, str]:
    key = next(key for key in published.numbers if key[0] == "followed")
    return key[1], key[2]


def _knows_steps(auditor: Auditor, published: Published, first: date, end: date) -> None:
    """What was first handed in during the last step is what is first handed in; and what is open waits."""
    outcomes = ("passed", "not_passed", "no_outcome_yet")
    steps = list(published.of("trend", "handed_in"))
    for row in steps:
        cells = [("trend", *row, outcome) for outcome in outcomes]
        auditor.equal([("trend", *row, "handed_in")], cells)
        auditor.equal([("trend", *row, "checked")], cells[:2])
    if len(steps) > 1:
        *steps, whole = steps
        for outcome in outcomes:
            auditor.equal([("trend", *whole, outcome)], [("trend", *row, outcome) for row in steps])
    days, last = _days(published), ("trend", *steps[-1])
    centers = [row[0] for row in published.of("statuses", "waiting")]
    auditor.equal(
        [(*last, "handed_in")], [("days", *days, center, "submission") for center in centers]
    )

    def every(*statuses: str) -> list[Key]:
        return [("statuses", *days, center, status) for center in centers for status in statuses]

    auditor.at_most([(*last, "passed")], every(STATUSES[0], STATUSES[3]))
    auditor.at_most([(*last, "not_passed")], every(STATUSES[1], STATUSES[4]))
    auditor.at_most([(*last, "no_outcome_yet")], every("waiting"))
    for outcome, statuses in (
        ("passed", (STATUSES[0], STATUSES[3])),
        ("not_passed", (STATUSES[1], STATUSES[4])),
    ):
        handed_in = [
            ("atom", "attempts", *row, status)
            for row in published.of("attempts", "submissions")
            for status in statuses
            if row != ("never",)
        ]
        auditor.at_most([(*last, outcome)], handed_in)

    def waiting(ages: Iterable[str]) -> list[Key]:
        return [("backlog", *days, center, f"waiting_{age}") for center in centers for age in ages]

    def followed(names: Iterable[str], measure: str) -> list[Key]:
        return [("followed", *days, name, measure) for name in names]

    for measure in ("passed", "open"):
        auditor.equal(followed(["all"], measure), followed(_FOLLOWED, measure))
    everything = [("trend", *row, outcome) for row in steps for outcome in outcomes]
    auditor.at_most([*followed(["all"], "passed"), *followed(["all"], "open")], everything)
    # Of the steps from one on: those without an outcome wait, and no longer than since it began.
    for number, row in enumerate(steps):
        since = [("trend", *each, "no_outcome_yet") for each in steps[number:]]
        not_passed = [("trend", *each, "not_passed") for each in steps[number:]]
        age = end - date.fromisoformat(row[0])
        older = sum(timedelta(days=days) <= age for days in _YOUNGER)
        auditor.at_most(since, waiting(_AGES[: older + 1]))
        within = sum(timedelta(days=days) <= age for days in _YOUNGER)
        auditor.at_most(waiting(_AGES[:within]), since)
        older = sum(timedelta(days=days) < age - timedelta(days=1) for days in _UP_TO)
        auditor.at_most(since, followed(_FOLLOWED[: older + 1], "open"))
        before = [("trend", *each, "no_outcome_yet") for each in steps[:number]]
        earlier = [("trend", *each, outcome) for each in steps[:number] for outcome in outcomes]
        beyond = _FOLLOWED[older + 1 :]
        auditor.at_most([*followed(beyond, "open"), *followed(beyond, "passed")], earlier)
        auditor.at_most(
            followed(beyond, "open"), [each for each in earlier if each[-1] != "passed"]
        )
        within = sum(timedelta(days=days) < age for days in _UP_TO)
        auditor.at_most(followed(_FOLLOWED[:within], "open"), [*since, *not_passed])
        auditor.at_most(before, followed(_FOLLOWED[within:], "open"))
    _knows_the_period_before(auditor, published, first, end)
    for center in centers:
        young = sum(timedelta(days=days) <= end - first for days in _YOUNGER)
        auditor.at_most(
            [("backlog", *days, center, f"waiting_{age}") for age in _AGES[:young]],
            [("statuses", *days, center, "waiting")],
        )


def _knows_the_period_before(
    auditor: Auditor, published: Published, first: date, end: date
) -> None:
    """What has waited for longer than the period waited before it; that is told as a change."""
    old = _AGES[1 + sum(timedelta(days=days) <= end - first for days in _YOUNGER) :]
    for key in published.keys("backlog", "waiting_change"):
        waiting, before = (*key[:-1], "waiting"), (*key[:-1], "waiting before")
        low, high, _ = published.numbers[key]
        auditor.is_told(before)
        for end_, sign in ((low, 1), (high, -1)):
            if end_ is not None:
                number = ("as many as", str(int(abs(end_))))
                auditor.is_told(number, int(abs(end_)), int(abs(end_)))
                more, less = ([waiting], [before]) if sign == 1 else ([before], [waiting])
                (less if sign * end_ > 0 else more).append(number)
                auditor.at_most(less, more)
        if key[3]:
            auditor.at_most([(*key[:-1], f"waiting_{age}") for age in old], [before])
    befores = [key for key in published.keys("backlog", "waiting_change") if key[3]]
    for key in published.keys("backlog", "waiting_change"):
        if not key[3]:
            auditor.equal(
                [(*key[:-1], "waiting before")],
                [(*each[:-1], "waiting before") for each in befores],
            )
