"""The order of the rows, and the merge that keeps it."""

import random
from datetime import timedelta
from operator import itemgetter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_core import Content, Settings
from checkpoint_core._judging.accepted import in_arrival_order
from checkpoint_format.layout import DamagedFileError
from checkpoint_format.merge import measure
from nacc_event_model import EventFormat
from tests.checkpoint_core.batches import judged, merged
from tests.checkpoint_core.memory import START
from tests.checkpoint_core.world import World, a_time, document, key, scratch

Arrival = tuple[int, int, str]
"""Second of the event, second of its object's last write, key."""

arrivals = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=40).map(
    lambda pairs: [(time, wrote, key(number)) for number, (time, wrote) in enumerate(pairs)]
)


def contents(batch: list[Arrival]) -> list[Content]:
    """Return objects as they were read; gear_name is the key, so that a row tells its object."""
    return [
        Content(
            key=name,
            data=document(gear_name=name, timestamp=f"2024-01-15T10:00:{time:02d}Z"),
            etag="e",
            last_modified=START + timedelta(seconds=wrote),
        )
        for time, wrote, name in batch
    ]


def merged_keys(batches: list[list[Arrival]], folder: Path, row_group_rows: int = 7) -> list[str]:
    """Merge batch after batch; return the keys in the order of the rows."""
    file = merged(
        [
            contents([(time, wrote, f"{number}/{name}") for time, wrote, name in batch])
            for number, batch in enumerate(batches)
        ],
        folder,
        Settings(row_group_rows=row_group_rows),
    )
    assert measure(file, EventFormat.V1_0).count == sum(map(len, batches))
    keys: list[str] = pl.read_parquet(file)["gear_name"].to_list()
    return keys


@given(st.lists(arrivals, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_is_that_of_a_stable_sort(
    batches: list[list[Arrival]], shuffler: random.Random
) -> None:
    """By time; then earlier commits first; within one by last write, then key. Reading order: no.

    Held against Python's sort, which is stable.
    """
    expected = sorted(
        (
            (time, number, wrote, f"{number}/{name}")
            for number, batch in enumerate(batches)
            for time, wrote, name in batch
        )
    )
    for batch in batches:
        shuffler.shuffle(batch)

    with scratch() as folder:
        assert merged_keys(batches, folder) == [name for *_, name in expected]


def test_many_ties_over_many_row_groups_keep_the_order(tmp_path: Path) -> None:
    """15,000 rows with eleven different times, in commits of different size."""
    generator = random.Random(0)
    sizes = [6_000, 1, 2_999, 6_000]
    batches = [
        [(generator.randrange(11), generator.randrange(5), f"{n:05d}") for n in range(size)]
        for size in sizes
    ]
    expected: list[tuple[int, str]] = []
    for number, batch in enumerate(batches):
        arrived = sorted(batch)
        expected += [(time, f"{number}/{name}") for time, _, name in arrived]
    expected.sort(key=itemgetter(0))

    assert merged_keys(batches, tmp_path, 300) == [name for _, name in expected]


@pytest.mark.parametrize(
    "changed, problem",
    [
        (pl.col("timestamp").reverse(), "not sorted"),
        (pl.lit(None, pl.Datetime("us", "UTC")).alias("timestamp"), "not sorted"),
        (pl.col("pipeline_adcid").cast(pl.Int64), "not those of event format 1.0"),
        (pl.col("timestamp").dt.cast_time_unit("ms"), "not those of event format 1.0"),
        (pl.lit("").alias("more"), "not those of event format 1.0"),
    ],
)
def test_rows_are_measured_with_suspicion(tmp_path: Path, changed: pl.Expr, problem: str) -> None:
    """Right columns, right types, every row with a time, in order."""
    file = tmp_path / "rows.parquet"
    rows = in_arrival_order(judged(contents([(0, 0, "a"), (1, 0, "b")]))).drop(
        "key", "digest", "etag", "size", "last_modified"
    )
    rows.with_columns(changed).write_parquet(file)

    with pytest.raises(DamagedFileError, match=problem):
        measure(file, EventFormat.V1_0)


def test_first_and_last_time_are_known_without_reading_the_rows(world: World) -> None:
    """They are in the metadata, and right after each merge."""
    world.write(1, timestamp="2024-01-15T10:00:00Z")
    first = world.run()
    world.write(2, timestamp="0001-01-01T00:00:00Z")
    world.write(3, timestamp="9999-12-31T23:59:59.999999Z")
    second = world.run()

    assert (first.first_timestamp, first.last_timestamp) == (a_time("2024-01-15T10:00:00Z"),) * 2
    assert second.first_timestamp == a_time("0001-01-01T00:00:00Z")
    assert second.last_timestamp == a_time("9999-12-31T23:59:59.999999Z")
    assert world.problems() == []
