"""Parts that take about equally long, and ranges of rows in order."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_core.readers import ARRIVAL
from checkpoint_spark._dealing import deal
from checkpoint_spark._room import available_bytes
from checkpoint_spark._staging import Staging
from checkpoint_spark._tasks import begin_ranges, decoded, encoded, split
from checkpoint_spark._watching import DriverObserver
from checkpoint_spark.errors import DriverTooSmallError

LIMIT = 1_048_576
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SIZES = st.lists(st.sampled_from([0, 400, 60_000, 900_000, 50_000_000]), min_size=1, max_size=3_000)
ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=60)


def weight(sizes: pl.Series) -> float:
    """Return how much work objects of these sizes are, in requests."""
    return float((1 + sizes.clip(upper_bound=LIMIT) / 65_536).sum())


@given(SIZES, st.integers(1, 64))
def test_parts_are_the_portion_in_its_order_and_of_about_the_same_work(
    sizes: list[int], cores: int
) -> None:
    """No part has more than its share and one object; there are enough for the cores."""
    portion = pl.DataFrame({"size": sizes}).with_row_index("number")

    parts = deal(portion, cores=cores, max_object_size_bytes=LIMIT)

    total = weight(portion["size"])
    wanted = max(1, min(2 * cores, math.ceil(total / 500)), math.ceil(total / 25_000))
    assert pl.concat(parts).equals(portion)
    assert all(part.height for part in parts)
    assert len(parts) <= wanted
    assert max(weight(part["size"]) for part in parts) <= total / wanted + weight(
        pl.Series([LIMIT])
    )


@given(ROWS, st.integers(1, 5), st.data())
def test_ranges_one_after_the_other_are_all_rows_in_order(
    times: list[tuple[int, int]], every: int, data: st.DataObject
) -> None:
    """Also of rows with equal times, and wherever the bounds are taken from."""
    rows = pl.DataFrame(
        {
            "timestamp": [EPOCH + timedelta(seconds=event) for event, _ in times],
            "last_modified": [EPOCH + timedelta(seconds=written) for _, written in times],
            "key": [f"{number:03d}" for number in range(len(times))],
        },
        schema_overrides=dict.fromkeys(("timestamp", "last_modified"), pl.Datetime("us", "UTC")),
    ).with_columns(more=pl.lit("x"))
    samples = rows.sample(fraction=0.5, seed=1).select(ARRIVAL).rows()
    bounds = begin_ranges(samples, every=every)
    cut = data.draw(st.integers(0, len(times)))
    ranges: dict[int, list[pl.DataFrame]] = {}
    with pytest.MonkeyPatch.context() as patch:
        staged = {"a": rows[:cut].sort(*ARRIVAL), "b": rows[cut:].sort(*ARRIVAL)}
        patch.setattr(Staging, "get", lambda _self, name: staged[name])
        for number, part in split(Staging(checkpoint="", run=""), bounds, staged):
            ranges.setdefault(number, []).append(decoded(part))

    inside = [pl.concat(ranges[number]).sort(*ARRIVAL) for number in sorted(ranges)]
    assert pl.concat(inside).equals(rows.sort(*ARRIVAL))


def test_frames_keep_their_types_on_the_way() -> None:
    """Empty ones too."""
    frame = pl.DataFrame({"digest": [b"x", None], "at": [EPOCH, None], "is": [True, None]})

    assert decoded(encoded(frame)).equals(frame)
    assert decoded(encoded(frame.clear())).schema == frame.schema


@pytest.mark.parametrize(
    "selected, max_events, compares, fits",
    [
        (1_000_000, 100_000_000, False, True),
        (9_000_000, 100_000_000, False, False),
        (9_000_000, 1_000_000, False, True),
        (2_000_000, None, True, False),
    ],
)
def test_a_pass_that_the_driver_is_too_small_for_is_refused_before_it_reads(
    selected: int, max_events: int | None, *, compares: bool, fits: bool
) -> None:
    """With what it takes and what there is; a rewrite is whole, whatever the limit says."""
    observer = DriverObserver(
        lambda _line: None,
        max_events=max_events,
        compares=compares,
        available=lambda: 1_500_000_000,
    )
    with observer.stage("read"):
        if fits:
            observer.note(selected=selected, largest_bytes=400)
        else:
            with pytest.raises(DriverTooSmallError, match=r"1,430 MiB.*memoryOverhead"):
                observer.note(selected=selected, largest_bytes=400)


def test_a_pass_is_held_against_the_memory_before_it_has_rows_in_it() -> None:
    """What a run selected is told again at its end; where memory is not known, nothing is refused."""
    left = iter([1_500_000_000])
    observer = DriverObserver(
        lambda _line: None, max_events=None, compares=False, available=lambda: next(left)
    )
    with observer.stage("read"):
        observer.note(selected=1_000_000, largest_bytes=400)
        observer.note(selected=1_000_000, largest_bytes=400)
    unknown = DriverObserver(
        lambda _line: None, max_events=None, compares=False, available=lambda: None
    )
    with unknown.stage("read"):
        unknown.note(selected=10**12, largest_bytes=400)


def test_what_a_container_keeps_of_files_is_memory_that_is_left(tmp_path: Path) -> None:
    """Its kernel gives it up when somebody needs it; and no container may use more than there is."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000 kB\nMemAvailable: 8000 kB\n")
    (tmp_path / "memory.max").write_text("5000000\n")
    (tmp_path / "memory.current").write_text("4000000\n")
    (tmp_path / "memory.stat").write_text("anon 1000000\ninactive_file 2500000\n")

    assert available_bytes(meminfo, tmp_path) == 3_500_000
    assert available_bytes(meminfo, tmp_path / "none") == 8_192_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available_bytes(meminfo, tmp_path) == 8_192_000
    assert available_bytes(tmp_path / "none", tmp_path) is None
