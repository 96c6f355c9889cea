"""What looks like one submission, in plain Python: each beside the next that is alike."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise

from tests.checkpoint_queries.oracle import SUBMISSION, Key, Row, missing_first

OWN = (*SUBMISSION[1:], "status", "first_submit")
DAY = timedelta(days=1)

Mistake = tuple[str, str, tuple[str, ...], Callable[[Row, Row, int], bool]]
"""Kind, what differs, what is alike beside the center, and whether two of so many alike count."""


def bare(text: str | None) -> str | None:
    """Leave letters and digits."""
    return text and ("".join(filter(str.isalnum, text.upper())) or text)


def number(row: Row) -> str | None:
    """Return the visit number without zeros before and after it."""
    written: str | None = row["visit_number"]
    if written is None:
        return None
    first, dot, rest = written.lstrip("0").partition(".")
    return first if dot and not rest.strip("0") else first + dot + rest


def compared(row: Row) -> Row:
    """Add what submissions are compared by."""
    name = "module" if row["datatype"] == "form" else "modality"
    written = row[name] or row["latest"]["module"] or row["latest"].get("modality")
    return row | {
        "part_name": name,
        "part": row[name],
        "any_part": written.upper() if written else None,
        "bare_part": bare(row[name]),
        "bare_ptid": (bare(row["ptid"]) or "").lstrip("0") or "0",
        "bare_datatype": bare(row["datatype"]),
        "number": number(row),
    }


def left_behind(row: Row, other: Row, count: int) -> bool:
    """Tell whether one waits, and the other is done, of two that were submitted at one moment."""
    return bool(row["first_submit"] and count == 2) and any(
        one["status"] == "waiting" and two["outcome"] is not None
        for one, two in ((row, other), (other, row))
    )


def one_waits(row: Row, other: Row) -> bool:
    """Tell whether exactly one waits."""
    return [row["status"], other["status"]].count("waiting") == 1


def a_day_apart(row: Row, other: Row) -> bool:
    """Tell whether the second date is the day after."""
    return bool(other["visit_date"] - row["visit_date"] == DAY)


def one_visit(row: Row, other: Row) -> bool:
    """Tell whether the numbers do not say otherwise."""
    return None in (row["number"], other["number"]) or row["number"] == other["number"]


MISTAKES: list[Mistake] = [
    ("spelling", "ptid", ("visit_date", "datatype", "part", "bare_ptid"), lambda *_: True),
    (
        "spelling",
        "datatype",
        ("ptid", "visit_date", "any_part", "bare_datatype"),
        lambda row, other, _: row["datatype"] != other["datatype"],
    ),
    (
        "spelling",
        "part",
        ("ptid", "visit_date", "datatype", "bare_part"),
        lambda row, *_: row["part"] is not None,
    ),
    ("missing", "part", ("ptid", "visit_date", "datatype"), lambda row, *_: row["part"] is None),
    (
        "day",
        "visit_date",
        ("ptid", "datatype", "part"),
        lambda row, other, _: a_day_apart(row, other) and one_waits(row, other),
    ),
    (
        "rewritten",
        "ptid",
        ("datatype", "part", "first_submit", "visit_date"),
        lambda *three: left_behind(*three) and three[0]["bare_ptid"] != three[1]["bare_ptid"],
    ),
    (
        "rewritten",
        "visit_date",
        ("datatype", "part", "first_submit", "ptid"),
        lambda *three: (
            left_behind(*three) and one_visit(*three[:2]) and not a_day_apart(*three[:2])
        ),
    ),
]


def found(rows: list[Row]) -> Iterator[Row]:
    """Look for each mistake among submissions in order, of which `chosen` says which are meant."""
    for kind, differs, alike, counts in MISTAKES:
        groups: dict[Key, list[Row]] = {}
        for row in map(compared, rows):
            groups.setdefault(tuple(row[name] for name in ("pipeline_adcid", *alike)), []).append(
                row
            )
        for group in groups.values():
            for row, other in pairwise(group):
                if counts(row, other, len(group)) and (row["chosen"] or other["chosen"]):
                    yield {
                        "kind": kind,
                        "differs": row["part_name"] if differs == "part" else differs,
                        **{name: row[name] for name in ("pipeline_adcid", "center_label", *OWN)},
                        **{f"other_{name}": other[name] for name in OWN},
                    }


def in_order(answers: Iterator[Row]) -> list[Row]:
    """Sort by what identifies the first of the two."""
    names = (*SUBMISSION, "kind", "differs")
    return sorted(answers, key=lambda row: missing_first(row[name] for name in names))
