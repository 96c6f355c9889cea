"""What a report has to say, reckoned event by event in plain Python.

What submissions are is taken from the oracle of the questions; it and this know nothing of how the
report is made. Numbers are named by sheet, keys and measure, as its files name them.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from scipy.stats import binomtest

from checkpoint_report import Period
from tests.checkpoint_queries.oracle import Submission, submissions
from tests.checkpoint_queries.twins import quantile

Row = dict[str, Any]
Numbers = dict[tuple[str, ...], Any]
"""Each a number, a pair of ends, or None where there is no such number."""

ACTIONS = ("submit", "pass-qc", "not-pass-qc", "duplicate-submit", "delete")
PASSED = ("pass-qc", "resubmitted (pass-qc)")
FAILED = ("not-pass-qc", "resubmitted (not-pass-qc)")
STATUSES = (*PASSED, *FAILED, "waiting", "duplicate", "deleted")
AGES = {"under_7_days": 7, "7_to_29_days": 30, "30_to_89_days": 90, "90_days_or_more": math.inf}
FOLLOWED = {"within 7 days": 7, "8 to 30 days": 30, "31 to 90 days": 90, "over 90 days": math.inf}


class Truth:
    """All numbers of a report on a period of which the log covers this and the one before."""

    def __init__(self, rows: Sequence[Row], period: Period, centers: dict[int, str]) -> None:
        """Read the rows of these centers, given in the order of the file."""
        self.period, self.centers = period, centers
        self.rows = [row for row in rows if row["pipeline_adcid"] in centers]
        self.all = self.standing(period.end)
        self.now = self.of(period, self.all)
        before = period.before()
        assert before is not None
        self.all_before = self.standing(before.end)
        self.before = self.of(before, self.all_before)

    def standing(self, end: datetime) -> list[Row]:
        """Return each submission as it stood at a moment."""
        found = submissions([row for row in self.rows if row["timestamp"] < end], "submission")
        return [told(each, end) for each in found]

    def of(self, period: Period, them: Iterable[Row]) -> list[Row]:
        """Keep those whose latest event is of a period."""
        return [each for each in them if period.begin <= each["last_event"] < period.end]

    def places(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Yield the keys of each center and of all, and who is meant."""
        for adcid, name in self.centers.items():
            yield (str(adcid), name), {adcid}
        if len(self.centers) > 1:
            yield ("", "all centers"), set(self.centers)

    def numbers(self) -> Numbers:
        """Return every number of the files but those of the ledger and the rejects."""
        found: Numbers = {}
        for keys, who in self.places():
            found |= self.of_center(keys, who)
        for name, field in (
            ("studies", "study"),
            ("datatypes", "datatype"),
            ("kinds", "kind"),
            ("attempts", "attempts"),
        ):
            values = {each[field] for each in self.now} | ({"never", "once", "twice",
                      "three times or more"} if name == "attempts" else set())  # fmt: skip
            for value in values:
                group = [each for each in self.now if each[field] == value]
                key = value if isinstance(value, tuple) else (value,)
                found |= {(name, *key, measure): n for measure, n in outcomes(group).items()}
        return found | self.in_time() | self.estimated() | self.forms()

    def of_center(self, keys: tuple[str, ...], who: set[int]) -> Numbers:
        """Return what is told of a center, or of all."""
        now, before, all_, all_before = (
            [each for each in them if each["pipeline_adcid"] in who]
            for them in (self.now, self.before, self.all, self.all_before)
        )
        waiting = [each for each in all_ if each["status"] == "waiting"]
        earlier = [each for each in all_before if each["status"] == "waiting"]
        told_now, told_before = outcomes(now), outcomes(before)
        rates = (told_now["pass_rate"], told_before["pass_rate"])
        centers = told_now | {
            "submissions_change": len(now) - len(before),
            "pass_rate_change": None if None in rates else 100 * (rates[0] - rates[1]),
            "backlog": len(waiting),
        }
        ages = [each["days_waiting"] for each in waiting]
        backlog = {"waiting": len(ages), "waiting_change": len(ages) - len(earlier),
                   "oldest": max(ages, default=None)}  # fmt: skip
        backlog |= {f"waiting_{name}": n for name, n in classes(ages, AGES).items()}
        statuses: dict[str, Any] = {}
        if keys[0]:
            statuses = {
                name.replace("-", "_").replace(" (", "_").rstrip(")"): sum(
                    each["standing"] == name for each in now
                )
                for name in STATUSES
            }
            statuses["with_duplicates"] = sum(each["duplicates"] > 0 for each in now)  # fmt: skip
        times: dict[str, Any] = {}
        for name, moment, field in (
            ("submission", "first_submit", "days_to_submission"),
            ("qc", "first_pass", "days_to_qc"),
        ):
            some = [
                e[field] for e in all_ if e[field] is not None and e[moment] >= self.period.begin
            ]
            times |= {name: len(some), f"{name}_median": quantile(some, 0.5),
                      f"{name}_nine_of_ten": quantile(some, 0.9),
                      f"{name}_before_the_visit": sum(each < 0 for each in some)}  # fmt: skip
        sheets = {"centers": centers, "backlog": backlog, "statuses": statuses, "days": times}
        return {
            (sheet, *keys, measure): number
            for sheet, measures in sheets.items()
            for measure, number in measures.items()
        }

    def in_time(self) -> Numbers:
        """Return events by week and cohorts by step."""
        found: Numbers = {}
        rows = [row for row in self.rows if self.period.begin <= row["timestamp"] < self.period.end]
        for bucket in self.period.buckets():
            inside = [r for r in rows if bucket.first <= r["timestamp"].date() <= bucket.last]
            key: tuple[str, ...] = ("events", bucket.first.isoformat(), self.period.by)
            found |= {
                (*key, a.replace("-", "_")): sum(r["action"] == a for r in inside) for a in ACTIONS
            }
            found[*key, "all"] = len(inside)
        for action in ACTIONS:
            name = action.replace("-", "_")
            key = ("events", self.period.first.isoformat(), "all", name)
            found[key] = sum(row["action"] == action for row in rows)
        found["events", self.period.first.isoformat(), "all", "all"] = len(rows)
        for step in self.steps():
            cohort = [
                e
                for e in self.all
                if e["first_submit"] and step.begin <= e["first_submit"] < step.end
            ]
            key = ("trend", step.first.isoformat(), step.last.isoformat())
            found |= {(*key, measure): n for measure, n in handed_in(cohort).items()}
        every = (self.steps()[0].first.isoformat(), self.period.last.isoformat())
        if len(self.steps()) > 1:
            numbers = handed_in(self.since())
            found |= {("trend", *every, measure): n for measure, n in numbers.items()}
        return found

    def steps(self) -> list[Period]:
        """Return the twelve periods, or as many as the log has begun before."""
        begun = min(row["timestamp"] for row in self.rows)
        found = [self.period]
        while len(found) < 12 and begun < found[0].begin:
            before = found[0].before()
            assert before is not None
            found.insert(0, before)
        return found

    def since(self) -> list[Row]:
        """Return what was first handed in since the first step."""
        begin = self.steps()[0].begin
        return [e for e in self.all if e["first_submit"] and e["first_submit"] >= begin]

    def follow(self) -> list[tuple[int, bool]]:
        """Return after how many days each passed, or for how many it has been open."""
        found = []
        for each in self.since():
            passed = each["first_pass"]
            if passed is None or each["days_to_qc"] is not None:
                until = self.period.last if passed is None else passed.date()
                found.append(((until - each["first_submit"].date()).days, passed is not None))
        return found

    def estimated(self) -> Numbers:
        """Return the estimate as Kaplan and Meier wrote it, and what it is made of."""
        found: Numbers = {}
        follow = self.follow()
        for passed, name in ((True, "passed"), (False, "open")):
            numbers = [days for days, has_passed in follow if has_passed is passed]
            for key, number in classes(
                numbers, {n: end + 1 for n, end in FOLLOWED.items()}
            ).items():
                found["followed", key, name] = number
            found["followed", "all", name] = len(numbers)
        for day in (7, 30, 90):
            left = 1.0
            for at in sorted({days for days, passed in follow if passed and days <= day}):
                at_risk = sum(days >= at for days, _ in follow)
                left *= 1 - sum(passed and days == at for days, passed in follow) / at_risk
            # Of days for which nobody was followed nothing is known, unless all had passed before.
            known = any(days <= day for days, _ in follow) and (
                left == 0 or any(days >= day for days, _ in follow)
            )
            found["time-to-qc", str(day), "estimated_share"] = 1 - left if known else None
        return found

    def forms(self) -> Numbers:
        """Return what forms lack."""
        found: Numbers = {}
        forms = [each for each in self.now if each["datatype"] == "form"]
        for field in ("module", "packet"):
            missing = sum(each["last"][field] is None for each in forms)
            later = sum(
                each["first"][field] is None and each["last"][field] is not None for each in forms
            )
            found |= {("completeness", field, measure): number for measure, number in {
                "forms": len(forms), "missing": missing, "filled_in_later": later,
                "from_the_start": len(forms) - missing - later,
                "share_missing": missing / len(forms) if forms else None}.items()}  # fmt: skip
        return found


def told(each: Submission, end: datetime) -> Row:
    """Return a submission with what a report counts it by."""
    row = each.described() | each.facts()
    outcome = row["outcome"]
    again = row["status"] == "resubmitted"
    part = row.get("module") if row["datatype"] == "form" else row.get("modality")
    submits = min(row["submits"], 3)
    return row | {
        "standing": f"resubmitted ({outcome})" if again else row["status"],
        "kind": (row["datatype"], part or ""),
        "attempts": ("never", "once", "twice", "three times or more")[submits],
        "days_waiting": row["open_since"] and (end - row["open_since"]) // timedelta(days=1),
        "first": each.events[0],
        "last": each.events[-1],
    }


def outcomes(them: Sequence[Row]) -> dict[str, Any]:
    """Count submissions by where they stand, and give their pass rate."""
    standing = [each["standing"] for each in them]
    passed = sum(each in PASSED for each in standing)
    failed = sum(each in FAILED for each in standing)
    return {
        "submissions": len(standing),
        "passed": standing.count("pass-qc"),
        "not_passed": standing.count("not-pass-qc"),
        "waiting": standing.count("waiting"),
        "handed_in_again": sum(each.startswith("resubmitted") for each in standing),
        "duplicate_or_deleted": standing.count("duplicate") + standing.count("deleted"),
        **rate(passed, failed),
    }


def handed_in(cohort: Sequence[Row]) -> dict[str, Any]:
    """Count a cohort by its last outcome."""
    ends = [each["outcome"] for each in cohort]
    passed, failed = ends.count("pass-qc"), ends.count("not-pass-qc")
    return {
        "handed_in": len(ends),
        "passed": passed,
        "not_passed": failed,
        "no_outcome_yet": ends.count(None),
        **rate(passed, failed),
    }


def rate(passed: int, failed: int) -> dict[str, Any]:
    """Return the pass rate and its interval, of nothing none."""
    checked = passed + failed
    ends = binomtest(passed, checked).proportion_ci(method="wilson") if checked else None
    return {
        "checked": checked,
        "pass_rate": passed / checked if checked else None,
        "pass_rate_interval": ends and (ends.low, ends.high),
    }


def classes(numbers: Iterable[int], ends: dict[str, float]) -> dict[str, int]:
    """Count numbers by the first end that is greater."""
    found = dict.fromkeys(ends, 0)
    for number in numbers:
        found[next(name for name, end in ends.items() if number < end)] += 1
    return found
