"""Several passes told of as one, with plain data."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from checkpoint_core import Counts, FailedFile, RunReport, StudyCount
from checkpoint_core.errors import StalledError
from checkpoint_core.passes import fold, run_until_complete

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


def taken(study: str, events: int) -> StudyCount:
    """Return how many forms of a study were taken."""
    return StudyCount(study=study, datatype="form", events=events)


SETTLED = {
    "accepted": "unchanged",
    "touched": "unchanged",
    "upgraded": "unchanged",
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


COUNTS = st.builds(Counts, **dict.fromkeys(Counts.__struct_fields__, st.integers(0, 5)))


@given(st.lists(COUNTS, min_size=1, max_size=6))
def test_the_fold_adds_up_to_the_last_listing_whatever_the_passes_say(passes: list[Counts]) -> None:
    """No end is negative, and ends that no pass settles are the last pass's own."""
    last = passes[-1]

    counts = fold([report(counts=each) for each in passes], listed_failures=20).counts

    assert last.listed == counts.listed
    assert min(astuple(counts)) >= 0
    assert last.unchanged >= counts.unchanged
    assert last.rejected_before >= counts.rejected_before
    assert min(last.rejected_before, passes[0].rejected_before) <= counts.rejected_before
    assert {name: getattr(last, name) for name in (*MET_AGAIN, "missing", "deferred")} == {
        name: getattr(counts, name) for name in (*MET_AGAIN, "missing", "deferred")
    }
    for name in SETTLED:
        earlier = sum(getattr(each, name) for each in passes[:-1])
        moved = getattr(counts, name) - getattr(last, name)
        assert 0 <= moved <= earlier


@pytest.mark.parametrize(
    "first, last, told",
    [
        (  # Meets them again, and does not find them among those rejected before.
            Counts(unchanged=5, invalid=2, excluded=1, deferred=3),
            Counts(unchanged=8, invalid=2, rejected_before=1),
            Counts(unchanged=8, invalid=2, excluded=1),
        ),
        (  # They are rejects of an earlier run, not those of the first pass.
            Counts(rejected_before=4, invalid=2, deferred=1),
            Counts(rejected_before=5, invalid=1, unchanged=1),
            Counts(rejected_before=4, invalid=2, unchanged=1),
        ),
        # Both took it; its second row is among the rows.
        (Counts(accepted=1, deferred=1), Counts(accepted=2), Counts(accepted=2)),
        (  # Listed no more; they were taken all the same, which is what can still be moved.
            Counts(accepted=3, touched=1, invalid=1, deferred=2),
            Counts(accepted=2, unchanged=2),
            Counts(accepted=3, touched=1),
        ),
    ],
    ids=["rejects replaced", "earlier rejects", "taken twice", "removed in between"],
)
def test_what_others_do_between_the_passes_is_counted_once(
    first: Counts, last: Counts, told: Counts
) -> None:
    """The counts are those of the last listing, whoever replaced, took or removed what."""
    folded = fold([report(counts=first), report(1, counts=last)], listed_failures=20)

    assert told == folded.counts
    assert (last.listed, 10) == (folded.listed, folded.total_events)


def test_what_is_not_a_count_comes_from_the_pass_that_knows_it() -> None:
    """Beginnings from the first, results from the last, sums and unions over all."""
    reports = [
        report(
            0,
            unknown_fields={"a": 1, "b": 5},
            failed_files=(failed("x", "invalid"), failed("m", "unreadable")),
            warnings=("one",),
            new_events_by_study=(taken("adrc", 2), taken("leads", 1)),
        ),
        report(
            1,
            new_events_by_study=(taken("leads", 3),),
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
    assert (taken("leads", 4), taken("adrc", 2)) == folded.new_events_by_study


def test_one_pass_is_told_of_as_it_is() -> None:
    """Folding one report changes nothing."""
    only = report(3, counts=Counts(accepted=1, unchanged=2), unknown_fields={"b": 1, "a": 2})

    assert only == fold([only], listed_failures=20)


class Passes:
    """Passes that accept so many objects, leave so many, and find so many rows in the checkpoint.

    Remembers how long was waited before each.
    """

    def __init__(self, *passes: tuple[int, int, int]) -> None:
        self.waits_s: list[float] = []
        self._left = [
            report(number, counts=Counts(accepted=accepted, deferred=deferred), total_events=rows)
            for number, (accepted, deferred, rows) in enumerate(passes)
        ]

    @property
    def left(self) -> int:
        return len(self._left)

    def run(self, *, jitter: float = 1.0) -> RunReport:
        return run_until_complete(
            lambda: self._left.pop(0),
            listed_failures=20,
            pause=self.waits_s.append,
            jitter=lambda: jitter,
        )


def test_passes_are_made_until_nothing_is_left() -> None:
    """Those that take something follow each other at once."""
    passes = Passes((3, 2, 3), (1, 1, 4), (1, 0, 5), (9, 9, 9))

    folded = passes.run()

    assert 1 == passes.left
    assert folded.complete
    assert [] == passes.waits_s


@pytest.mark.parametrize(
    "others",
    [
        [(0, 5 - number, 3) for number in range(5)],
        [(0, 5, 4 + number) for number in range(20)],
    ],
    ids=["take what is left", "grow the checkpoint"],
)
def test_a_run_goes_on_while_others_do(others: list[tuple[int, int, int]]) -> None:
    """However long it takes none itself, it waits for its turn."""
    passes = Passes((3, 5, 3), *others, (1, 0, 30))

    folded = passes.run()

    assert folded.complete
    assert len(others) == len(passes.waits_s)


def test_five_passes_in_which_nothing_moves_end_in_an_error() -> None:
    """One that moves begins the count anew; the message says how many objects are left."""
    still = (0, 2, 3)
    passes = Passes((3, 2, 3), *[still] * 4, (1, 3, 4), still, *[still] * 4, (2, 0, 6))

    with pytest.raises(StalledError, match="2 objects are left, and in 5 passes in a row") as stop:
        passes.run()

    assert (2, 5, 1) == (stop.value.left, stop.value.passes, passes.left)


def test_going_back_and_forth_is_not_progress() -> None:
    """Only what was never reached before is; so it ends."""
    passes = Passes((3, 2, 3), *[(0, 3, 2), (0, 2, 3)] * 20)

    with pytest.raises(StalledError):
        passes.run()


@pytest.mark.parametrize(
    "jitter, waits_s",
    [
        (1.0, [0.5, 1, 2, 4, 8, 10, 10, 0.5]),
        (0.0, [0.25, 0.5, 1, 2, 4, 5, 5, 0.25]),
    ],
)
def test_passes_that_take_nothing_wait_longer_each_time(
    jitter: float, waits_s: list[float]
) -> None:
    """Between half as long and as long, by chance, so that runs do not keep in step."""
    empty = [(0, 20 - number, 3) for number in range(7)]
    passes = Passes(*empty, (1, 9, 4), (0, 8, 4), (1, 0, 5))

    passes.run(jitter=jitter)

    assert waits_s == passes.waits_s


def test_a_dry_run_is_one_pass() -> None:
    """The next would do the same for ever."""
    only = report(counts=Counts(accepted=1, deferred=4), dry_run=True)

    waits_s: list[float] = []

    folded = run_until_complete(
        lambda: only, listed_failures=20, pause=waits_s.append, jitter=lambda: 1.0
    )

    assert (only, []) == (folded, waits_s)


def test_it_goes_on_while_rows_are_upgraded() -> None:
    """Until none awaits it, or a pass leaves as many as the one before: those cannot be read now."""
    for waiting, passes in (([4, 2, 0], 3), ([4, 3, 3], 3), ([0], 1), ([2, 2], 2)):
        reports = iter(
            report(number, counts=Counts(unchanged=5, upgraded=1), awaiting_upgrade=each)
            for number, each in enumerate(waiting)
        )
        pauses: list[float] = []
        made: list[RunReport] = []

        def one_pass(reports: Any = reports, made: list[RunReport] = made) -> RunReport:
            made.append(next(reports))
            return made[-1]

        folded = run_until_complete(
            one_pass, listed_failures=5, pause=pauses.append, jitter=lambda: 0.5
        )

        assert len(made) == passes
        assert (folded.awaiting_upgrade, folded.counts.upgraded) == (waiting[-1], passes)
        assert pauses == []
