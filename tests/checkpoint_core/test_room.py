"""What a run will need is known before it starts."""

from pathlib import Path

import pytest

from checkpoint_core.room import RoomObserver, TooSmallError

GIB = 1024**3
MIB = 1024**2
PLENTY = 1000 * GIB


def look(
    *,
    listed: int,
    selected: int = 0,
    largest_bytes: int = 400,
    held_bytes: int = 0,
    rows: int = 0,
    memory_bytes: int | None = 3008 * MIB,
    free_bytes: int = 2 * GIB,
) -> None:
    """Let a run of this size come by, up to the beginning of its reading."""
    room = RoomObserver(
        Path("/tmp/run"),
        memory_bytes=memory_bytes,
        max_events=2_000_000,
        bytes_held=lambda _largest_bytes: held_bytes,
        free_bytes=lambda _folder: free_bytes,
    )
    with room.stage("load"):
        if rows:
            # As measured: snappy, and the ledger's zstd.
            room.note(checkpoint_bytes=rows * 17)
            room.note(ledger_bytes=rows * 35)
    with room.stage("list"):
        room.note(objects=listed, size_bytes=listed * 400)
    with room.stage("read"):
        room.note(selected=selected, largest_bytes=largest_bytes)
        # What comes later tells nothing new.
        room.note(size_bytes=selected * 400)


@pytest.mark.parametrize(
    "sizes",
    [
        {"listed": 2_000_000, "rows": 2_000_000},
        {"listed": 2_000_000, "rows": 2_000_000, "selected": 100_000},
        {"listed": 2_000_000, "selected": 2_000_000},
        {"listed": 0},
    ],
)
def test_two_million_objects_fit_the_function(sizes: dict[str, int]) -> None:
    """3,008 MB and 2 GB of disk are enough; nothing new, some new, all new."""
    look(**sizes)


def test_many_more_objects_do_not() -> None:
    """It is known after the listing, and says what is needed and what to do."""
    with pytest.raises(
        TooSmallError, match=r"memory: this run needs about 4462 MiB, and there are"
    ):
        look(listed=10_000_000, rows=10_000_000)


def test_only_as_many_events_count_as_one_run_takes() -> None:
    """The limit is what an operator can lower."""
    look(listed=2_000_000, selected=50_000_000, memory_bytes=3008 * MIB)
    with pytest.raises(TooSmallError, match=r"set MAX_EVENTS_PER_RUN lower"):
        look(listed=2_000_000, selected=2_000_000, memory_bytes=2 * GIB)


@pytest.mark.parametrize(
    "largest_bytes, held_bytes, needed_mib",
    [
        (400, 384 * 400, 0),
        (16_384, 384 * 16_384, 30),
        (MIB, 64 * MIB, 5 * 64),
        (10_000, 129 * 10_000, 7),
        (200 * MIB, 200 * MIB, 400),
    ],
)
def test_the_largest_contents_that_are_held_at_once_count(
    largest_bytes: int, held_bytes: int, needed_mib: int
) -> None:
    """As many as the reader holds; several copies of each, or two of one that is larger."""
    base_mib = 170
    sizes = {"listed": 0, "largest_bytes": largest_bytes, "held_bytes": held_bytes}
    look(**sizes, memory_bytes=(base_mib + needed_mib + 1) * MIB)
    if needed_mib:
        with pytest.raises(
            TooSmallError, match=r"set MAX_OBJECT_SIZE_BYTES lower, .* of \d+ MiB\."
        ):
            look(**sizes, memory_bytes=(base_mib + needed_mib - 1) * MIB)


def test_both_checkpoints_and_ledgers_must_fit_the_disk() -> None:
    """The one in force stays until the next is whole."""
    rows = 10_000_000
    needed = rows * (2 * 17 + 35) + 16 * MIB
    look(listed=1, rows=rows, free_bytes=needed)
    with pytest.raises(TooSmallError, match=r"/tmp: .* more ephemeral storage\.") as caught:
        look(listed=1, rows=rows, free_bytes=needed - 1)

    assert (needed, needed - 1) == (caught.value.needed_bytes, caught.value.available_bytes)


def test_memory_that_is_not_known_is_not_looked_at() -> None:
    """Outside Lambda nobody says how much there is."""
    look(listed=50_000_000, memory_bytes=None, free_bytes=PLENTY)
