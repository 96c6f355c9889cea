"""The same questions in plain Python, one row after the other."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from msgspec import structs

from checkpoint_queries import Filters
from tests.checkpoint_queries import near_twins
from tests.checkpoint_queries.oracle import (
    SUBMISSION,
    VISIT,
    Row,
    Submission,
    missing_first,
    submissions,
)

IDENTITIES = {"submission": SUBMISSION, "visit": VISIT}
ABOUT_ALL = {"submission": ("ptid", "datatype"), "visit": ("ptid", "visit_number")}
SAME = {"submission": ("pipeline_adcid", "visit_date", "datatype"), "visit": VISIT}
FIELDS = [
    field.name
    for field in structs.fields(Filters)
    if field.default == () and field.name not in {"pipeline_adcid", "center_label", "not_action"}
]
AGES = [(7, "under 7 days"), (30, "7 to 29 days"), (90, "30 to 89 days")]


class Question:
    """The rows that are asked, and what is asked of them."""

    def __init__(
        self,
        frame: pl.DataFrame,
        filters: Filters,
        identity: str = "submission",
        as_of: datetime | None = None,
    ) -> None:
        """Keep what is about whole submissions or visits, and came before the end."""
        self.filters, self.identity, self.columns = filters, identity, frame.columns
        self.frame = frame
        ends = [end for end in (filters.timestamp_to, as_of) if end]
        before = [
            row
            for row in frame.rows(named=True)
            if all(row["timestamp"] and row["timestamp"] < end for end in ends)
        ]
        self.labels = {row["pipeline_adcid"]: row.get("center_label") for row in before}
        centers = self._centers(before)
        self.rows = [
            row for row in before if row["pipeline_adcid"] in centers and self.is_dated(row)
        ]

    def _centers(self, rows: Sequence[Row]) -> set[int | None]:
        asked = self.filters
        found = {row["pipeline_adcid"] for row in rows}
        if asked.pipeline_adcid:
            found &= set(asked.pipeline_adcid)
        if asked.center_label:
            of_rows = [row for row in rows if row["pipeline_adcid"] in found]
            labels = {row["pipeline_adcid"]: row["center_label"] for row in of_rows}
            found = set()
            for label in asked.center_label:
                now = {adcid for adcid, latest in labels.items() if latest == label}
                once = {r["pipeline_adcid"] for r in of_rows if r["center_label"] == label}
                found |= now or once
        elif not asked.pipeline_adcid and not asked.include_test_center:
            found -= {0}
        return found

    def is_dated(self, row: Row) -> bool:
        """Tell whether its visit is in the range of dates."""
        first, last = self.filters.visit_date_from, self.filters.visit_date_to
        return not (first and row["visit_date"] < first) and not (last and row["visit_date"] > last)

    def holds(self, row: Row, names: Iterable[str]) -> bool:
        """Tell whether filters on these fields hold."""
        for name in names:
            values = getattr(self.filters, name)
            value = row.get(name)
            if name == "ptid":
                values = tuple(each.lstrip("0") or "0" for each in values)
                value = row["ptid"] and (row["ptid"].lstrip("0") or "0")
            if values and value not in values:
                return False
            if name == "action" and value in self.filters.not_action:
                return False
        return True

    def is_since(self, row: Row) -> bool:
        """Tell whether it is not too early."""
        begin = self.filters.timestamp_from
        return begin is None or (row["timestamp"] is not None and row["timestamp"] >= begin)

    def events(self) -> list[Row]:
        """Return the events that are asked for."""
        return [row for row in self.rows if self.holds(row, FIELDS) and self.is_since(row)]

    def all(self) -> list[Submission]:
        """Return the submissions that may be asked for."""
        rows = [row for row in self.rows if self.holds(row, ABOUT_ALL[self.identity])]
        return submissions(rows, self.identity)

    def is_wanted(self, described: Row) -> bool:
        """Tell whether the filters that are not about identity hold."""
        names = [name for name in FIELDS if name not in ABOUT_ALL[self.identity]]
        if self.identity == "submission":
            for name in ("module", "modality"):
                values = getattr(self.filters, name)
                upper = {value.upper() if value else None for value in values}
                if values and described[name] not in upper:
                    return False
            names = [name for name in names if name not in {"module", "modality"}]
        return self.holds(described, names) and self.is_since(described)

    def chosen(self) -> list[Submission]:
        """Return the submissions of which all filters hold."""
        return [each for each in self.all() if self.is_wanted(each.described())]

    def labelled(self, row: Row) -> Row:
        """Give a row the latest label of its center."""
        return row | {"center_label": self.labels[row["pipeline_adcid"]]}


def grouped(
    rows: Iterable[Row], by: Sequence[str], summed: Callable[[list[Row]], Row]
) -> list[Row]:
    """Group rows by fields and periods, a center by number and label; sorted."""
    names = []
    for name in by:
        names += ["pipeline_adcid", name] if name == "center_label" else [name]
    names = list(dict.fromkeys(names))
    if not names:
        return [summed(list(rows))]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(period(row, name) for name in names), []).append(row)
    return [
        dict(zip(names, key, strict=True)) | summed(groups[key])
        for key in sorted(groups, key=missing_first)
    ]


def period(row: Row, name: str) -> Any:
    """Return a field, or the first day of a period."""
    if name not in {"day", "week", "month"}:
        return row[name]
    day: date | None = row["timestamp"] and row["timestamp"].date()
    if day is None or name == "day":
        return day
    return day.replace(day=1) if name == "month" else day - timedelta(days=day.weekday())


def spread(values: list[Any], unit: str) -> Row:
    """Return the columns of a distribution."""
    points = {"p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}
    return {
        "negative": sum(value < 0 for value in values),
        f"minimum_{unit}": min(values, default=None),
        **{f"{name}_{unit}": quantile(values, share) for name, share in points.items()},
        f"maximum_{unit}": max(values, default=None),
    }


def quantile(values: list[Any], share: float) -> float | None:
    """Return a percentile, interpolated."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    low, high = float(ordered[below]), float(ordered[above])
    return statistics.fmean([low, high], [1 - (place - below), place - below])


def standing(question: Question) -> list[Row]:
    """Return the chosen submissions with all that is known of them."""
    return [question.labelled(each.described() | each.facts()) for each in question.chosen()]


def told(question: Question) -> list[Row]:
    """Return each submission with all that is told of it."""
    others = ("study", "center_label", "project_label", "visit_number", "packet", "naccid")
    names = [
        *IDENTITIES[question.identity],
        *(name for name in others if name in {*question.columns, *IDENTITIES[question.identity]}),
    ]
    facts = list(question.chosen()[0].facts()) if question.chosen() else []
    return [
        {name: row[name] for name in dict.fromkeys([*names, *facts])} for row in standing(question)
    ]


def status(question: Question, by: Sequence[str]) -> list[Row]:
    """Count by status and outcome."""
    return grouped(
        standing(question), [*by, "status", "outcome"], lambda rows: {"submissions": len(rows)}
    )


def errors(question: Question, by: Sequence[str]) -> list[Row]:
    """Count errors."""

    def summed(rows: list[Row]) -> Row:
        failed = [row for row in rows if row["outcome"] == "not-pass-qc"]
        return {
            "submissions": sum(row["status"] != "deleted" for row in rows),
            "errors": len(failed),
            "resubmitted": sum(row["status"] == "resubmitted" for row in failed),
        }

    return grouped(standing(question), by, summed)


def pass_rates(question: Question, by: Sequence[str]) -> list[Row]:
    """Count by outcome."""

    def summed(rows: list[Row]) -> Row:
        passed = sum(row["outcome"] == "pass-qc" for row in rows)
        failed = sum(row["outcome"] == "not-pass-qc" for row in rows)
        stand = [row["status"] for row in rows]
        return {
            "submissions": len(stand) - stand.count("deleted"),
            "passed": passed,
            "not_passed": failed,
            **{name: stand.count(name) for name in ("waiting", "resubmitted", "duplicate")},
            "pass_rate": passed / (passed + failed) if passed + failed else None,
        }

    return grouped(standing(question), by, summed)


def at_moment(question: Question, moment: str) -> Iterator[Row]:
    """Give the submissions that have this moment, of which filters hold at it."""
    for each in question.all():
        row = each.described() | each.facts()
        row["timestamp"] = row[moment]
        if row[moment] is not None and question.is_wanted(row):
            yield question.labelled(row)


def days_to(question: Question, by: Sequence[str], moment: str, days: str) -> list[Row]:
    """Summarize the days of those that have any."""
    return grouped(
        (row for row in at_moment(question, moment) if row[days] is not None),
        by,
        lambda rows: {"submissions": len(rows)} | spread([row[days] for row in rows], "days"),
    )


def open_ones(question: Question, wanted: str, as_of: datetime) -> list[Row]:
    """Return those with an open submit."""
    told = [*IDENTITIES[question.identity], "study", "center_label"]
    told += ["outcome"] if wanted == "resubmitted" else []
    rows = []
    for row in at_moment(question, "open_since"):
        if row["status"] == wanted:
            waited = (as_of - row["open_since"]).days
            age = next((label for end, label in AGES if waited < end), "90 days or more")
            times = {"submitted": row["open_since"], "days_waiting": waited, "age": age}
            rows.append({name: row[name] for name in dict.fromkeys(told)} | times)
    return sorted(rows, key=lambda row: -row["days_waiting"])


def timeline(question: Question) -> list[Row]:
    """Return all events of the chosen."""
    first = [name for name in IDENTITIES[question.identity] if name in question.columns]
    return [
        {name: row[name] for name in first} | {"step": step} | row
        for each in question.chosen()
        for step, row in enumerate(each.events, 1)
    ]


def changes(question: Question) -> list[Row]:
    """Return what differs from the event before."""
    same = SAME[question.identity]
    found = []
    for each in question.all():
        pairs = zip(each.events, each.events[1:], strict=False)
        for step, (before, row) in enumerate(pairs, 2):
            own = row | {name: each.identity.get(name, row.get(name)) for name in SUBMISSION[4:]}
            if not question.is_wanted(own):
                continue
            others = [name for name in question.columns if name not in same]
            told = {name: row[name] for name in same} | {
                "step": step,
                "changed": [n for n in others if n != "timestamp" and row[n] != before[n]],
            }
            for name in others:
                told |= {f"previous_{name}": before[name], name: row[name]}
            found.append(told)
    return found


def completeness(question: Question, min_events: int) -> list[Row]:
    """Return what was filled in, and what is missing."""
    found = []
    for each in question.chosen():
        if len(each.events) < min_events:
            continue
        first, last = each.events[0], each.events[-1]
        values = {
            name: {row[name] for row in each.events} - {None} for name in ("module", "packet")
        }
        found.append(
            {
                **{name: each.described().get(name) for name in IDENTITIES[question.identity]},
                "center_label": question.labels[last["pipeline_adcid"]],
                "events": len(each.events),
                "module_versions": len(values["module"]),
                "packet_versions": len(values["packet"]),
                "filled": [n for n in values if first[n] is None and last[n] is not None],
                "missing": [n for n in values if last[n] is None],
            }
        )
    return found


def lateness(question: Question, by: Sequence[str]) -> list[Row]:
    """Summarize the hours until arrival."""
    rows = [
        row for row in question.rows if question.holds(row, ["ptid"]) and question.is_since(row)
    ]

    def summed(rows: list[Row]) -> Row:
        hours = [
            (row["last_modified"] - row["timestamp"]) / timedelta(hours=1)
            for row in rows
            if row["state"] == "accepted" and row["versions"] == 1
        ]
        return {"objects": len(rows), "timed": len(hours)} | spread(hours, "hours")

    return grouped(rows, by, summed)


def counts(question: Question, by: Sequence[str]) -> list[Row]:
    """Count events."""
    rows = map(question.labelled, question.events())
    return grouped(rows, by, lambda rows: {"events": len(rows)})


def near_misses(question: Question) -> list[Row]:
    """Return what looks like one, where one of the two is chosen."""
    unbounded: dict[str, Any] = {"visit_date_from": None, "visit_date_to": None}
    wide = structs.replace(question.filters, ptid=(), datatype=(), **unbounded)
    rows = []
    for each in Question(question.frame, wide).all():
        row = each.described() | each.facts() | {"latest": each.latest}
        chosen = (
            question.holds(row, ABOUT_ALL["submission"])
            and question.is_dated(row)
            and question.is_wanted(row)
        )
        rows.append(question.labelled(row | {"chosen": chosen}))
    standing = [row for row in rows if row["status"] != "deleted"]
    return near_twins.in_order(near_twins.found(standing))


TWINS: dict[str, Callable[..., list[Row]]] = {
    "events": Question.events,
    "submissions": told,
    "latest": lambda question: [each.latest for each in question.chosen()],
    "status": status,
    "timeline": timeline,
    "changes": changes,
    "completeness": completeness,
    "errors-by-center": errors,
    "counts": counts,
    "pass-rates": pass_rates,
    "days-to-submission": lambda question, by: days_to(
        question, by, "first_submit", "days_to_submission"
    ),
    "days-to-qc": lambda question, by: days_to(question, by, "first_pass", "days_to_qc"),
    "lateness": lateness,
    "waiting": lambda question, as_of: open_ones(question, "waiting", as_of),
    "resubmitted": lambda question, as_of: open_ones(question, "resubmitted", as_of),
    "near-misses": near_misses,
}


def twin(name: str, frame: pl.DataFrame, filters: Filters, **parameters: Any) -> list[Row]:
    """Answer a query one row after the other."""
    identity = parameters.pop("identity", "submission")
    question = Question(frame, filters, identity, parameters.get("as_of"))
    return TWINS[name](question, **parameters)
