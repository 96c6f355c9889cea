"""Damaged, foreign and newer files: a clear error, and nothing is touched."""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from checkpoint_core import LAYOUT_VERSION, Settings
from checkpoint_format.errors import (
    CorruptCheckpointError,
    MissingLedgerError,
    NewerLayoutError,
    StorageError,
)
from tests.checkpoint_core.world import CHECKPOINT, LEDGERS, World, parquet, scratch


def two_commits(folder: Path, *, full_by_delta: int) -> World:
    """Return a world of two commits, which another object waits for.

    Their digests are lost: everything here must be noticed without, as in older layouts.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("checkpoint_format.ledger._FULL_BY_DELTA", full_by_delta)
        world = World(folder)
        world.write(1, 2, 3, 4)
        world.run(Settings(row_group_rows=2))
        world.write(5, 6)
        world.run(Settings(row_group_rows=2))
        world.write(7)
        world.lose_digests()
        return world


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, World]]:
    """Give such worlds, whose ledger is a full one or a delta."""
    with scratch() as folder:
        yield {
            "full": two_commits(folder, full_by_delta=16),
            "delta": two_commits(folder, full_by_delta=1),
        }


@pytest.fixture(params=["full", "delta"])
def pair(
    made: dict[str, World], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> World:
    """Give a copy of either."""
    if request.param == "delta":
        monkeypatch.setattr("checkpoint_format.ledger._FULL_BY_DELTA", 1)
    return made[request.param].copy()


@pytest.fixture
def full(made: dict[str, World]) -> World:
    """Give a copy of the one with a full ledger, where the ledger makes no difference."""
    return made["full"].copy()


def fails(
    world: World,
    match: str = "Nothing was changed",
    error: type[Exception] = CorruptCheckpointError,
) -> None:
    """Run; it must fail in this way and change nothing."""
    with world.untouched(error, match) as raised:
        world.run()
    assert str(raised.value).startswith(world.store.location)


def name_of(world: World, file: str) -> str:
    """Return the name of the checkpoint or of the ledger in force."""
    return CHECKPOINT if file == "checkpoint" else LEDGERS + world.ledger_name()


def with_damaged_pages(data: bytes, number: int) -> bytes:
    """Return a Parquet file of which one column's first compressed pages are overwritten."""
    damaged = bytearray(data)
    column = pq.read_metadata(io.BytesIO(data)).row_group(0).column(number)
    start = column.dictionary_page_offset or column.data_page_offset
    end = start + column.total_compressed_size
    damaged[start:end] = b"\xff" * (end - start)
    return bytes(damaged)


@pytest.mark.parametrize("file", ["checkpoint", "ledger"])
def test_a_truncated_file_is_noticed_wherever_it_ends(pair: World, file: str) -> None:
    """At thirty lengths, from nothing at all to one byte less than all."""
    name = name_of(pair, file)
    whole = pair.store.data(name)
    for length in sorted({len(whole) * part // 28 for part in range(28)} | {1, len(whole) - 1}):
        pair.store.write(name, whole[:length])
        fails(pair)


def test_a_missing_head_is_noticed_when_it_is_merged_with(full: World) -> None:
    """The footer is whole, so that loading cannot tell; polars even panics over some."""
    whole = full.store.data(CHECKPOINT)
    for length in [1, 4, 5, 50, 300, 1000, 2000]:
        full.store.write(CHECKPOINT, whole[length:])
        with pytest.raises(CorruptCheckpointError):
            full.run()
        assert full.store.data(CHECKPOINT) == whole[length:]
        assert full.problems()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PAR1",
        b"PAR1PAR1",
        b"PAR1\0\0\0\0PAR1",
        b"x" * 1000,
        *(b"PAR1" * 100 + n.to_bytes(4, "little") + b"PAR1" for n in (2**31 - 1, 2**32 - 1, 10**5)),
    ],
)
def test_what_is_no_parquet_file_is_refused(full: World, data: bytes) -> None:
    """An empty file is not the same as none; a footer longer than the file is not asked for again."""
    full.store.write(CHECKPOINT, data)

    fails(full, "is not a whole Parquet file")


@pytest.mark.parametrize("file", ["checkpoint", "ledger"])
def test_every_damaged_column_is_noticed(pair: World, file: str) -> None:
    """In whatever step of the run it is first read: when it is merged with, or looked at."""
    name = name_of(pair, file)
    data = pair.store.data(name)
    for column in range(pl.read_parquet(data).width):
        pair.store.write(name, with_damaged_pages(data, column))
        fails(pair)
        assert pair.problems()


@pytest.mark.parametrize(
    "answered",
    [
        lambda keys: keys[1:],
        lambda keys: [*keys, keys[0]],
        lambda keys: [*keys[1:], keys[1]],
        lambda _keys: [],
    ],
)
@pytest.mark.parametrize("mode", ["incremental", "rebuild"])
def test_a_source_that_loses_or_doubles_an_answer_is_refused(
    full: World, answered: Callable[[Sequence[str]], Sequence[str]], mode: str
) -> None:
    """A lost one would be missing in the numbers, and adoption would count on it."""
    full.write(8)
    full.source.reading_order = answered

    with full.untouched(StorageError, r"another number answered: \d\. Nothing"):
        full.run(mode=mode)


@pytest.mark.parametrize("mode", ["incremental", "rebuild"])
def test_a_listing_with_a_key_twice_is_refused(
    full: World, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Both would be read, and give a row each."""
    listed = full.source.list_objects(restore_states=False)
    doubled = pl.concat([listed, listed.tail(1)])
    monkeypatch.setattr(full.source, "list_objects", lambda **_asked: doubled)
    full.source.answers.clear()

    with full.untouched(StorageError, "the listing has a key more than once"):
        full.run(mode=mode)

    assert full.source.answers == []


@pytest.mark.parametrize(
    "file, said, problem",
    [
        ("checkpoint", {"rows": 7}, "Nothing was changed"),
        ("checkpoint", {"rows": 5}, "Nothing was changed"),
        ("checkpoint", {"adopted_rows": 1}, "Nothing was changed"),
        ("checkpoint", {"rows": "many"}, "Nothing was changed"),
        ("checkpoint", {"layout": None}, "Nothing was changed"),
        ("checkpoint", {"event_format": "0.9"}, "Nothing was changed"),
        ("checkpoint", {"lineage": None}, "Nothing was changed"),
        ("checkpoint", {"lineage": ["00000001-run0001"]}, "Nothing was changed"),
        ("checkpoint", {"generation": 7}, "Nothing was changed"),
        ("checkpoint", {"first_timestamp": "2024-01-15T09:59:59Z"}, "Nothing was changed"),
        ("checkpoint", {"rows": None}, r"makes no sense\. Nothing was changed"),
        ("ledger", {"objects": None}, r"makes no sense\. Nothing was changed"),
        ("ledger", {"full": "00000001-other"}, "is not upon (00000001-run0001|nothing)"),
        ("ledger", {"superseded_objects": 1}, "Nothing was changed"),
        ("ledger", {"superseded_versions": 1}, "Nothing was changed"),
        ("ledger", {"objects": 5}, "Nothing was changed"),
        ("ledger", {"layout": ""}, "Nothing was changed"),
        ("ledger", {"commit_id": "00000001-x"}, "its ledger belongs to commit 00000001-x, not 0"),
    ],
)
def test_a_pair_that_contradicts_itself_is_refused(
    pair: World, file: str, said: dict[str, Any], problem: str
) -> None:
    """Versions plus adopted rows are the number of rows; and metadata must be understood."""
    pair.rewrite(name_of(pair, file), **said)

    fails(pair, problem)


@pytest.mark.parametrize("file", ["checkpoint", "ledger"])
def test_a_newer_layout_is_refused(pair: World, file: str) -> None:
    """An older program must not guess what a newer one means."""
    pair.rewrite(name_of(pair, file), layout=LAYOUT_VERSION + 1, new="x")

    fails(pair, "layout 5 is newer than 4.*Upgrade before running again", NewerLayoutError)


def test_a_checkpoint_without_its_ledger_is_refused_with_the_ways_on(pair: World) -> None:
    """Copied without it, or restored from long ago; or another tool has written the rows alone."""
    name = name_of(pair, "ledger")
    del pair.store.files[name]
    fails(pair, f"its ledger, {name}, is gone.*--adopt.*--rebuild", MissingLedgerError)

    pair.store.write(CHECKPOINT, parquet(pair.store.rows()))

    fails(pair, "not written by this software.*--adopt.*--rebuild", MissingLedgerError)


@pytest.mark.parametrize(
    "change",
    [
        lambda ledger: ledger.head(-1),
        lambda ledger: pl.concat([ledger, ledger.head(1)]),
        lambda ledger: ledger.with_columns(versions=pl.lit(2, pl.Int32)),
        lambda ledger: ledger.with_columns(versions=pl.lit(1, pl.Int64)),
        lambda ledger: ledger.drop("digest"),
        lambda ledger: ledger.clear(),
    ],
)
def test_a_ledger_whose_rows_do_not_add_up_is_refused(
    pair: World, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    """Rows missing, doubled, of other types."""
    pair.rewrite(name_of(pair, "ledger"), change)

    fails(pair)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.head(5),
        lambda rows: pl.concat([rows, rows.tail(1)]),
        lambda rows: rows.drop("packet"),
        lambda rows: rows.rename({"packet": "pocket"}),
        lambda rows: rows.with_columns(pl.col("pipeline_adcid").cast(pl.Int64)),
        lambda rows: rows.with_columns(pl.col("timestamp").dt.replace_time_zone(None)),
        lambda rows: rows.with_columns(more=pl.lit(1)),
        lambda rows: rows.reverse(),
    ],
)
def test_rows_that_were_changed_by_hand_are_not_merged_with(
    full: World, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    """Some tool has kept the metadata and rewritten the rows."""
    for number in range(1, 7):
        full.write(number, timestamp=f"2024-01-15T10:00:0{number}Z")
    full.run()
    full.write(8)
    full.lose_digests()
    full.rewrite(CHECKPOINT, change)

    fails(full)
    assert full.problems()


@pytest.mark.parametrize("rows", [40, 300])
def test_a_footer_of_any_size_is_read_whole(world: World, rows: int) -> None:
    """Many row groups make it larger than what is read at first."""
    settings = Settings(row_group_rows=1)
    world.write(*range(rows))
    world.run(settings)
    world.write(rows)

    report = world.run(settings)

    looks = world.store.calls.count(f"read_tail {CHECKPOINT}")
    assert looks == (3 if rows == 300 else 2)
    footer = int.from_bytes(world.store.data(CHECKPOINT)[-8:-4], "little")
    assert (footer > 65_536) == (rows == 300)
    assert report.total_events == rows + 1
    assert world.problems() == []
