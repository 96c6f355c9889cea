"""What submissions are, event by event in plain Python: the definition as one would say it.

It knows nothing of how the queries do it. Rows are dicts in the order of the file.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

Row = dict[str, Any]
Key = tuple[Any, ...]

SUBMISSION = ("pipeline_adcid", "ptid", "visit_date", "datatype", "module", "modality")
VISIT = ("pipeline_adcid", "ptid", "visit_date", "visit_number")
PRECEDENCE = ["submit", "duplicate-submit", "not-pass-qc", "pass-qc", "delete"]


class Submission:
    """One submission (or visit) with its events in order, and what they say of it."""

    def __init__(self, identity: Row, events: Sequence[Row]) -> None:
        """Read the events, given in the order of the file."""
        self.identity = identity
        # `sorted` keeps what is equal in the order of the file.
        self.events = sorted(
            events, key=lambda row: (row["timestamp"], PRECEDENCE.index(row["action"]))
        )
        self.latest = self.events[-1]
        counting = versions_that_count(self.events)
        others = [row["study"] for row in counting if row["study"] != "adrc"]
        self.study = others[-1] if others else "adrc"
        self.life = Life()
        for event in counting:
            self.life = self.life.after(event)

    def described(self) -> Row:
        """Return the latest event with the submission's own identity and study."""
        return self.latest | self.identity | {"study": self.study}

    def facts(self) -> Row:
        """Return what the events say."""
        life, day = self.life, self.latest["visit_date"]
        submits = sorted(life.submitted)
        first_pass = life.passed[0] if life.passed else None
        timed = first_pass is not None and life.passed_after_submit
        return {
            "status": life.status(),
            "outcome": life.outcome,
            "first_submit": submits[0] if submits else None,
            "last_submit": submits[-1] if submits else None,
            "open_since": life.open[0] if life.open else None,
            "first_pass": first_pass,
            "last_event": self.latest["timestamp"],
            "submits": len(submits),
            "passes": len(life.passed),
            "failures": life.failures,
            "duplicates": life.dismissed,
            "days_to_submission": days(day, submits[0]) if submits else None,
            "days_to_qc": days(day, first_pass) if timed and first_pass else None,
        }


class Life:
    """What has happened since the last delete."""

    def __init__(self, *, deleted: bool = False) -> None:
        """Begin; `deleted` where a delete came before."""
        self.deleted = deleted
        self.begun = False
        self.open: list[datetime] = []
        self.submitted: list[datetime] = []
        self.outcome: str | None = None
        self.passed: list[datetime] = []
        self.passed_after_submit = False
        self.failures = 0
        self.dismissed = 0

    def after(self, event: Row) -> "Life":
        """Return the life as it is after one more event."""
        action, moment = event["action"], event["timestamp"]
        if action == "delete":
            return Life(deleted=True)
        if action == "submit":
            self.begun = True
            self.open.append(moment)
            self.submitted.append(moment)
        elif action == "duplicate-submit":
            if self.open:
                self.submitted.remove(self.open.pop())
                self.dismissed += 1
        else:
            self.begun = True
            self.outcome = action
            self.open = []
            if action == "pass-qc":
                if not self.passed:
                    self.passed_after_submit = bool(self.submitted)
                self.passed.append(moment)
            else:
                self.failures += 1
        return self

    def status(self) -> str:
        """Tell where it stands."""
        if self.deleted and not self.begun:
            return "deleted"
        if self.open:
            return "resubmitted" if self.outcome else "waiting"
        return self.outcome or "duplicate"


def versions_that_count(events: Iterable[Row]) -> list[Row]:
    """Keep the last of the rows with equal action and timestamp."""
    kept: dict[Key, Row] = {}
    for event in events:
        kept[event["timestamp"], event["action"]] = event
    return list(kept.values())


def days(first: date, moment: datetime) -> int:
    """Count the days from a date to the day of a moment."""
    return (moment.date() - first).days


def submissions(rows: Sequence[Row], identity: str) -> list[Submission]:
    """Put the events together, and return what they are about in order."""
    found: dict[Key, tuple[Row, list[Row]]] = {}
    places: dict[Key, list[Row]] = {}
    for row in rows:
        places.setdefault(place_of(row), []).append(row)
    for row in rows:
        told = (
            identity_of(row, places[place_of(row)])
            if identity == "submission"
            else {n: row[n] for n in VISIT}
        )
        found.setdefault(tuple(told.values()), (told, []))[1].append(row)
    return [Submission(*found[key]) for key in sorted(found, key=missing_first)]


def identity_of(row: Row, neighbours: Sequence[Row]) -> Row:
    """Tell what identifies the submission of an event, by those at the same place."""
    part = part_of(row)
    if part is None:
        near = [other for other in neighbours if part_of(other)]
        same = [
            other
            for other in near
            if (other["action"], other["timestamp"]) == (row["action"], row["timestamp"])
        ]
        for choice in (same, near):
            parts = {part_of(other) for other in choice}
            if len(parts) == 1:
                (part,) = parts
                break
    is_form = row["datatype"] == "form"
    found = dict(zip(SUBMISSION, place_of(row), strict=False))
    return found | {"module": part if is_form else None, "modality": None if is_form else part}


def place_of(row: Row) -> Key:
    """Return center, participant, date and datatype."""
    ptid = row["ptid"].lstrip("0") or "0"
    return (row["pipeline_adcid"], ptid, row["visit_date"], row["datatype"])


def part_of(row: Row) -> str | None:
    """Return the module of a form, the modality of anything else."""
    value: str | None = row["module"] if row["datatype"] == "form" else row.get("modality")
    return value.upper() if value else None


def missing_first(values: Iterable[Any]) -> tuple[tuple[bool, Any], ...]:
    """Return a key to sort by, where a missing value comes first."""
    return tuple((value is not None, value) for value in values)
