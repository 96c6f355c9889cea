"""The benchmarks measure what they say: a small one of each kind runs to its end."""

from pathlib import Path

import pytest

from benchmarks import judging, merging, reporting
from benchmarks.fitting import fitted
from benchmarks.measuring import Measurement, Spent, Target, in_rounds
from benchmarks.parts import PARTS, Found, Name
from benchmarks.s3 import growth, months, scheduled_runs
from benchmarks.s3.look_alike import Latency
from benchmarks.s3.scheduled_runs import Sizes
from benchmarks.s3.storing import COMMITS, HOURS, Commit, stored_bytes
from benchmarks.showing import show
from benchmarks.starts import cold_starts

pytestmark = pytest.mark.on_one_python
_AT_ONCE = Latency(get_ms=0, list_ms=0)


def test_what_counts_is_the_median_of_all_rounds() -> None:
    """Of each way of doing it, each number by itself, also those of stages."""
    rounds = iter([(3.0, 1.0), (9.0, 4.0), (5.0, 2.0)])

    def one_round() -> list[Measurement]:
        seconds, wall_s = next(rounds)
        stages = {"read": Spent(wall_s, 0.0)}
        slow = Measurement(what="it", how="slowly", items=7, seconds=seconds, stages=stages)
        return [slow, Measurement(what="it", how="at once", items=7, seconds=1.0)]

    slow, at_once = in_rounds(3, one_round)

    assert (slow.seconds, slow.items, slow.stages["read"].wall_s) == (5.0, 7, 2.0)
    assert (at_once.seconds, at_once.peak_mb) == (1.0, None)


def test_a_line_says_where_a_limit_is_reached() -> None:
    """By least squares; the point that is farthest off tells how good it is."""
    line = fitted([(1, 12), (2, 14), (3, 16)])

    assert (line.start, line.slope, line.residual) == pytest.approx((10, 2, 0))
    assert line.reaches(30) == pytest.approx(10)
    assert fitted([(0, 0), (1, 3), (2, 0)]).residual == pytest.approx(2)


def test_every_target_is_told_and_why_it_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    """What is reached needs no reason."""
    missed = Target(what="one", value=3.0, at_least=10, reason="load 2.00 (1.00) s")
    reached = Target(what="other", value=3.0, at_most=10, reason="merge 1.00 (1.00) s")

    show(Found(targets=[missed, reached]), as_markdown=False)

    told = capsys.readouterr().out
    assert "at least 10" in told
    assert "at most 10" in told
    assert "not reached: one: load 2.00 (1.00) s" in told
    assert "merge" not in told


def test_every_part_can_be_measured_by_its_name() -> None:
    """And those that take long are none of the usual run."""
    assert list(PARTS) == list(Name)
    assert [name for name in PARTS if PARTS[name].takes_long] == ["growth", "month"]


def test_judging_and_merging_are_measured_side_by_side() -> None:
    """Each way of doing it took some time, and has its ratio to the first."""
    found = judging.measure(50, 1) + merging.measure(200, 10, 1)

    assert all(each.seconds > 0 and each.ratio is not None for each in found)
    assert {each.what for each in found} == {"bytes to columns", "10 rows into 200"}


def test_a_run_tells_where_its_time_went() -> None:
    """Each way reads the new objects, and each of the targets has its reason in numbers."""
    sizes = Sizes(known=40, new=4, in_use=0, shared=2, in_sequence=0, bare=[(128, None)])

    found, targets = scheduled_runs.measure(sizes, _AT_ONCE, 1, None)

    ours = [each for each in found if each.stages]
    assert [each.how for each in ours] == [
        "ours, these alone listed, rows 44",
        "ours, among 44 listed, rows 44",
        "ours, among 44 listed, rows 44",
    ]
    for each in ours:
        stages = [spent.wall_s for name, spent in each.stages.items() if name != "start"]
        assert sum(stages) == pytest.approx(each.seconds, abs=0.1)
    assert [each.at_least for each in targets] == [10, 0.7, 0.36]
    assert all("read" in each.reason and "merge" in each.reason for each in targets)


def test_growth_is_what_the_function_takes_at_a_size() -> None:
    """Known objects are listed, and none of them is read."""
    grown, targets = growth.measure([200], 3, _AT_ONCE, 1)

    (only,) = grown.sizes
    assert (only.known, only.new) == (200, 3)
    assert 3 < only.requests < 30
    assert only.written_mb > 0
    assert only.disk_mb >= 0
    assert (grown.lines, grown.told()) == ({}, [])
    assert [each.at_most for each in targets] == [300, 10_240]


def test_a_function_that_is_too_small_refuses() -> None:
    """Ten million listed objects fit into the largest, by what it reckons with; a hundred do not."""
    assert 10_000_000 < growth.refused_from() < 100_000_000


def test_old_versions_are_stored_as_long_as_the_stack_keeps_them() -> None:
    """A replaced one for thirty days and to midnight, a ledger until it is deleted and then so long."""
    replaced = [Commit(replacing_bytes=HOURS, adding_bytes=0)] * len(COMMITS)
    added = [Commit(replacing_bytes=0, adding_bytes=HOURS)] * len(COMMITS)

    assert len(COMMITS) == 220
    # Each is there for some more than a month, or than two months; in the first, for half of it.
    assert 220 * HOURS < stored_bytes(replaced, 3) < 1.05 * 220 * HOURS
    assert 2 * 220 * HOURS < stored_bytes(added, 3) < 2.05 * 220 * HOURS
    assert 0.45 * 220 * HOURS < stored_bytes(replaced, 0) < 0.55 * 220 * HOURS
    assert stored_bytes(replaced, 0) == stored_bytes(added, 0)
    assert stored_bytes(added, 3) == stored_bytes(added, 4)


def test_a_month_is_counted_from_runs_that_were_made() -> None:
    """Quiet runs list and write nothing; each commit reads what is new and writes its files."""
    ours, in_use = months.measure(6_700, _AT_ONCE, commits=2, rounds=1)

    assert (ours.new, in_use.new) == (1, 1)
    # Seven pages each; a new object of each of 220 commits, and the file of the system in use.
    assert in_use.lists == 7 * 720
    assert ours.lists >= 7 * 720
    assert in_use.gets == 720 + 220
    assert ours.gets >= 220
    assert ours.puts % 220 == 0
    assert ours.stored_bytes > ours.first_bytes > in_use.stored_bytes > 0
    assert ours.dollars > 0
    assert [line.count("|") for line in months.markdown([ours, in_use])] == [12] * 4


def test_questions_and_exports_are_asked_as_analysts_do() -> None:
    """As processes; there are targets where the number of events has some."""
    found, targets = reporting.measure(
        300, 1, months=[], questions=["lateness"], kinds=["submissions"]
    )

    assert [each.how for each in found] == ["question lateness", "export of submissions"]
    assert all(each.seconds > 0 and each.peak_mb for each in found)
    assert targets == []


def test_a_cold_start_is_watched_to_its_first_byte_and_to_its_end(tmp_path: Path) -> None:
    """Of this tree, where nothing is built; and what takes longest to import comes first."""
    found, imported, remarks = cold_starts.measure(tmp_path, _AT_ONCE, 1, objects=20)

    first_byte, end = found
    assert 0 < first_byte.seconds
    assert 0 < end.stages["start"].wall_s < end.seconds
    assert len(imported) == 10
    assert imported == sorted(imported, key=lambda each: -each.own_ms)
    assert len(remarks) == 1
