"""A report says what it covers and what it does not know, and tells about nobody."""

import functools
import re
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checkpoint_core import LEDGER_SCHEMA
from checkpoint_queries import QUERIES
from checkpoint_report import ORDERS, Order, Period, Report, UnknownCenterError
from checkpoint_report._charts.standalone import COLORS, standalone
from tests.checkpoint_report.visits import (
    OCTOBER,
    Page,
    event,
    finding,
    frame,
    numbers,
    reject,
    report,
    table,
    visits,
    words,
)

DASH = "\N{EN DASH}"
NOVEMBER = datetime(2026, 11, 2, 6, tzinfo=UTC)
SECTIONS = ["events", "trend", "kinds", "attempts", "centers", "backlog", "lateness", "days",
            "time-to-qc", "completeness", "rejects"]  # fmt: skip


def busy() -> pl.DataFrame:
    """Return two months of three centers, of which the third sent nothing in the last."""
    return frame(
        [
            *visits(30, 1, "submit", "pass-qc", day=-25, datatype="dicom", module=None),
            *visits(40, 1, "submit", "pass-qc"),
            *visits(25, 1, "submit", "not-pass-qc", day=12),
            *visits(30, 1, "submit", packet=None, day=18),
            *visits(60, 2, "submit", "pass-qc", visit_date=date(2026, 10, 20)),
            *visits(12, 2, "submit", "not-pass-qc"),
            *visits(4, 2, "submit", "delete"),
            event(3, "OLD", day=-40),
            event(9, "NEW", day=40),
        ]
    )


@functools.cache
def busy_report() -> Report:
    """Return the report on it."""
    return report(busy(), ledger=ledger(busy()))


def ledger(rows: pl.DataFrame, late: timedelta = timedelta(hours=2)) -> pl.DataFrame:
    """Return a ledger of an object for each row, which arrived so late."""
    return rows.select(
        pl.lit("accepted").alias("state"),
        pl.lit(1, pl.Int32).alias("versions"),
        pl.col("timestamp"),
        (pl.col("timestamp") + late).alias("last_modified"),
        "pipeline_adcid",
        "ptid",
    ).select(
        [pl.col(n) if n in {"state", "versions", "timestamp", "last_modified", "pipeline_adcid",
                            "ptid"} else pl.lit(None, kind).alias(n)
         for n, kind in LEDGER_SCHEMA.items()]
    )  # fmt: skip


def test_without_ledger_and_rejects_sections_say_that_they_do_not_know() -> None:
    """Unknown is not zero; with them, empty ones are."""
    unknown = report(busy(), None)
    known = report(busy(), ledger=ledger(busy().clear()))

    assert finding(unknown, "lateness").startswith("Not known: there is no ledger")
    assert finding(unknown, "rejects").startswith("Not known: there are no rejects")
    assert "unknown" in words(unknown)
    assert "There is no event object of October 2026" in finding(known, "lateness")
    assert "No event object of October 2026 is known to have been rejected" in finding(
        known, "rejects"
    )


def test_lateness_is_from_the_ledger() -> None:
    """In hours, of those objects of which the arrival is known."""
    told = table(busy_report(), "lateness")

    assert {"timed": "220", "median hours": "2", "9 of 10 within": "2", "before its time": "0",
            "not timed": "0"} == told["center-01"] | {"timed": "220"}  # fmt: skip
    assert finding(busy_report(), "lateness").endswith(
        "half arrived within 2 hours of the event's own time, nine of ten within 2."
    )


@pytest.mark.parametrize(
    "changed_at, said",
    [
        (
            datetime(2026, 9, 1, tzinfo=UTC),
            "This period had not begun when the checkpoint was last",
        ),
        (
            datetime(2026, 10, 8, tzinfo=UTC),
            "This period was not over when the checkpoint was last",
        ),
        (
            NOVEMBER,
            "not covered to its end: no event is dated after 18 October 2026, 13 days before",
        ),
    ],
)
def test_a_period_that_is_not_covered_says_so_on_top(changed_at: datetime, said: str) -> None:
    """Not begun, not over, or without events at its end."""
    events = busy().filter(pl.col("timestamp") < datetime(2026, 10, 21, tzinfo=UTC))
    made = report(events, committed_at=changed_at)

    assert said in words(made)
    is_over = changed_at == NOVEMBER
    assert all(("change" in row) == is_over for row in table(made, "centers").values())


@pytest.mark.parametrize(
    "month, said",
    [
        (
            "2026-12",
            "There are no events of this period: the latest is dated 18 October 2026, before",
        ),
        ("2026-07", "The log begins on 21 August 2026, after the period."),
    ],
)
def test_a_period_outside_of_the_log_says_so_on_top(month: str, said: str) -> None:
    """All its zeros are about what is not there, not about what centers did."""
    events = busy().filter(pl.col("timestamp") < datetime(2026, 10, 21, tzinfo=UTC))
    period = Period.of_month(month)
    made = report(events, period=period, committed_at=datetime(2027, 1, 2, tzinfo=UTC))

    assert said in words(made)


def test_what_is_dated_later_than_the_last_change_is_told_and_not_counted() -> None:
    """Neither makes it the data reach further."""
    future = [event(1, f"F{number}", day=30) for number in range(3)]
    made = report(
        frame([*visits(2, 1, "submit"), *future]), committed_at=datetime(2026, 10, 8, tzinfo=UTC)
    )
    page = " ".join(Page(words(made)).words)

    assert "3 events are dated later than the last change of the checkpoint" in page
    assert "5 October 2026" in page
    assert finding(made, "events") == "2 events took place: 2 submit."
    assert numbers(made, "backlog")["1", "center-01", "oldest"] == 2


def test_partial_weeks_and_steps_are_called_so() -> None:
    """Those cut off by the period, by the last change, or by the beginning of the log."""
    made = report(busy(), committed_at=datetime(2026, 10, 21, tzinfo=UTC))

    weeks = [name.replace("\N{EN DASH}", "-") for name in table(made, "events")]
    assert ["1-4 Oct (partial)", "5-11 Oct", "12-18 Oct", "19-25 Oct (partial)",
            "26-31 Oct (partial)", "all"] == weeks  # fmt: skip
    assert ["Aug 2026 (partial)", "Sep 2026", "Oct 2026 (partial)", "all"] == list(
        table(made, "trend")
    )


def test_nothing_is_compared_with_what_the_log_does_not_cover() -> None:
    """A change from a month in which it began would be one of the log."""
    made = report(visits(20, 1, "submit", "pass-qc", day=2))

    assert "There is no whole period before it to compare with." in finding(made, "trend")
    assert "change" not in table(made, "centers")["center-01"]
    assert "change" not in table(made, "backlog")["center-01"]


def test_rejects_are_told_by_rule_with_their_trend() -> None:
    """By when they were written; what is about one object makes no rule of its own."""
    september = datetime(2026, 9, 5, tzinfo=UTC)
    rejects = [
        *[reject() for _ in range(12)],
        *[reject(reason=f"not valid JSON: cut off at byte {at}") for at in range(2)],
        *[reject(outcome="unreadable", reason="P1.json: gone") for _ in range(3)],
        *[reject(last_modified=september) for _ in range(5)],
        *[reject(last_modified=datetime(2026, 11, 1, tzinfo=UTC)) for _ in range(20)],
    ]
    made = report(busy(), rejects)

    told = table(made, "rejects-by-rule")
    assert {"Aug 2026": "0", "Sep 2026": "5", "Oct 2026": "12"} == told["invalid: ptid: is missing"]
    assert "2" == told["invalid: not valid JSON: cut off"]["Oct 2026"]
    assert "3" == told["unreadable"]["Oct 2026"]
    assert finding(made, "rejects") == (
        "17 event objects of October 2026 are not in the checkpoint, for 3 reasons; in September 2026 5."
    )
    assert "P1.json" not in words(made)


def test_a_report_on_one_center_is_about_no_other() -> None:
    """By its label or number: its events, and the rejects that are named as its own."""
    rejects = [
        *[reject() for _ in range(11)],
        *[reject(key="log-submit-20261005-120000-2-ingest-form-P1-2026-09-20.json")] * 12,
        *[reject(key="named otherwise")] * 13,
    ]
    made = report(busy(), rejects, center="center-02")

    assert words(made) == words(report(busy(), rejects, center="2"))
    assert ["center-02"] == list(table(made, "centers"))
    assert "12" == table(made, "rejects-by-rule")["invalid: ptid: is missing"]["Oct 2026"]
    assert "center-01" not in words(made)
    assert "named otherwise is of no center" in words(made)
    assert "named otherwise" not in words(busy_report())


def test_a_center_without_data_is_named_on_top() -> None:
    """But not one that sent its first event later."""
    page = " ".join(Page(words(busy_report())).words)

    assert "without data in this period: center-03" in page
    assert "2 of 3 with data" in page
    assert "center-09" not in page


@pytest.mark.parametrize("order", ORDERS)
def test_centers_are_ordered_as_asked_for(order: Order) -> None:
    """In every table and chart: by number, by name, or by what matters."""
    expected = {
        "adcid": ["1", "2", "3"],
        "name": ["1", "2", "3"],
        "submissions": ["1", "2", "3"],
        "rate": ["1", "2", "3"],
        "backlog": ["1", "3", "2"],
    }
    made = report(busy(), ledger=ledger(busy()), order=order)

    for name in ("centers", "backlog", "days", "lateness"):
        (sheet,) = (each for each in made.sheets if each.name == name)
        assert expected[order] == [row.keys[0] for row in sheet.rows], name


@pytest.mark.parametrize(
    "center, said",
    [
        ("center-99", "no center"),
        ("99", "no center"),
        ("", "no center"),
        ("center-0", "no center"),
        ("centre-01", r"did you mean .*center-01"),
    ],
)
def test_an_unknown_center_is_refused(center: str, said: str) -> None:
    """It is not guessed at; the nearest are suggested, by what the report calls them."""
    with pytest.raises(UnknownCenterError, match=said):
        report(busy(), center=center)


def test_centers_that_share_a_label_are_told_apart() -> None:
    """By number; the label alone is not enough to choose one."""
    events = [event(center, center_label="same") for center in (7, 8)]

    assert ["same (7)", "same (8)", "all centers"] == list(table(report(events), "centers"))
    with pytest.raises(UnknownCenterError, match="several"):
        report(events, center="same")


def test_a_center_is_called_by_its_latest_label() -> None:
    """And has one row, however often it was renamed."""
    events = [event(center_label="old"), event(center_label="new", day=6)]

    assert ["new"] == list(table(report(events), "centers"))


def test_the_test_site_is_left_out_unless_it_is_asked_for() -> None:
    """Or named."""
    events = [event(0), event(1)]

    assert "1 event took place: 1 submit." == finding(report(events), "events")
    both = report(events, include_test_center=True)
    assert "2 events took place: 2 submit." == finding(both, "events")
    assert ["center-00"] == list(table(report(events, center="0"), "centers"))


@pytest.mark.parametrize("events", [[], [event(day=-60)], [event(day=60)]])
def test_a_period_without_events_gives_a_page_that_says_so(events: list[dict[str, object]]) -> None:
    """Whether there is nothing at all, or nothing of the period."""
    made = report(frame(events))

    assert SECTIONS == [section.anchor for section in made.sections]
    assert "No event took place in this period." in words(made)
    assert "No submission had an event in this period." in words(made)
    assert "no event" in finding(made, "days") or "There is no submission" in finding(made, "days")


def test_one_submission_is_told_of_as_one_and_only_as_far_as_it_was_followed() -> None:
    """It waits since 26 days: which share passes within 30 is not known, and not nought."""
    made = report([event()])

    assert finding(made, "backlog") == (
        "1 submission waits for a first outcome; the oldest for 26 days."
    )
    assert finding(made, "time-to-qc") == (
        "Of 1 submission first handed in since 1 October 2026, 1 has not passed QC yet."
    )
    assert {"estimated share": DASH, "95% interval": DASH} == table(made, "time-to-qc")[
        "within 30 days"
    ]
    assert "none was checked" in words(made)
    quick = report(visits(3, 1, "submit", "pass-qc"))
    assert "100.0%" == table(quick, "time-to-qc")["within 90 days"]["estimated share"]


def test_a_file_has_one_number_in_a_column_and_days_as_dates() -> None:
    """With what each is beside it: its center by number and name, its unit, what is known of it."""
    (sheet,) = (each for each in busy_report().sheets if each.name == "centers")
    headings, *lines = sheet.lines((OCTOBER.first, OCTOBER.last))

    assert ("first", "last", "adcid", "center", "measure", "unit", "value", "least", "most",
            "flag") == headings  # fmt: skip
    assert ("2026-10-01", "2026-10-31", "1", "center-01", "submissions", "submissions", "95", "95",
            "95", "exact") == lines[0]  # fmt: skip
    named = {(line[3], line[4]): line for line in lines}
    assert ("share of checked", "0.615385", "0.615385", "0.615385", "exact") == named[
        "center-01", "pass_rate"
    ][5:]
    assert ("", "0.493842", "0.724050", "interval") == tuple(
        named["center-01", "pass_rate_interval"][6:]
    )


def test_each_section_leads_to_the_definitions_that_it_was_computed_by() -> None:
    """By the names of the queries, in words that need no names of fields; and says what words mean."""
    made = busy_report()
    page = " ".join("".join(Page(words(made)).words).split())

    named = [name for section in made.sections for name in section.questions]
    assert ["counts", "status", "pass-rates", "waiting", "lateness", "days-to-submission",
            "days-to-qc", "completeness"] == named  # fmt: skip
    for name in named:
        assert name in QUERIES
        assert f"nacc-checkpoint query {name}" in page
    assert not re.findall(r"\b[a-z]+_[a-z_]+\b|Time filters", page)
    for word in ("pass rate", "backlog", "nine of ten", "partial"):
        assert word in page


def test_no_participant_and_no_single_visit_is_on_the_page() -> None:
    """Neither in words nor in attributes, nor in the files."""
    events = visits(50, 1, "submit", project_label="project-x", gear_name="gear-y")
    made = report([{**each, "ptid": f"SECRET{n}"} for n, each in enumerate(events)], [reject()])

    files = "".join(
        cell
        for sheet in made.sheets
        for line in sheet.lines((OCTOBER.first, OCTOBER.last))
        for cell in line
    )
    assert not re.search(r"SECRET|project-x|gear-y|2026-09-20|log-submit", words(made) + files)


HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</svg></style><b>&amp;",
    "=HYPERLINK(1)",
    "\x1b[31m\u202e\n",
    "W" * 500,
)


def test_labels_are_text_and_nothing_else() -> None:
    """Whatever a center or study calls itself is shown escaped, in tables, alternatives and charts;
    in files a leading sign, of which a spreadsheet would make a formula, is kept from acting.
    """
    events = [
        each
        for number, label in enumerate(HOSTILE, 1)
        for each in visits(30, number, "submit", "pass-qc", center_label=label, study=label)
    ]
    made = report(events)
    page = Page(made.page)

    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "b", "iframe", "object", "link", "a:href"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.tables["centers"][1][0]
    assert "W" * 100 not in made.page
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", made.page)
    (sheet,) = (each for each in made.sheets if each.name == "centers")
    cells = {cell for line in sheet.lines((OCTOBER.first, OCTOBER.last)) for cell in line}
    assert "'=HYPERLINK(1)" in cells
    (picture,) = made.sections[SECTIONS.index("centers")].pictures
    alone = standalone(picture.chart(700), picture.shows)
    assert "&lt;script" in alone
    assert not re.search(r"<script|var\(", alone)


def test_a_chart_of_its_own_has_the_colours_of_the_light_page() -> None:
    """The same names, with the same values."""
    style = words(busy_report()).split("@media", 1)[0]

    named = dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]{6})", style))
    assert COLORS == {name: color for name, color in named.items() if name in COLORS}


def test_a_long_range_is_told_by_month() -> None:
    """So that it stays a page to look at."""
    year = Period(first=date(2026, 1, 1), last=date(2026, 12, 31))

    made = table(
        report(busy(), period=year, committed_at=datetime(2027, 1, 2, tzinfo=UTC)), "events"
    )
    assert 13 == len(made)
    assert "Oct 2026" in made


@settings(max_examples=15)
@given(st.integers(0, 12), st.integers(0, 12))
@example(0, 0)
def test_rates_say_of_how_many_they_are(passed: int, failed: int) -> None:
    """Never alone; of nothing there is none."""
    made = report(
        [*visits(passed, 1, "submit", "pass-qc"), *visits(failed, 1, "submit", "not-pass-qc")]
    )
    row = table(made, "centers").get("center-01", {"checked": "0", "pass rate": DASH})

    assert row["checked"] == str(passed + failed)
    assert (row["pass rate"] == DASH) == (passed + failed == 0)
    if passed + failed:
        assert f"n {passed + failed})" in finding(made, "centers")
