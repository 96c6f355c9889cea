"""The days that a report covers."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_report import Period

periods = st.builds(
    lambda first, days: Period(first=first, last=first + timedelta(days=days)),
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.integers(0, 3_000),
)


def test_a_month_is_half_open_in_utc() -> None:
    """From its first moment up to, and without, the first of the next."""
    month = Period.of_month("2026-12")

    assert datetime(2026, 12, 1, tzinfo=UTC) == month.begin
    assert datetime(2027, 1, 1, tzinfo=UTC) == month.end
    assert month.title == "December 2026"


@pytest.mark.parametrize(
    "text",
    [
        "2026-13",
        "2026-00",
        "2026-1",
        "26-10",
        "2026-10-01",
        "October",
        "",
        "\u0662\u0660\u0662\u0666-\u0661\u0660",
        "0000-01",
    ],
)
def test_what_is_no_month_is_refused(text: str) -> None:
    """It is not guessed at."""
    with pytest.raises(ValueError, match="must be a month, such as 2026-10"):
        Period.of_month(text)


@pytest.mark.parametrize(
    "first, last",
    [
        (date(2026, 10, 2), date(2026, 10, 1)),
        (date(2000, 1, 1), date(2026, 1, 1)),
        (date(9999, 12, 1), date(9999, 12, 31)),
    ],
)
def test_what_cannot_be_looked_at_is_refused(first: date, last: date) -> None:
    """The end before the beginning, decades, and the end of the calendar."""
    with pytest.raises(ValueError, match=r"before the first|too long"):
        Period(first=first, last=last)


@given(periods)
def test_the_buckets_of_a_period_cover_each_of_its_days_once(period: Period) -> None:
    """They follow each other, begin before its first day ends, and are few enough to look at."""
    starts = [bucket.start for bucket in period.buckets()]

    assert starts == sorted(set(starts))
    assert starts[0] <= period.first
    assert all(period.first < start <= period.last for start in starts[1:])
    assert len(starts) <= 101
    assert len({bucket.label for bucket in period.buckets()}) == len(starts)


@pytest.mark.parametrize(
    "first, last, title, labels",
    [
        (date(2026, 10, 1), date(2026, 10, 31), "October 2026", ["1-4 Oct", "26-31 Oct"]),
        (date(2026, 9, 28), date(2026, 10, 12), "28 September 2026 to 12 October 2026",
         ["28 Sep-4 Oct", "12 Oct"]),
        (date(2026, 10, 1), date(2026, 10, 2), "1 October 2026 to 2 October 2026",
         ["1 Oct", "2 Oct"]),
        (date(2026, 10, 1), date(2026, 10, 1), "1 October 2026", ["1 Oct", "1 Oct"]),
        (date(2025, 11, 1), date(2026, 10, 31), "1 November 2025 to 31 October 2026",
         ["Nov 2025", "Oct 2026"]),
    ],
)  # fmt: skip
def test_periods_and_their_parts_are_called_as_people_call_them(
    first: date, last: date, title: str, labels: list[str]
) -> None:
    """A whole month by its name; days, weeks and months by their own."""
    period = Period(first=first, last=last)

    assert title == period.title
    told = [bucket.label.replace("\N{EN DASH}", "-") for bucket in period.buckets()]
    assert labels == [told[0], told[-1]]
