"""A report tells true numbers, says what is missing, and tells about nobody."""

import functools
import re
from datetime import UTC, date, datetime

import polars as pl
import pytest

from checkpoint_core.queries import QUERIES, Filters, ask
from checkpoint_report import Period, Report, UnknownCenterError
from tests.checkpoint_report.visits import (
    OCTOBER,
    Page,
    event,
    frame,
    reject,
    report,
    table,
    visits,
    words,
)

DAY = datetime(2026, 10, 5, tzinfo=UTC)
FILTERS = Filters(timestamp_from=OCTOBER.begin, timestamp_to=OCTOBER.end)


def busy() -> pl.DataFrame:
    """Return a month of three centers, of which the third sent nothing in it, and one of later."""
    return frame(
        [
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
    return report(busy())


def test_the_numbers_are_those_of_the_queries() -> None:
    """Each count that may be shown is the one that the query of the same name gives."""
    made = report(busy())

    status = ask("status", busy().lazy(), FILTERS).collect().rows()
    errors = ask("errors-by-center", busy().lazy(), FILTERS).collect().rows()
    rates = ask("pass-rates", busy().lazy(), FILTERS).collect().rows(named=True)
    counts = ask("counts", busy().lazy(), FILTERS, by=("action",)).collect().rows()
    told = table(made, "status")
    assert {
        (1, "center-01", "waiting", None, 30),
        (2, "center-02", "deleted", None, 4),
    } <= set(status)
    for _, center, name, _, submissions in status:
        assert told[center][name] == ("<11" if submissions < 11 else str(submissions))
    for _, center, _, errors_, _ in errors:
        assert table(made, "errors")[center]["errors"] == str(errors_)
    for row in rates:
        shown = table(made, "errors")[row["center_label"]]["pass rate"]
        assert shown == f"{row['pass_rate']:.3f}"
    volumes = table(made, "volumes").values()
    assert [sum(int(week[name]) for week in volumes if week[name].isdigit())
            for name, _ in counts if name != "delete"] == [
        events for name, events in counts if name != "delete"]  # fmt: skip


def test_times_are_those_of_the_queries_where_they_are_about_enough_visits() -> None:
    """A median from 22 visits on, the days for nine of ten from 110 on; all else only roughly."""
    events = [*visits(110, 1, "submit"), *visits(22, 2, "submit"), *visits(21, 4, "submit", day=9)]
    made = table(report(frame(events)), "days-to-submission")

    asked = ask("days-to-submission", frame(events).lazy(), FILTERS).collect()
    assert [15.0, 15.0, 19.0] == asked["median_days"].to_list()
    assert [
        ["100 or more", "15", "15", "none"],
        ["11 or more", "15", "", "none"],
        ["11 or more", "", "", "none"],
        ["122 or more", "15", "19", "none"],
    ] == [list(row.values()) for row in made.values()]


def test_negative_days_are_counted_and_kept() -> None:
    """Visits that are dated after their submission are in the median, and told."""
    future = visits(30, 1, "submit", visit_date=date(2026, 10, 9))
    made = report(frame(future))

    row = table(made, "days-to-submission")["center-01"]
    assert ("-4", "25 or more") == (row["median days"], row["negative"])
    assert "\N{MINUS SIGN}4" in words(made)


def test_completeness_tells_what_came_later_and_what_is_missing() -> None:
    """In shares of the visits with forms: from the start, filled in later, missing."""
    events = [
        *visits(50, 1, "submit"),
        *visits(25, 2, "submit", packet=None),
        *(event(4, f"L{number}", packet=None) for number in range(25)),
        *(event(4, f"L{number}", packet="F", day=6) for number in range(25)),
        *visits(500, 1, "pass-qc", datatype="dicom", module=None, packet=None),
    ]
    made = table(report(frame(events)), "completeness")

    assert ["0.50", "0.25", "0.25"] == list(made["packet"].values())
    assert ["1.00", "0.00", "0.00"] == list(made["module"].values())


def test_completeness_is_not_told_where_a_part_is_small() -> None:
    """The other parts would tell it."""
    lacking = visits(5, 2, "submit", packet=None)
    events = [*visits(150, 1, "submit"), *lacking, *visits(30, 3, "submit")]
    made = table(report(frame(events)), "completeness")

    assert ["", "", ""] == list(made["packet"].values())
    assert ["1.00", "0.00", "0.00"] == list(made["module"].values())


def test_a_center_without_data_is_said_to_have_none() -> None:
    """Not to have noughts; and it is named on top, but not one that sent its first event later."""
    made = busy_report()

    assert ["no data", *["\N{EN DASH}"] * 7] == list(table(made, "status")["center-03"].values())
    assert "No data in this period from 1 of 3 centers: center-03." in words(made)
    assert "2 of 3" in words(made)
    assert "center-09" not in words(made)


def test_rejects_are_counted_by_outcome_and_rule() -> None:
    """Those written in the period; reasons that are about one object are left out."""
    rejects = [
        *[reject() for _ in range(12)],
        *[reject(outcome="unreadable", reason="P1.json: gone") for _ in range(3)],
        *[reject(last_modified=datetime(2026, 11, 1, tzinfo=UTC)) for _ in range(20)],
    ]
    made = report(busy(), rejects)

    assert {"invalid: ptid: is missing": "withheld", "unreadable": "<11"} == {
        name: row["objects"] for name, row in table(made, "rejects").items()
    }
    assert "P1.json" not in words(made)


def test_where_a_document_goes_wrong_makes_no_reason_of_its_own() -> None:
    """Or each would be a row with a small number in it."""
    rejects = [reject(reason=f"not valid JSON: cut off at byte {at}") for at in range(12)]

    assert ["invalid: not valid JSON: cut off"] == list(table(report(busy(), rejects), "rejects"))


def test_a_report_on_one_center_is_about_no_other() -> None:
    """By its label or number: its events, and the rejects that are named as its own."""
    rejects = [
        *[reject() for _ in range(11)],
        *[reject(key="log-submit-20261005-120000-2-ingest-form-P1-2026-09-20.json")] * 12,
        *[reject(key="named otherwise")] * 13,
    ]
    made = report(busy(), rejects, center="center-02")

    assert words(made) == words(report(busy(), rejects, center="2"))
    assert ["center-02"] == list(table(made, "status"))
    assert {"objects": "12"} == table(made, "rejects")["invalid: ptid: is missing"]
    assert "center-01" not in made.page


def test_a_report_on_one_center_says_nothing_of_others_as_missing() -> None:
    """What is missing is about that center, with data or without."""
    assert "This center has data in this period." in words(report(busy(), center="center-01"))
    silent = words(report(busy(), center="center-03"))

    assert "This center has no data in this period." in silent
    assert "No center" not in silent


def test_a_total_of_hidden_counts_alone_is_no_nought() -> None:
    """It is some: a lower bound of 0 says nothing."""
    page = words(report(visits(3, 1, "submit")))

    assert "Some events took place." in page
    assert "at least 0" not in page.lower()


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

    assert ["same (7)", "same (8)"] == list(table(report(events), "status"))
    with pytest.raises(UnknownCenterError, match="several"):
        report(events, center="same")
    assert ["same (7)"] != list(table(report(events, center="8"), "status"))


def test_a_center_is_called_by_its_latest_label() -> None:
    """And has one row, however often it was renamed."""
    events = [event(center_label="old"), event(center_label="new", day=6)]

    assert ["new"] == list(table(report(events), "status"))


def test_the_period_is_half_open() -> None:
    """The first moment belongs to it, the first of the next month does not."""
    moments = [OCTOBER.begin] * 11 + [OCTOBER.end] * 11
    events = [event(ptid=f"P{n}", timestamp=moment) for n, moment in enumerate(moments)]

    assert "11" == table(report(events), "status")["center-01"]["all submissions"]


@pytest.mark.parametrize("events", [[], [event(day=-60)], [event(day=60)]])
def test_a_period_without_events_gives_a_page_that_says_so(events: list[dict[str, object]]) -> None:
    """Whether there is nothing at all, or nothing of the period."""
    page = report(frame(events)).page

    assert "No event took place in this period." in page
    assert "No submission had an event in this period." in page
    assert "<svg" not in page
    assert "No center has" in page


def test_a_page_says_when_the_data_cannot_be_whole() -> None:
    """The checkpoint was last changed before the period was over."""
    told = "The checkpoint was last changed before the period ended."

    assert told in words(report(busy(), committed_at=DAY))
    assert told not in words(busy_report())


def test_a_page_says_how_far_the_data_reach() -> None:
    """The latest event to the minute, the last change, and what cannot be known."""
    page = " ".join(Page(words(busy_report())).words)

    assert "2026-11-09 12:00 UTC" in page
    assert "2026-11-02 06:00 UTC" in page
    assert "leaves no trace in the checkpoint" in page
    assert "does not protect across months" in page


def test_each_chart_is_shown_with_the_definition_that_it_was_computed_by() -> None:
    """The queries' own words, with their names of fields as code."""
    page = " ".join("".join(Page(words(busy_report())).words).split())

    for name in ("counts", "status", "errors-by-center", "pass-rates", "days-to-submission",
                 "days-to-qc", "completeness"):  # fmt: skip
        assert QUERIES[name].definition.replace("`", "") in page


def test_without_a_threshold_the_page_warns() -> None:
    """It shows every count, and says that it is not to be handed on."""
    made = report(busy(), threshold=1)

    assert "4" == table(made, "status")["center-02"]["deleted"]
    assert "do not hand it on" in words(made)


def test_duplicates_have_a_column_of_their_own() -> None:
    """Data that were known from before the log are no backlog."""
    made = report(visits(15, 1, "duplicate-submit"))

    shown = table(made, "status")["center-01"]
    assert ("15", "0") == (shown["duplicate"], shown["waiting"])


def test_no_participant_and_no_single_visit_is_on_the_page() -> None:
    """Neither in words nor in attributes, nor in the files."""
    events = visits(50, 1, "submit", project_label="project-x", gear_name="gear-y")
    made = report([{**each, "ptid": f"SECRET{n}"} for n, each in enumerate(events)], [reject()])

    everything = made.page + "".join(
        value.text + value.plain for sheet in made.sheets for row in sheet.rows for value in row
    )
    assert not re.search(r"SECRET|project-x|gear-y|2026-09-20|log-submit", everything)


HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</svg></style><b>&amp;",
    "=HYPERLINK(1)",
    "\x1b[31m\u202e\n",
    "W" * 500,
)


def test_labels_are_text_and_nothing_else() -> None:
    """Whatever a center calls itself is shown escaped, in tables, alternatives and charts; in files
    a leading sign, of which a spreadsheet would make a formula, is kept from acting.
    """
    events = [
        each
        for number, label in enumerate(HOSTILE, 1)
        for each in visits(30, number, "submit", "pass-qc", center_label=label)
    ]
    made = report(events)
    page = Page(made.page)

    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "b", "iframe", "object", "link", "a:href"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.tables["status"][1][0]
    assert "W" * 100 not in made.page
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", made.page)
    assert "'=HYPERLINK(1)" in table(made, "status")
    assert "&#39;=HYPERLINK" not in made.page


def test_a_long_range_is_told_by_month() -> None:
    """So that it stays a page to look at."""
    year = Period(first=date(2026, 1, 1), last=date(2026, 12, 31))

    made = table(report(busy(), period=year), "volumes")
    assert 12 == len(made)
    assert "Oct 2026" in made
