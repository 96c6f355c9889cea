"""The benchmarks measure what they say: a small one of each kind runs to its end."""

import pytest

from benchmarks import judging, merging, months
from benchmarks.look_alike import Latency

pytestmark = pytest.mark.on_one_python


def test_judging_and_merging_are_measured_side_by_side() -> None:
    """Each way of doing it took some time, and has its ratio to the first."""
    found = judging.measure(50, 1) + merging.measure(200, 10, 1)

    assert all(each.seconds > 0 and each.ratio is not None for each in found)
    assert {each.what for each in found} == {"bytes to columns", "10 rows into 200"}


def test_a_month_is_counted_from_runs_that_were_made() -> None:
    """Quiet runs list and write nothing; each commit reads what is new and writes its files."""
    ours, in_use = months.measure(300, 20, Latency(get_ms=0, list_ms=0), commits=2, quiet=1)

    assert (ours.new, in_use.new) == (2, 2)
    # A page each, and what shows that it is whole; the two new objects of each of 220 commits.
    assert ours.lists >= 720
    assert ours.gets >= 440
    assert ours.puts % 220 == 0
    assert ours.kept_bytes > in_use.kept_bytes > 0
    assert ours.dollars > 0
