"""Nobody finds out a small count from a report that may leave: an auditor has all of it, and reckons.

He has the files and the page, knows the definitions, and shares no code with what made them.
"""

import re
from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import compress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from checkpoint_core import LEDGER_SCHEMA, REJECTS_SCHEMA, CheckpointMetadata
from checkpoint_report import Period
from checkpoint_report._making import Checkpoint, Report, make_report
from checkpoint_report._page.page import page
from checkpoint_report._writing import write_report
from nacc_event_model import EventFormat
from tests.checkpoint_report.definitions import auditor_of, is_count
from tests.checkpoint_report.published import Published, check_truth
from tests.checkpoint_report.visits import event, frame, reject

pytestmark = pytest.mark.on_one_python

OCTOBER = Period.of_month("2026-10")
COMMITTED_AT = datetime(2026, 11, 2, 6, tzinfo=UTC)
PATHS = (
    ("submit",),
    ("submit", "pass-qc"),
    ("submit", "not-pass-qc"),
    ("submit", "not-pass-qc", "submit"),
    ("submit", "not-pass-qc", "submit", "pass-qc"),
    ("submit", "pass-qc", "submit"),
    ("submit", "duplicate-submit"),
    ("submit", "submit", "duplicate-submit"),
    ("submit", "delete"),
    ("pass-qc",),
)
KINDS = (("form", "UDS", "I"), ("form", "FTLD", None), ("dicom", None, None))


class Group(Struct, frozen=True):
    """So many submissions of a center, which went the same way from the same day on."""

    center: int
    path: tuple[str, ...]
    count: int
    day: int = 6
    study: str = "adrc"
    kind: tuple[str, str | None, str | None] = KINDS[0]
    visited: int = 20

    def events(self, number: int) -> Iterator[dict[str, Any]]:
        """Yield their events, a day or two apart; of the last one not all may have happened."""
        datatype, module, packet = self.kind
        for each in range(self.count):
            for step, action in enumerate(self.path):
                yield event(
                    self.center,
                    f"G{number}V{each}",
                    action,
                    self.day + 2 * step,
                    study=self.study,
                    datatype=datatype,
                    module=module,
                    packet=packet,
                    visit_date=date(2026, 10, 1) + timedelta(days=self.day - self.visited),
                )


SEVERAL = (
    Group(1, PATHS[1], 30),
    Group(1, PATHS[2], 4),
    Group(2, PATHS[1], 2, study="leads"),
    Group(2, PATHS[2], 15),
    Group(3, PATHS[1], 70, kind=KINDS[1]),
    Group(3, PATHS[2], 6, kind=KINDS[2]),
)


def group_of(sizes: st.SearchStrategy[int]) -> st.SearchStrategy[Group]:
    """Return groups of some sizes, most of them of the period."""
    return st.builds(
        Group,
        center=st.integers(1, 4),
        path=st.sampled_from(PATHS),
        count=sizes,
        day=st.sampled_from([1, 6, 13, 20, 27, -10, -45, -100]),
        study=st.sampled_from(["adrc", "adrc", "leads"]),
        kind=st.sampled_from(KINDS),
        visited=st.sampled_from([20, -3]),
    )


months = st.lists(
    st.one_of(
        group_of(st.integers(1, 4)), group_of(st.integers(9, 13)), group_of(st.integers(22, 40))
    ),
    max_size=9,
)


def report(
    groups: Sequence[Group],
    threshold: int | None,
    rejected: int = 3,
    *,
    with_ledger: bool = True,
) -> Report:
    """Make a report on October."""
    rows = frame(each for number, group in enumerate(groups) for each in group.events(number))
    ledger = rows.select(
        key=pl.format("{}", pl.int_range(pl.len())),
        etag=pl.lit("e"),
        size=1,
        last_modified=pl.col("timestamp") + pl.duration(hours=pl.col("timestamp").dt.day() % 9 - 2),
        versions=1 + pl.col("timestamp").dt.day() // 27,
        state=pl.lit("accepted"),
        timestamp="timestamp",
        pipeline_adcid="pipeline_adcid",
        ptid="ptid",
    )
    lacking = [pl.lit(None).alias(name) for name in LEDGER_SCHEMA if name not in ledger.columns]
    metadata = CheckpointMetadata(
        layout=1,
        commit_id="00000001-made-up",
        generation=1,
        lineage=("00000001-made-up",),
        source="file:///nowhere/",
        event_format=EventFormat.V1_1,
        rows=rows.height,
        adopted_rows=0,
        first_timestamp=None,
        last_timestamp=None if rows.is_empty() else rows["timestamp"].to_list()[-1],
        committed_at=COMMITTED_AT,
        versions={},
    )
    checkpoint = Checkpoint(
        metadata=metadata,
        events=rows.lazy(),
        rejects=pl.DataFrame([reject() for _ in range(rejected)], schema=REJECTS_SCHEMA),
        ledger=ledger.with_columns(lacking)
        .select(LEDGER_SCHEMA.names())
        .cast({name: LEDGER_SCHEMA[name] for name in LEDGER_SCHEMA})
        .lazy()
        if with_ledger
        else None,
    )
    made = make_report(checkpoint, OCTOBER, suppress_below=threshold)
    # Charts are drawn from the numbers of the tables, and take seconds.
    plain = tuple(structs.replace(section, pictures=()) for section in made.sections)
    return Report(subject=made.subject, told=made.told, sections=plain)


def published(made: Report) -> Published:
    """Return what the report's files say."""
    with TemporaryDirectory() as folder:
        write_report(made, Path(folder, "page.html"), csv=Path(folder, "csv"))
        (month,) = Path(folder, "csv").iterdir()
        return Published(month)


@settings(max_examples=8)
@given(months, st.sampled_from([2, 5, 11]), st.sampled_from(["ledger", "nothing"]))
@example([], 11, "ledger")
@example([Group(1, ("submit",), 1)], 11, "ledger")
@example(
    [*[Group(center, PATHS[1], 3) for center in (1, 2, 3)], Group(4, PATHS[1], 60)], 11, "ledger"
)
@example(
    [*[Group(center, PATHS[1], 60) for center in (1, 2, 3)], Group(4, PATHS[2], 1)], 5, "ledger"
)
@example([Group(center, PATHS[center], 11) for center in (1, 2, 3)], 11, "ledger")
@example([Group(center, path, 10) for center in (1, 2) for path in PATHS[:3]], 11, "ledger")
@example([Group(1, PATHS[1], 40), Group(1, PATHS[2], 1), Group(2, PATHS[1], 2)], 2, "ledger")
@example([Group(center, PATHS[9], 1) for center in (1, 2, 3)], 11, "nothing")
@example(
    [Group(3, PATHS[0], 9), Group(1, PATHS[0], 1, day=1), Group(1, PATHS[0], 9, day=-45)],
    2,
    "ledger",
)
@example(
    [Group(c, ("submit",), n, day=-d) for c, n, d in ((1, 1, 20), (2, 5, 60), (3, 30, 95))],
    5,
    "ledger",
)
def test_no_count_is_known_better_than_the_report_tells_and_no_small_one_well(
    groups: list[Group],
    threshold: int,
    beside: str,
) -> None:
    """Of a hidden count the auditor finds the range that is told, of one that can be small at least
    as many numbers as there are small ones; and the truth is within every range that is published.
    """
    told, true = (
        published(report(groups, each, with_ledger=beside == "ledger"))
        for each in (threshold, None)
    )
    auditor = auditor_of(told, OCTOBER.first, OCTOBER.end.date())
    small = range(1, max(threshold, 3))

    def check(key: Hashable, found: tuple[int, int | None]) -> None:
        low, high = found
        is_wide = high is None or high < 1 or high - low + 1 >= len(small)
        assert is_wide or low > small[-1], key

    for key, number in told.numbers.items():
        check_truth(number, true.numbers[key])
        if number.flag == "exact" and is_count(key):
            assert number.least not in small, key
        if number.flag in {"suppressed", "bounded"} and number.least is not None and is_count(key):
            stated = (int(number.least), None if number.most is None else int(number.most))
            found = auditor.finds(key, *stated)
            assert number.flag == "bounded" or stated == found, key
            check(key, found)
        if key[-1] == "waiting_change":
            before = (*key[:-1], "waiting before")
            check(before, auditor.finds(before, -1, -1))


def test_rates_are_made_of_nothing_but_what_is_told() -> None:
    """Each rate is the range of all rates that the counts beside it admit."""
    told = published(report(SEVERAL, 11)).numbers
    days = ("2026-10-01", "2026-10-31")
    passed = ("pass_qc", "resubmitted_pass_qc")
    failed = ("not_pass_qc", "resubmitted_not_pass_qc")

    for center in ("1", "2", "3"):
        cells = {status: told["statuses", *days, center, status] for status in (*passed, *failed)}
        a, c = (sum(cells[status].least or 0 for status in those) for those in (passed, failed))
        b, d = (sum(cells[status].most or 0 for status in those) for those in (passed, failed))
        rate = told["centers", *days, center, "pass_rate"]
        assert rate.least == pytest.approx(a / (a + d), abs=1e-6)
        assert rate.most == pytest.approx(b / (b + c), abs=1e-6)
    assert "bounded" == told["centers", *days, "1", "pass_rate"].flag


def test_the_page_says_what_the_files_say() -> None:
    """Number by number, in words: no more, and no less."""
    made = report(SEVERAL, 11)
    text = words(made)

    for section in made.sections:
        for sheet in section.sheets:
            if not (sheet.in_page and sheet.in_file):
                continue
            table = text[text.index(f'id="{sheet.name}-caption"') :]
            cells = re.findall(r"<td[^>]*>([^<]*)</td>", table[: table.index("</table>")])
            rows = [*sheet.rows, *([sheet.totals] if sheet.totals else [])]
            shown = [column.in_page for column in sheet.columns]
            values = [value for row in rows for value in compress(row.values, shown)]
            assert [value.text for value in values] == cells
            for value in values:
                if value.flag == "suppressed" and value.least:
                    assert f"{int(value.least):,} to {int(value.most):,}" == value.text


@settings(max_examples=5)
@given(st.integers(1, 10), st.integers(1, 10))
def test_whatever_the_hidden_counts_are_every_word_and_number_is_the_same(
    failed: int, rejected: int
) -> None:
    """Of two centers, each has 11 that were handed in again; what came of these before is hidden."""
    made, other = (
        report(
            [
                *[Group(center, PATHS[1], 60) for center in (1, 2, 3)],
                *[Group(center, PATHS[3], number) for center, number in ((4, few), (5, 11 - few))],
                *[Group(center, PATHS[5], number) for center, number in ((4, 11 - few), (5, few))],
            ],
            11,
            rejected=objects,
        )
        for few, objects in ((failed, rejected), (1, 1))
    )

    assert made.told == other.told
    assert words(made) == words(other)


def words(made: Report) -> str:
    """Return the page without its charts."""
    return page(made.subject, made.told, made.sections)


def test_the_comparison_would_notice_a_count_that_is_told() -> None:
    """Of eleven, the eleventh is seen."""
    assert words(report(SEVERAL, 11, rejected=10)) == words(report(SEVERAL, 11, rejected=1))
    assert words(report(SEVERAL, 11, rejected=11)) != words(report(SEVERAL, 11, rejected=1))
