"""From many threads to one iterator: every answer once, whatever is reserved for it."""

import threading
import time
from collections import Counter
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_lambda import _threaded_reading
from checkpoint_lambda._threaded_reading import Reserve, read_in_threads

LARGE = 20_000


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
        patch.setattr(_threaded_reading, "_RESERVABLE_BYTES", room)

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
    monkeypatch.setattr(_threaded_reading, "_RESERVABLE_BYTES", LARGE)
    reserved = {str(number): [LARGE] for number in range(40)}
    found: list[Counter[str]] = []
    taker = threading.Thread(
        target=lambda: found.append(handed_over(reserved, threads=1)), daemon=True
    )
    taker.start()
    taker.join(20)

    assert found == [Counter(reserved.keys())]


def test_after_closing_no_thread_begins_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finishes the one that it has; then there are none."""
    monkeypatch.setattr(_threaded_reading, "_MOST_IN_BATCH", 1)
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
