"""From many threads to one iterator: every answer once, whatever is reserved for it."""

import threading
import time
from collections import Counter
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_format.errors import StorageError
from checkpoint_storage import threaded_reading
from checkpoint_storage.threaded_reading import Reserve, most_bytes_held, read_in_threads

LARGE = 20_000
MIB = 1024**2


def handed_over(reserved: dict[str, list[int]], *, threads: int) -> Counter[str]:
    """Hand over an answer for each key, after reserving so many bytes so many times."""

    def read(key: str, reserve: Reserve) -> str:
        for size_bytes in reserved[key]:
            reserve(size_bytes)
        return key

    return Counter(read_in_threads(lambda: nullcontext(read), list(reserved), threads=threads))


@given(
    sizes=st.lists(st.lists(st.sampled_from([10, LARGE, 3 * LARGE]), max_size=2), max_size=60),
    threads=st.integers(1, 3),
    room=st.sampled_from([LARGE, 5 * LARGE]),
)
def test_each_key_is_answered_once(sizes: list[list[int]], threads: int, room: int) -> None:
    """In batches of any size, with a last one of any size; also when an object is asked twice."""
    reserved = {str(number): each for number, each in enumerate(sizes)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threaded_reading, "_RESERVABLE_BYTES", room)

        assert handed_over(reserved, threads=threads) == Counter(reserved.keys())


@pytest.mark.parametrize("count", [1, 5, 17, 129])
def test_the_last_batch_may_be_of_one(count: int) -> None:
    """One thread, whose batches have a fourth of the answers, or 32."""
    reserved: dict[str, list[int]] = {str(number): [] for number in range(count)}

    assert handed_over(reserved, threads=1) == Counter(reserved.keys())


def test_what_waits_for_room_does_not_hold_back_what_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The only thread's own answers take all the room that there is."""
    monkeypatch.setattr(threaded_reading, "_RESERVABLE_BYTES", LARGE)
    reserved = {str(number): [LARGE] for number in range(40)}
    found: list[Counter[str]] = []
    taker = threading.Thread(
        target=lambda: found.append(handed_over(reserved, threads=1)), daemon=True
    )
    taker.start()
    taker.join(20)

    assert found == [Counter(reserved.keys())]


@given(
    count=st.integers(1, 120),
    hanging=st.sets(st.integers(0, 119), max_size=5),
    threads=st.integers(1, 4),
)
def test_when_the_time_is_up_all_that_was_read_is_yielded_once(
    count: int, hanging: set[int], threads: int
) -> None:
    """Also from the batches that a thread is in the midst of; what comes later is dropped."""
    read_so_far: list[str] = []
    go_on = threading.Event()

    def read(key: str, _reserve: Reserve) -> str:
        if int(key) in hanging:
            go_on.wait()
            return key
        read_so_far.append(key)
        return key

    def remaining_s() -> float:
        # Time is up when nothing more can come, because every thread hangs or is done.
        stuck = sorted(hanging & set(range(count)))
        reachable = stuck[threads - 1] if len(stuck) >= threads else count
        expected = reachable - sum(number < reachable for number in stuck)
        return 0.01 if len(read_so_far) < expected else 0.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threaded_reading, "_LONGEST_FAREWELL_S", 0.01)
        threads_before = threading.active_count()
        answers = list(
            read_in_threads(
                lambda: nullcontext(read),
                [str(number) for number in range(count)],
                threads=threads,
                remaining_s=remaining_s,
            )
        )
        go_on.set()

    # The last of them may have been read and not yet be in its batch when the time was up.
    assert Counter(set(answers)) == Counter(answers)
    assert set(answers) <= set(read_so_far)
    assert len(read_so_far) - len(answers) <= threads
    while threading.active_count() > threads_before:
        time.sleep(0.001)


def test_what_waits_for_room_ends_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody makes room any more."""
    monkeypatch.setattr(threaded_reading, "_RESERVABLE_BYTES", LARGE)
    both = threading.Barrier(3)

    def read(key: str, reserve: Reserve) -> str:
        both.wait()
        reserve(LARGE)
        return key

    times = iter([1.0])
    answers = read_in_threads(
        lambda: nullcontext(read), ["0", "1"], threads=2, remaining_s=lambda: next(times, 0.0)
    )
    taker = threading.Thread(target=lambda: list(answers))
    taker.start()
    both.wait()
    taker.join(20)

    assert not taker.is_alive()
    assert not [each for each in threading.enumerate() if each.name.startswith("reading-")]


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_as_many_threads_read_as_the_system_allows(
    monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    """Of the eight that were wanted; without any the run fails, and says why."""
    start = threading.Thread.start
    permits = threading.Semaphore(allowed)

    def start_if_allowed(thread: threading.Thread) -> None:
        if not permits.acquire(blocking=False):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_if_allowed)
    reserved: dict[str, list[int]] = {str(number): [] for number in range(100)}

    if allowed:
        assert handed_over(reserved, threads=8) == Counter(reserved.keys())
    else:
        with pytest.raises(StorageError, match="the system allows no further thread"):
            handed_over(reserved, threads=8)


def test_nobody_asks_again_after_the_end() -> None:
    """Whoever comes back from a pause is told by what reserves."""
    go_on, ended = threading.Event(), threading.Event()
    told: list[str] = []

    def read(key: str, reserve: Reserve) -> str:
        go_on.wait()
        try:
            reserve(0)
        except Exception as error:
            told.append(type(error).__name__)
            raise
        finally:
            ended.set()
        return key

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threaded_reading, "_LONGEST_FAREWELL_S", 0.01)
        nothing = list(
            read_in_threads(lambda: nullcontext(read), ["0"], threads=1, remaining_s=lambda: 0.0)
        )
        go_on.set()
        ended.wait(20)

    assert ([], ["_ClosedError"]) == (nothing, told)


def test_a_slow_taker_holds_the_readers_up() -> None:
    """What was asked for and not taken is bounded."""
    asked: list[str] = []

    def read(key: str, _reserve: Reserve) -> str:
        asked.append(key)
        return key

    keys = [str(number) for number in range(10_000)]
    answers = read_in_threads(lambda: nullcontext(read), keys, threads=8)
    next(answers)
    before = -1
    while before != (before := len(asked)):
        time.sleep(0.1)

    assert before < 5000
    assert 9999 == len(list(answers))


def test_after_closing_no_thread_begins_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finishes the one that it has; then there are none."""
    monkeypatch.setattr(threaded_reading, "_MOST_IN_BATCH", 1)
    asked: list[str] = []
    go_on = threading.Event()

    def read(key: str, _reserve: Reserve) -> str:
        asked.append(key)
        if key != "0":
            go_on.wait()
        return key

    answers = read_in_threads(
        lambda: nullcontext(read), [str(number) for number in range(1000)], threads=2
    )
    assert next(answers) == "0"
    while len(asked) < 3:
        time.sleep(0.01)
    threading.Timer(0.1, go_on.set).start()
    answers.close()  # type: ignore[attr-defined] # it is a generator

    assert asked == ["0", "1", "2"]
    assert not [each for each in threading.enumerate() if each.name.startswith("reading-")]


@pytest.mark.parametrize(
    "largest_bytes, threads, held",
    [(400, 256, 384), (16_384, 256, 384), (MIB, 1, 64), (MIB, 1024, 64), (200 * MIB, 1, 1)],
)
def test_how_many_of_the_largest_are_held_at_once_is_known(
    largest_bytes: int, threads: int, held: int
) -> None:
    """64 MiB at a time, or one that is larger; where they are small, some for each thread."""
    assert held * largest_bytes == most_bytes_held(largest_bytes, threads=threads)
