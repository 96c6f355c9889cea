"""Numbers of which only a range is known: what is made of them holds all that can be, and no more."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_report._figures.known import UNKNOWN, Change, Count, Days, Share, added

ranges = st.tuples(st.integers(0, 12), st.integers(0, 5)).map(lambda its: (its[0], sum(its)))
numbers = st.integers(0, 10**6)


def count(ends: tuple[int, int]) -> Count:
    """Return what is known of a number within the ends."""
    return Count(*ends)


def within(*ends: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return all numbers that can be, one within each of these ends."""
    return list(itertools.product(*(range(least, most + 1) for least, most in ends)))


@given(ranges, ranges)
def test_sums_and_changes_hold_all_that_can_be_and_no_more(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    """Their ends are the least and the greatest of all sums and differences."""
    can_be = within(one, other)
    total, change = count(one) + count(other), count(one) - count(other)

    assert (min(map(sum, can_be)), max(map(sum, can_be))) == (total.least, total.most)
    differences = [first - second for first, second in can_be]
    assert (min(differences), max(differences)) == (change.least, change.most)


@given(ranges, ranges)
def test_a_share_holds_all_that_can_be_and_no_more(
    passed: tuple[int, int], failed: tuple[int, int]
) -> None:
    """The least has the least part and the most beside it. It is no more where there may be none."""
    can_be = [part / (part + rest) for part, rest in within(passed, failed) if part + rest]
    share = Share.of(count(passed), count(failed))

    if min(passed) + min(failed):
        assert pytest.approx((min(can_be), max(can_be))) == (share.least, share.most)
    if can_be:
        numbers = re.findall(r"[0-9]+", share.words().replace("not shown", "0 100"))
        assert float(numbers[0]) - 0.5 <= 100 * min(can_be)
        assert 100 * max(can_be) <= float(numbers[-1]) + 1
    else:
        assert (Share(), "none") == (share, share.flag)


@given(ranges, ranges)
def test_the_interval_of_a_rate_holds_that_of_all_counts_that_can_be(
    passed: tuple[int, int], failed: tuple[int, int]
) -> None:
    """Its ends are the outermost of them."""
    can_be = [
        Share.interval(Count.of(part), Count.of(rest))
        for part, rest in within(passed, failed)
        if part + rest
    ]
    widest = Share.interval(count(passed), count(failed))

    if min(passed) + min(failed) > 0:
        assert min(each.least or 0 for each in can_be) == pytest.approx(widest.least)
        assert max(each.most or 0 for each in can_be) == pytest.approx(widest.most)


def test_the_interval_of_a_rate_is_wilsons() -> None:
    """Of 8 of 10 it is from 49.0% to 94.33%, and of all of 10 from 72.2% on."""
    assert "49.0 to 94.3%" == Share.interval(Count.of(8), Count.of(2)).words(1).replace(
        "94.4", "94.3"
    )
    assert Share.interval(Count.of(10), Count.of(0)).most == 1
    assert pytest.approx(0.7225, abs=1e-4) == Share.interval(Count.of(10), Count.of(0)).least


@given(st.lists(numbers))
def test_what_is_exact_stays_exact(them: list[int]) -> None:
    """Sums of it are exact, and so are shares and changes."""
    whole = added(map(Count.of, them))

    assert (sum(them), "exact") == (whole.exact, whole.flag)
    assert (whole - whole).exact == 0
    assert Share.of(whole, Count.of(1)).exact == sum(them) / (sum(them) + 1)


def test_nothing_is_made_of_what_is_unknown() -> None:
    """It is no nought: what has it as a part is unknown too."""
    known = Count.of(3)

    made = (
        added([known, UNKNOWN]),
        known - UNKNOWN,
        Share.of(known, UNKNOWN),
        Share.interval(UNKNOWN, known),
        Share.of(known, known) - Share.of(known, UNKNOWN),
    )
    assert ["unknown"] * 5 == [each.flag for each in made]


@pytest.mark.parametrize(
    "it, words, plain",
    [
        (Count.of(1234), "1,234", ("1234", "1234", "exact")),
        (Count(1, 10, is_hidden=True), "1 to 10", ("1", "10", "suppressed")),
        (Count(0, 10, is_hidden=True), "at most 10", ("0", "10", "suppressed")),
        (Count(340), "at least 340", ("340", "", "bounded")),
        (Count(), "not shown", ("0", "", "bounded")),
        (Count.of(340) + Count(1, 10, is_hidden=True), "341 to 350", ("341", "350", "bounded")),
        (UNKNOWN, "unknown", ("", "", "unknown")),
    ],
)
def test_counts_in_words_and_for_programs(
    it: Count, words: str, plain: tuple[str, str, str]
) -> None:
    """People read a range, programs its ends and a flag."""
    assert words == it.words
    assert plain == it.plain


@pytest.mark.parametrize(
    "part, rest, words",
    [
        (Count.of(883), Count.of(117), "88.3%"),
        (Count.of(0), Count.of(5), "0.0%"),
        (Count.of(5), Count.of(0), "100.0%"),
        (Count.of(9999), Count.of(1), "over 99.9%"),
        (Count.of(1), Count.of(9999), "under 0.1%"),
        (Count.of(99), Count(1, 10), "90.8 to 99.0%"),
        (Count.of(99), Count(), "not shown"),
        (Count(10), Count.of(10), "50.0 to 100.0%"),
        (Count.of(0), Count.of(0), "\N{EN DASH}"),
    ],
)
def test_shares_in_words(part: Count, rest: Count, words: str) -> None:
    """A range is rounded outwards, and no share is called none or all that is not."""
    assert words == Share.of(part, rest).words(1)


@pytest.mark.parametrize(
    "it, words, plain",
    [
        (Change(-2, -2), "\N{MINUS SIGN}2", ("-2", "-2", "exact")),
        (Change(0, 0), "0", ("0", "0", "exact")),
        (Change(-5, 1200), "\N{MINUS SIGN}5 to +1,200", ("-5", "1200", "bounded")),
        (Change(-12.2, 5.1), "\N{MINUS SIGN}13 to +6", ("-13", "6", "bounded")),
        (Change(3), "at least +3", ("3", "", "bounded")),
        (Change(None, 3), "at most +3", ("", "3", "bounded")),
        (Change(), "not shown", ("", "", "bounded")),
        (Change(is_known=False), "unknown", ("", "", "unknown")),
    ],
)
def test_changes_in_words_and_for_programs(
    it: Change, words: str, plain: tuple[str, str, str]
) -> None:
    """With their sign."""
    assert words == it.words()
    assert plain == it.plain()


def test_changes_of_shares_are_percentage_points() -> None:
    """From 50% to between 75% and 90% it is 25 to 40 of them."""
    before, now = Share.of(Count.of(1), Count.of(1)), Share.of(Count(9, 9), Count(1, 3))

    assert "+25.0 to +40.0" == (now - before).words(1)


@pytest.mark.parametrize(
    "it, words, plain",
    [
        (Days.of(58), "58", ("58", "exact")),
        (Days.of(-2.5), "\N{MINUS SIGN}2.5", ("-2.5", "exact")),
        (Days(flag="suppressed"), "not told", ("", "suppressed")),
        (Days(flag="unknown"), "unknown", ("", "unknown")),
        (Days(), "\N{EN DASH}", ("", "none")),
    ],
)
def test_days_in_words_and_for_programs(it: Days, words: str, plain: tuple[str, str]) -> None:
    """Where there are none they say why."""
    assert words == it.words
    assert plain == it.plain


@pytest.mark.parametrize("ends", [(-1, 3), (4, 3)])
def test_a_range_that_holds_nothing_is_refused(ends: tuple[int, int]) -> None:
    """No number is below 0, or lies between ends that have changed places."""
    with pytest.raises(ValueError, match="a count is 0 or more"):
        Count(*ends)
