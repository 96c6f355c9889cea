"""What is read when the time is up is committed, whatever the rest does: on a clock of the test's."""

import heapq
import math
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from checkpoint_core import Content, ReadFailure, RunReport, Settings
from checkpoint_core.errors import NoProgressError
from checkpoint_format.stores import unlimited
from tests.checkpoint_core.memory import Clock, MemorySource
from tests.checkpoint_core.world import World, key, scratch

RESERVE_S = 60.0


class SlowSource(MemorySource):
    """A source that takes so many seconds for each key, and reads so many at a time.

    `seconds` is what has gone by. When the time is up nothing more comes; what has not answered by
    then is dropped, as the protocol has it. What never answers takes infinitely long.
    """

    def __init__(self, clock: Clock, *, at_once: int) -> None:
        super().__init__(clock)
        self.at_once = at_once
        self.seconds = 0.0
        self.takes_s: dict[str, float] = {}

    @override
    def read(
        self,
        keys: Sequence[str],
        *,
        max_size_bytes: int,
        remaining_s: Callable[[], float] = unlimited,
    ) -> Iterator[Content | ReadFailure]:
        waiting = list(keys)[::-1]
        busy: list[tuple[float, str]] = []
        while waiting or busy:
            while waiting and len(busy) < self.at_once:
                name = waiting.pop()
                heapq.heappush(busy, (self.seconds + self.takes_s[name], name))
            when, name = heapq.heappop(busy)
            if when - self.seconds >= remaining_s():
                while remaining_s() > 0:
                    self.seconds += max(remaining_s(), 1e-6)
                return
            self.seconds = when
            yield from super().read([name], max_size_bytes=max_size_bytes)


def slow_world(world: World, takes_s: Sequence[float], *, at_once: int) -> SlowSource:
    """Give the world a source with an object for each of these durations."""
    source = SlowSource(world.clock, at_once=at_once)
    world.source = source
    for number, each_s in enumerate(takes_s):
        world.write(number)
        source.takes_s[key(number)] = each_s
    return source


def time_for(source: SlowSource, seconds: float) -> Callable[[], float]:
    """Return a function that says what is left of so much time, and of the reserve, from now on."""
    end = source.seconds + seconds + RESERVE_S
    return lambda: end - source.seconds


def run_or_error(
    world: World, settings: Settings, remaining_s: Callable[[], float]
) -> RunReport | NoProgressError:
    """Run in the time that there is."""
    try:
        return world.run(settings, host=world.host(remaining_s))
    except NoProgressError as error:
        return error


@given(
    takes_s=st.lists(st.sampled_from([0.001, 0.3, 1.0, 1.7, 30.0, 600.0, math.inf]), max_size=15),
    at_once=st.integers(1, 8),
    batch=st.sampled_from([1, 3, 1000]),
    seconds=st.sampled_from([0.5, 2.0, 45.0, 840.0]),
)
def test_every_invocation_in_which_anything_answers_commits_it(
    takes_s: list[float], at_once: int, batch: int, seconds: float
) -> None:
    """However slow the source is: it ends with its reserve untouched, and the next goes on."""
    settings = Settings(batch_objects=batch, reserve_s=RESERVE_S)
    with scratch() as folder:
        world = World(folder)
        source = slow_world(world, takes_s, at_once=at_once)
        for _ in range(len(takes_s) + 1):
            remaining_s = time_for(source, seconds)
            before, read = world.store.rows().height, len(source.reads)
            report = run_or_error(world, settings, remaining_s)
            if isinstance(report, NoProgressError):
                # None of those that were asked for first answers in time; that is told.
                first = unread(source)[: min(at_once, batch)]
                assert len(source.reads) == read
                assert min(source.takes_s[name] for name in first) >= seconds
                assert report.unanswered == min(batch, report.left)
                break
            answered = len(source.reads) - read
            assert remaining_s() >= RESERVE_S - 0.001
            assert answered == report.counts.accepted
            assert world.store.rows().height == before + answered
            assert report.complete or answered
            if report.complete:
                break
        else:
            pytest.fail("every run took something, and there is still something left")

        assert world.store.rows().height == len(source.reads) == len(set(source.reads))


def unread(source: SlowSource) -> list[str]:
    """Return the keys of the objects that no run has read."""
    return sorted(set(source.objects) - set(source.reads))


def test_more_that_hang_than_are_read_at_once_fail_the_run_with_the_cause(world: World) -> None:
    """They come first in every run; nobody must believe that it only takes longer."""
    source = slow_world(world, [*[math.inf] * 4, 0.05], at_once=4)

    with pytest.raises(
        NoProgressError,
        match=r"because 5 that were asked for did not answer.*See why the source does not answer",
    ) as raised:
        world.run(host=world.host(time_for(source, 240.0)))

    assert (raised.value.left, raised.value.unanswered) == (5, 5)
    assert world.writes() == []
