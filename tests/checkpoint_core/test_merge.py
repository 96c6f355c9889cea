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
from checkpoint_core._committing.merge import in_arrival_order, measure
from checkpoint_core._files.layout import DamagedFileError
from checkpoint_core.errors import CorruptCheckpointError
from nacc_event_model import EventFormat
from tests.checkpoint_core.batches import judged, merged
from tests.checkpoint_core.memory import START
from tests.checkpoint_core.world import CHECKPOINT, World, a_time, document, key, scratch

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
    """50,000 rows with eleven different times, in commits of different size."""
    generator = random.Random(0)
    sizes = [20_000, 1, 9_999, 20_000]
    batches = [
        [(generator.randrange(11), generator.randrange(5), f"{n:05d}") for n in range(size)]
        for size in sizes
    ]
    expected: list[tuple[int, str]] = []
    for number, batch in enumerate(batches):
        arrived = sorted(batch)
        expected += [(time, f"{number}/{name}") for time, _, name in arrived]
    expected.sort(key=itemgetter(0))

    assert merged_keys(batches, tmp_path, 1000) == [name for _, name in expected]


def test_earlier_commits_come_first_among_equal_times(world: World) -> None:
    """Even where the later event's object was written earlier."""
    world.source.write(key(2), document(gear_name="first", timestamp="2024-01-15T10:00:00Z"))
    world.run()
    earlier = START - timedelta(days=1)
    for number, (name, hour) in enumerate([("late", 9), ("same", 10), ("after", 11)]):
        data = document(gear_name=name, timestamp=f"2024-01-15T{hour:02d}:00:00Z")
        world.source.write(key(10 - number), data, last_modified=earlier)

    world.run()

    assert world.gears() == ["late", "first", "same", "after"]


def test_within_a_run_the_time_of_writing_decides_and_then_the_key(world: World) -> None:
    """Names tell another order here."""
    for number, wrote in ((3, 5), (1, 9), (2, 5), (4, 1)):
        world.source.write(
            key(number), document(gear_name=f"{number}"), START + timedelta(seconds=wrote)
        )

    world.run()

    assert world.gears() == ["4", "2", "3", "1"]


def test_unsorted_rows_are_not_merged_with(world: World) -> None:
    """The merge itself would silently make rubbish of them."""
    world.write(1, timestamp="2024-01-15T10:00:00Z")
    world.write(2, timestamp="2024-01-15T11:00:00Z")
    world.run()
    pairs = pl.read_parquet_metadata(world.store.data(CHECKPOINT))
    file = world.workdir() / "unsorted.parquet"
    world.store.rows().reverse().write_parquet(
        file, metadata={name: text for name, text in pairs.items() if name.startswith("nacc")}
    )
    world.store.write(CHECKPOINT, file.read_bytes())
    world.lose_digests()
    world.write(3)

    with pytest.raises(CorruptCheckpointError, match="its rows are not sorted by timestamp"):
        world.run()
    assert "rows: its rows are not sorted by timestamp" in world.problems()


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


def test_going_to_format_1_1_adds_null_columns(world: World) -> None:
    """Old rows are not judged again, and stay where they are."""
    world.write(1)
    world.run()
    world.source.write(
        key(2), document(EventFormat.V1_1, gear_name="new", timestamp="2024-01-15T09:00:00Z")
    )

    world.run(Settings(event_format=EventFormat.V1_1))

    rows = world.store.rows()
    assert rows.columns[12:] == ["timestamp", "naccid", "modality"]
    assert list(rows.select("gear_name", "naccid", "modality").iter_rows()) == [
        ("new", "NACC000001", None),
        ("gear-1", None, None),
    ]
    assert world.metadata()["event_format"] == "1.1"
