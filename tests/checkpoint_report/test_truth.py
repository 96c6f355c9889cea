"""Every number and every sentence of a report is the truth, on data where the truth is known."""

import functools
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from checkpoint_report import Period, Report
from checkpoint_report._figures.figures import figures
from checkpoint_report._figures.scope import scope_of
from checkpoint_report._figures.tables import places
from nacc_event_model import EventFormat
from tests.checkpoint_queries.generated import checkpoints, large_checkpoint
from tests.checkpoint_report.truth import Truth
from tests.checkpoint_report.visits import numbers, report

AFTERWARDS = datetime(2026, 1, 1, tzinfo=UTC)
SHEETS = ("events", "trend", "studies", "datatypes", "kinds", "attempts", "centers", "statuses",
          "backlog", "days", "time-to-qc", "followed", "completeness")  # fmt: skip
AUGUST = Period.of_month("2024-08")


def approximately(measure: str, value: Any) -> Any:
    """Return a number as a file has it: days and points with one decimal, shares with six."""
    if isinstance(value, tuple):
        return tuple(approximately(measure, each) for each in value)
    is_rounded = measure.endswith(("_median", "_nine_of_ten", "rate_change"))
    return None if value is None else pytest.approx(value, abs=0.0501 if is_rounded else 6e-7)


def truth_of(frame: pl.DataFrame, period: Period, made: Report) -> Truth:
    """Reckon what the report has to say."""
    names = {center.adcid: center.name for center in made.subject.centers}
    return Truth(frame.to_dicts(), period, names)


def compare(made: Report, truth: Truth) -> None:
    """Each number is the truth, and none is missing."""
    expected: dict[str, dict[tuple[str, ...], Any]] = {sheet: {} for sheet in SHEETS}
    for (sheet, *keys), number in truth.numbers().items():
        expected[sheet][tuple(keys)] = number
    for sheet in SHEETS:
        told = numbers(made, sheet)
        told = {keys: n for keys, n in told.items() if keys[-1] != "estimated_share_interval"}
        assert told.keys() == expected[sheet].keys(), sheet
        wrong = {k: (n, expected[sheet][k]) for k, n in told.items()
                 if n != approximately(k[-1], expected[sheet][k])}  # fmt: skip
        assert {} == wrong, sheet


@functools.cache
def large() -> tuple[pl.DataFrame, Report]:
    """Return events of ten months, of every kind, and the report on the eighth."""
    frame = large_checkpoint(4_000, EventFormat.V1_1)
    return frame, report(frame, period=AUGUST, committed_at=AFTERWARDS)


def test_every_number_is_the_truth_over_many_submissions() -> None:
    """As reckoned event by event, in plain Python."""
    frame, made = large()

    compare(made, truth_of(frame, AUGUST, made))


@settings(max_examples=40)
@given(
    st.sampled_from(EventFormat).flatmap(checkpoints),
    st.sampled_from(
        [
            Period.of_month("2024-02"),
            Period.of_month("2024-06"),
            Period(first=datetime(2024, 1, 15).date(), last=datetime(2024, 1, 21).date()),  # noqa: DTZ001
        ]
    ),
)
@pytest.mark.on_one_python
def test_every_number_is_the_truth_of_odd_submissions(frame: pl.DataFrame, period: Period) -> None:
    """With ties, mistakes, histories that make no sense, and hardly any events."""
    frame = frame.filter(pl.col("pipeline_adcid") != 0)
    before = period.before()
    assume(not frame.is_empty() and before is not None)
    # The log covers the period before; what is compared elsewhere is what is told when it does not.
    begun = frame.head(1).with_columns(
        timestamp=pl.lit(datetime(2023, 1, 1, tzinfo=UTC)),
        ptid=pl.lit("Z"),
        action=pl.lit("submit"),
    )
    frame = pl.concat([begun.cast(frame.schema), frame])
    made = report(frame, period=period, committed_at=AFTERWARDS)

    compare(made, truth_of(frame, period, made))


@settings(max_examples=50)
@given(
    st.sampled_from(EventFormat).flatmap(checkpoints),
    st.sampled_from([datetime(2024, 2, 1, tzinfo=UTC), AFTERWARDS]),
    st.sampled_from(["2024-01", "2024-02", "2024-06"]),
)
@pytest.mark.on_one_python
def test_what_is_said_to_hold_between_tables_does_hold(
    frame: pl.DataFrame, changed_at: datetime, month: str
) -> None:
    """Each relation, over events of every kind, of periods that are over or not.

    Of two moments where no event may turn out to be another submission's by a later one.
    """
    events, period = frame.lazy(), Period.of_month(month)
    scope = scope_of(events, period, changed_at, adcid=None, include_test_center=False)
    found = figures(events, None, None, ["1", "2"], scope)

    assert len(found.relations) > 40
    parts = [name for name in ("module", "modality") if name in frame.columns]
    is_settled = frame.select(pl.coalesce(parts).is_not_null().all()).item()
    for each in found.relations:
        moments = {place.table.endswith("-before") for place in (*each.left, *each.right)}
        if len(moments) == 2 and not is_settled:
            continue
        left, right = (
            sum(found.tables[name].cells[row][column] for name, row, column in
                places(found.tables, side))
            for side in (each.left, each.right)
        )  # fmt: skip
        assert left == right if each.how == "equals" else left <= right, each


def test_every_sentence_is_the_truth() -> None:
    """Word by word, with the numbers of the truth in it."""
    frame, made = large()
    truth = truth_of(frame, AUGUST, made)
    n: Any = truth.numbers()
    told = {section.anchor: section.finding for section in made.sections}
    assert told == dict(sentences(truth, n)), told


def sentences(truth: Truth, n: Any) -> Any:
    """Yield the sentences of each section."""
    first, last = "2024-08-01", "2024-08-31"
    july = ("2024-07-01", "2024-07-31")
    centers = ("centers", "", "all centers")
    every = {key[-1]: value for key, value in n.items() if key[:3] == centers}
    yield "events", (
        "{:,} events took place: {:,} submit, {:,} pass-qc, {:,} not-pass-qc, {:,} duplicate-submit "
        "and {:,} delete."
    ).format(*(n["events", first, "all", name] for name in
               ("all", "submit", "pass_qc", "not_pass_qc", "duplicate_submit", "delete")))  # fmt: skip
    handed_in, before = n["trend", first, last, "handed_in"], n["trend", *july, "handed_in"]
    yield (
        "trend",
        (
            f"{handed_in} submissions were first handed in during August 2024 ({before} in July 2024, "
            f"{signed(handed_in - before)})."
        ),
    )
    groups = [
        " and ".join(f"{n[s, v, 'pass_rate']:.1%} of {n[s, v, 'checked']} for {v}" for v in values)
        for s, values in (("datatypes", ("dicom", "form")),)
    ]
    studies = [f"{n['studies', v, 'pass_rate']:.1%} of {n['studies', v, 'checked']} for {v}"
               for v in ("adrc", "dvcid", "leads")]  # fmt: skip
    yield (
        "kinds",
        (
            f"Of those checked passed, by study, {studies[0]}, {studies[1]} and {studies[2]}; "
            f"by datatype, {groups[0]}."
        ),
    )
    again = sum(n["attempts", key, "submissions"] for key in ("twice", "three times or more"))
    duplicates = sum(v for k, v in n.items() if k[0] == "statuses" and k[-1] == "with_duplicates")
    yield (
        "attempts",
        (
            f"{again} submissions of {every['submissions']} had been handed in more than once; of those "
            f"handed in once {n['attempts', 'once', 'pass_rate']:.1%} of {n['attempts', 'once', 'checked']} "
            f"checked passed. {every['handed_in_again']} have been handed in again without an outcome "
            f"since, and of {duplicates} a submit was taken back as a duplicate."
        ),
    )
    rates = sorted((n["centers", str(adcid), name, "pass_rate"], name,
                    n["centers", str(adcid), name, "checked"])
                   for adcid, name in truth.centers.items())  # fmt: skip
    low, high = every["pass_rate_interval"]
    yield (
        "centers",
        (
            f"{every['submissions']} submissions had events. {every['checked']} of them had an outcome at "
            f"the end of the period: {every['pass_rate']:.1%} passed QC (95% interval {100 * low:.0f} to "
            f"{100 * high:.0f}%, n {every['checked']}). Of the centers with 10 or more checked, from "
            f"{rates[0][0]:.1%} ({rates[0][1]}, n {rates[0][2]}) to {rates[-1][0]:.1%} ({rates[-1][1]}, "
            f"n {rates[-1][2]})."
        ),
    )
    waiting = {k[-1]: v for k, v in n.items() if k[:3] == ("backlog", "", "all centers")}
    change = waiting["waiting_change"]
    yield (
        "backlog",
        (
            f"{waiting['waiting']} submissions wait for a first outcome ({waiting['waiting'] - change} at "
            f"the end of July 2024, {signed(change)}). {waiting['waiting_90_days_or_more']} of them for 90 "
            f"days or more; the oldest for {waiting['oldest']} days."
        ),
    )
    yield (
        "lateness",
        (
            "Not known: there is no ledger beside this checkpoint, and nothing else tells when objects "
            "arrived."
        ),
    )
    time = {k[-1]: v for k, v in n.items() if k[:3] == ("days", "", "all centers")}
    yield (
        "days",
        (
            f"Of the {time['submission']} submissions first handed in during August 2024, half came within "
            f"{day(time['submission_median'])} days of the visit, nine of ten within "
            f"{day(time['submission_nine_of_ten'])}. Of the {time['qc']} submissions that first passed QC in "
            f"August 2024, half did so within {day(time['qc_median'])} days of the visit, nine of ten within "
            f"{day(time['qc_nine_of_ten'])}. Beside these, {waiting['waiting']} submissions handed in until "
            "then have no outcome yet."
        ),
    )
    followed = n["followed", "all", "passed"] + n["followed", "all", "open"]
    shares = [
        f"{n['time-to-qc', str(d), 'estimated_share']:.0%} within {d} days" for d in (7, 30, 90)
    ]
    yield (
        "time-to-qc",
        (
            f"Of {followed:,} submissions first handed in since 1 January 2024, "
            f"{n['followed', 'all', 'open']} have not passed QC yet. Counting these for as long as they are "
            f"open, an estimated {shares[0]}, {shares[1]} and {shares[2]} pass."
        ),
    )
    forms = {field: n["completeness", field, "share_missing"] for field in ("module", "packet")}
    yield (
        "completeness",
        (
            f"Of {n['completeness', 'module', 'forms']} forms, {forms['module']:.1%} lack module and "
            f"{forms['packet']:.1%} lack packet."
        ),
    )
    yield (
        "rejects",
        ("No event object of August 2024 is known to have been rejected; in July 2024 0."),
    )


def signed(number: float) -> str:
    """Return a change as people read it."""
    return f"{number:+,}".replace("-", "\N{MINUS SIGN}") if number else "0"


def day(number: float) -> str:
    """Return days as people read them."""
    return f"{number:,.1f}".removesuffix(".0").replace("-", "\N{MINUS SIGN}")
