"""What looks like one submission, in plain Python: each beside the next that is alike."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

from tests.checkpoint_core.queries.oracle import SUBMISSION, Key, Row, missing_first

OWN = (*SUBMISSION[1:], "status", "first_submit")
DAY = timedelta(days=1)

Mistake = tuple[
    str, Callable[[Row], str], Callable[[Row], Key | None], Callable[[Row, Row, int], bool]
]
"""Kind, what differs, what is alike (None: with nothing), and whether two of so many count."""


def bare(text: str | None) -> str | None:
    """Leave letters and digits."""
    return text and ("".join(filter(str.isalnum, text.upper())) or text)


def bare_ptid(row: Row) -> str:
    """Leave letters and digits, without zeros before them."""
    return (bare(row["ptid"]) or "").lstrip("0") or "0"


def number(row: Row) -> str | None:
    """Return the visit number without zeros before and after it."""
    written: str | None = row["visit_number"]
    if written is None:
        return None
    first, dot, rest = written.lstrip("0").partition(".")
    return first if dot and not rest.strip("0") else first + dot + rest


def part_name(row: Row) -> str:
    """Name what tells submissions of one place apart."""
    return "module" if row["datatype"] == "form" else "modality"


def part(row: Row) -> str | None:
    """Return the module or modality of a submission."""
    value: str | None = row[part_name(row)]
    return value


def any_part(row: Row) -> str | None:
    """Return it, or what else its latest event has written."""
    latest = row["latest"]
    found = part(row) or latest["module"] or latest.get("modality")
    return found.upper() if found else None


def fields(row: Row, *names: str) -> Key:
    """Return what is alike, with the center."""
    return tuple(row[name] for name in ("pipeline_adcid", *names))


def left_behind(row: Row, other: Row) -> bool:
    """Tell whether one waits, and the other is done."""
    return any(
        one["status"] == "waiting" and two["outcome"] is not None
        for one, two in ((row, other), (other, row))
    )


def one_waits(row: Row, other: Row) -> bool:
    """Tell whether exactly one waits."""
    return [row["status"], other["status"]].count("waiting") == 1


def apart(row: Row, other: Row) -> timedelta:
    """Return the time between the dates."""
    between: timedelta = other["visit_date"] - row["visit_date"]
    return between


def submitted(row: Row, *rest: Any) -> Key | None:
    """Return what is alike with a submission that was rewritten."""
    first = row["first_submit"]
    return (*fields(row, "datatype"), part(row), first, *rest) if first else None


MISTAKES: list[Mistake] = [
    (
        "spelling",
        lambda _: "ptid",
        lambda row: (*fields(row, "visit_date", "datatype"), part(row), bare_ptid(row)),
        lambda _row, _other, _count: True,
    ),
    (
        "spelling",
        lambda _: "datatype",
        lambda row: (*fields(row, "ptid", "visit_date"), any_part(row), bare(row["datatype"])),
        lambda row, other, _: row["datatype"] != other["datatype"],
    ),
    (
        "spelling",
        part_name,
        lambda row: (
            (*fields(row, "ptid", "visit_date", "datatype"), bare(part(row))) if part(row) else None
        ),
        lambda _row, _other, _count: True,
    ),
    (
        "missing",
        part_name,
        lambda row: fields(row, "ptid", "visit_date", "datatype"),
        lambda row, _other, _count: part(row) is None,
    ),
    (
        "day",
        lambda _: "visit_date",
        lambda row: (*fields(row, "ptid", "datatype"), part(row)),
        lambda row, other, _: apart(row, other) == DAY and one_waits(row, other),
    ),
    (
        "rewritten",
        lambda _: "ptid",
        lambda row: submitted(row, row["visit_date"]),
        lambda row, other, count: (
            count == 2 and left_behind(row, other) and bare_ptid(row) != bare_ptid(other)
        ),
    ),
    (
        "rewritten",
        lambda _: "visit_date",
        lambda row: submitted(row, row["ptid"]),
        lambda row, other, count: (
            count == 2
            and left_behind(row, other)
            and apart(row, other) != DAY
            and (None in (number(row), number(other)) or number(row) == number(other))
        ),
    ),
]


def found(rows: list[Row]) -> Iterator[Row]:
    """Look for each mistake among submissions in order, of which `chosen` says which are meant."""
    for kind, differs, alike, counts in MISTAKES:
        groups: dict[Key, list[Row]] = {}
        for row in rows:
            key = alike(row)
            if key is not None:
                groups.setdefault(key, []).append(row)
        for group in groups.values():
            for row, other in pairwise(group):
                if counts(row, other, len(group)) and (row["chosen"] or other["chosen"]):
                    yield {
                        "kind": kind,
                        "differs": differs(row),
                        **{name: row[name] for name in ("pipeline_adcid", "center_label", *OWN)},
                        **{f"other_{name}": other[name] for name in OWN},
                    }


def in_order(answers: Iterator[Row]) -> list[Row]:
    """Sort by what identifies the first of the two."""
    names = (*SUBMISSION, "kind", "differs")
    return sorted(answers, key=lambda row: missing_first(row[name] for name in names))
