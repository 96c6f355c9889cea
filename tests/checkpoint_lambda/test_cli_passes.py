"""Several passes told of as one, with plain data."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_core import Counts, FailedFile, RunReport
from checkpoint_lambda._passes import fold, run_until_complete
from checkpoint_lambda.errors import StalledError

START = datetime(2026, 10, 1, tzinfo=UTC)


def report(number: int = 0, **changes: Any) -> RunReport:
    """Return the report of the n-th pass."""
    counts = changes.pop("counts", Counts())
    plain: dict[str, Any] = {
        "run_id": f"run-{number}",
        "source": "file:///events",
        "checkpoint": "/out/events.parquet",
        "started_at": START + timedelta(minutes=number),
        "finished_at": START + timedelta(minutes=number, seconds=30),
        "incremental": number > 0,
        "dry_run": False,
        "counts": counts,
        "listed": counts.listed,
        "total_events": 10 * number,
        "rejects": number,
        "size_bytes": 1000 + number,
        "first_timestamp": START,
        "last_timestamp": START + timedelta(days=number),
        "commit_id": f"commit-{number}",
        "future_dated": 1,
        "unknown_fields": {},
        "failed_files": (),
        "unrecognized_examples": (),
        "warnings": (),
    }
    return RunReport(**plain | changes)


def failed(key: str, outcome: str) -> FailedFile:
    """Return a failed file."""
    return FailedFile(key=key, outcome=outcome, reason="because")


SETTLED = {
    "accepted": "unchanged",
    "touched": "unchanged",
    "invalid": "rejected_before",
    "excluded": "rejected_before",
    "archived": "rejected_before",
}
"""What a pass settles, and what the next one finds it as."""
MET_AGAIN = ("before_cutoff", "unreadable", "denied", "unrecognized")


@given(
    ends=st.lists(st.sampled_from([*SETTLED, *MET_AGAIN, *SETTLED.values()]), max_size=30),
    limit=st.integers(1, 5),
    taken_by_another=st.integers(0, 3),
)
def test_the_fold_counts_what_a_single_pass_would_have_counted(
    ends: list[str], limit: int, taken_by_another: int
) -> None:
    """Passes that settle a few objects each add up to one that settles them all, apart from those
    that another process takes between the passes, which are unchanged.
    """
    waiting = [end for end in ends if end in SETTLED]
    known = Counter(end for end in ends if end not in SETTLED)
    expected = Counter(ends)
    reports: list[RunReport] = []
    while waiting or not reports or not reports[-1].complete:
        now, waiting = waiting[:limit], waiting[limit:]
        reports.append(report(counts=Counts(**(known + Counter(now)), deferred=len(waiting))))
        taken, waiting = waiting[:taken_by_another], waiting[taken_by_another:]
        known += Counter(SETTLED[end] for end in now + taken)
        expected += Counter(SETTLED[end] for end in taken)
        expected -= Counter(taken)

    folded = fold(reports, listed_failures=20)

    assert Counts(**expected) == folded.counts
    assert len(ends) == folded.listed


def test_rejects_that_another_process_replaced_are_counted_once() -> None:
    """The last pass then meets them again, and does not find them among those rejected before."""
    first = report(counts=Counts(unchanged=5, invalid=2, excluded=1, deferred=3))
    last = report(counts=Counts(unchanged=8, invalid=2, rejected_before=1))

    folded = fold([first, last], listed_failures=20)

    assert Counts(unchanged=8, invalid=2, excluded=1) == folded.counts
    assert 11 == folded.listed


def test_an_object_that_two_passes_took_counts_for_both_rows() -> None:
    """New events are rows; nothing becomes negative."""
    first = report(counts=Counts(accepted=1, deferred=1))
    last = report(counts=Counts(accepted=2))

    folded = fold([first, last], listed_failures=20)

    assert Counts(accepted=3) == folded.counts


def test_what_is_not_a_count_comes_from_the_pass_that_knows_it() -> None:
    """Beginnings from the first, results from the last, sums and unions over all."""
    reports = [
        report(
            0,
            unknown_fields={"a": 1, "b": 5},
            failed_files=(failed("x", "invalid"), failed("m", "unreadable")),
            warnings=("one",),
        ),
        report(
            1,
            unknown_fields={"a": 7},
            failed_files=(failed("d", "denied"), failed("e", "invalid")),
            warnings=("one", "two"),
            commit_id=None,
        ),
    ]

    folded = fold(reports, listed_failures=2)

    assert ("run-0", START, False) == (folded.run_id, folded.started_at, folded.incremental)
    assert START + timedelta(minutes=1, seconds=30) == folded.finished_at
    assert (10, 1, 1001) == (folded.total_events, folded.rejects, folded.size_bytes)
    assert "commit-0" == folded.commit_id
    assert 2 == folded.future_dated
    assert {"a": 8, "b": 5} == folded.unknown_fields
    assert ["a", "b"] == list(folded.unknown_fields)
    assert (failed("d", "denied"), failed("e", "invalid")) == folded.failed_files
    assert ("one", "two") == folded.warnings


def test_one_pass_is_told_of_as_it_is() -> None:
    """Folding one report changes nothing."""
    only = report(3, counts=Counts(accepted=1, unchanged=2), unknown_fields={"b": 1, "a": 2})

    assert only == fold([only], listed_failures=20)


def passes(*left: tuple[int, int]) -> Iterator[RunReport]:
    """Yield reports of passes that accepted and left so many."""
    for number, (accepted, deferred) in enumerate(left):
        yield report(number, counts=Counts(accepted=accepted, deferred=deferred))


def test_passes_are_made_until_nothing_is_left() -> None:
    """One without progress does not end it."""
    reports = passes((3, 2), (0, 2), (1, 1), (0, 1), (1, 0), (9, 9))

    folded = run_until_complete(lambda: next(reports), listed_failures=20)

    assert 5 == folded.counts.accepted
    assert folded.complete
    assert 9 == next(reports).counts.accepted


def test_two_passes_without_progress_end_in_an_error() -> None:
    """Its message says how many objects are left."""
    reports = passes((3, 2), (0, 2), (0, 2), (2, 0))

    with pytest.raises(StalledError, match="2 objects are left"):
        run_until_complete(lambda: next(reports), listed_failures=20)


def test_a_dry_run_is_one_pass() -> None:
    """The next would do the same for ever."""
    only = report(counts=Counts(accepted=1, deferred=4), dry_run=True)

    assert only == run_until_complete(lambda: only, listed_failures=20)
