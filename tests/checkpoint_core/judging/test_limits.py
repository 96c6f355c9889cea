"""Limits of a run, settings, requests, and what a run with nothing to do does."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from msgspec import structs
from typing_extensions import override

from checkpoint_core import Content, ReadFailure, Settings, StorageError
from checkpoint_core.errors import NoProgressError
from tests.checkpoint_core.watching import Watcher
from tests.checkpoint_core.world import SETTINGS, World, document, key


def until_read(world: World, count: int) -> Callable[[], float]:
    """Return a function that says that there is time until so many more objects are read."""
    before = len(world.source.answers)
    reserve_s = SETTINGS.reserve_s
    return lambda: reserve_s + (len(world.source.answers) - before < count)


def test_a_run_stops_at_its_event_limit_and_the_next_goes_on(world: World) -> None:
    """The oldest names first; until it is complete."""
    world.write(5, 3, 1, 4, 2)
    world.spoil(0)
    settings = Settings(max_events_per_run=2)

    reports = [world.run(settings) for _ in range(4)]

    assert [report.counts.accepted for report in reports] == [2, 2, 1, 0]
    assert [report.counts.deferred for report in reports] == [3, 1, 0, 0]
    assert [report.complete for report in reports] == [False, False, True, True]
    assert [report.listed for report in reports] == [6] * 4
    assert world.source.reads[:3] == [key(1), key(0), key(2)]
    assert sorted(world.source.reads) == sorted(world.source.objects)


def test_only_accepted_events_count_for_the_limit(world: World) -> None:
    """A heap of broken objects must not stop the intake for good."""
    world.spoil(*range(5))
    world.write(8, 9)

    report = world.run(Settings(max_events_per_run=1, batch_objects=1))

    assert (report.counts.invalid, report.counts.accepted, report.counts.deferred) == (5, 1, 1)


def test_a_run_that_takes_nothing_because_of_time_fails(world: World) -> None:
    """It would never finish, and nobody would notice."""
    world.write(1, 2)
    host = world.host(remaining_s=until_read(world, 0))

    with world.untouched(NoProgressError, "2 objects are left") as raised:
        world.run(host=host)

    assert raised.value.left == 2


@pytest.mark.parametrize(
    "prepare, is_progress",
    [
        (lambda world: world.write(1), True),
        (lambda world: (world.commit_each(1), world.source.touch(key(1))), True),
        (lambda world: world.spoil(1), True),
        (lambda world: world.source.outcomes.update({key(1): "archived"}), True),
        (lambda world: world.source.outcomes.update({key(1): "unreadable"}), False),
        (lambda world: world.source.outcomes.update({key(1): "denied"}), False),
    ],
)
def test_progress_is_what_the_next_run_need_not_do_again(
    world: World, prepare: Callable[[World], None], *, is_progress: bool
) -> None:
    """What could not be read will be read again, so it is none."""
    world.write(1)
    prepare(world)
    world.write(2)
    host = world.host(remaining_s=until_read(world, 1))

    if is_progress:
        assert world.run(Settings(batch_objects=1), host=host).counts.deferred == 1
    else:
        with pytest.raises(NoProgressError, match="1 objects are left"):
            world.run(Settings(batch_objects=1), host=host)


@pytest.mark.parametrize("mode", ["adopt", "rebuild"])
def test_a_rewrite_is_whole_or_fails(world: World, mode: str) -> None:
    """No event limit holds for it, and half of it is of no use."""
    world.write(1, 2, 3)
    world.run()
    if mode == "adopt":
        world.lose_ledgers()
    settings = Settings(max_events_per_run=1, batch_objects=1)
    with pytest.raises(NoProgressError, match="1 objects are left"):
        world.run(settings, mode=mode, host=world.host(until_read(world, 2)))

    report = world.run(settings, mode=mode)

    assert (report.total_events, report.counts.deferred) == (3, 0)


def test_a_listing_that_fails_fails_the_run(world: World) -> None:
    """Before anything is read."""
    world.write(1)
    world.source.listing_error = StorageError("the listing broke off")

    with world.untouched(StorageError, "broke off"):
        world.run()

    assert world.source.reads == []


def test_events_from_the_future_are_taken_and_counted(world: World) -> None:
    """A tolerance allows for clocks that differ."""
    world.clock.current = datetime(2026, 1, 1, tzinfo=UTC)
    for number, time in enumerate(["00:30:00", "01:00:01", "01:00:02", "23:59:59"]):
        world.write(number, timestamp=f"2026-01-01T{time}Z")
    world.clock.current = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)

    report = world.run()

    assert report.started_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert (report.counts.accepted, report.future_dated) == (4, 3)
    assert world.run(Settings(future_tolerance_s=0)).future_dated == 0


def test_failures_are_listed_up_to_a_limit(world: World) -> None:
    """The first by key; the counts say how many there are."""
    world.spoil(*range(9))
    for number in range(9):
        world.source.write(f"readme-{number}.txt", b"")

    report = world.run(Settings(listed_failures=2))

    reason = "action: required field is missing"
    assert [(each.key, each.outcome, each.reason) for each in report.failed_files] == [
        (key(0), "invalid", reason),
        (key(1), "invalid", reason),
    ]
    assert report.unrecognized_examples == ("readme-0.txt", "readme-1.txt")
    assert (report.counts.invalid, report.counts.unrecognized) == (9, 9)


def test_an_observer_sees_the_stages_and_the_progress(world: World) -> None:
    """Now and then while reading, and at the end of each batch."""
    world.write(*range(1200))
    watcher = Watcher()
    largest = max(len(content.data) for content in world.source.objects.values())

    world.run(Settings(batch_objects=1100), host=world.host(observer=watcher))

    assert watcher.told == [
        *("begin load", "end load", "begin list", "end list", "begin validate", "begin read"),
        f"selected=1200 largest_bytes={largest}",
        *("500 of 1200", "1000 of 1200", "1100 of 1200", "1200 of 1200", "end read"),
        *("accepted=1200 touched=0 rejected=0", "end validate"),
        *("begin merge", "end merge", "begin commit", "end commit"),
    ]


def test_a_report_says_how_long_the_run_took(world: World) -> None:
    """The clock of these tests moves a second each time that it is asked."""
    world.write(1)
    report = world.run()

    assert report.execution_time_ms == 2000 + 1000 * len(world.store.files)
    assert (report.run_id, report.source) == ("run0001", world.source.location)
    assert not report.incremental
    assert world.run(SETTINGS).incremental


def test_a_source_may_answer_by_any_iterator(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all of them can be closed."""
    world.write(1, 2)
    read = world.source.read
    monkeypatch.setattr(world.source, "read", lambda *keys, **given: iter([*read(*keys, **given)]))

    assert world.run().counts.accepted == 2


def test_large_objects_are_not_all_in_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch ends where its objects might be too large together; one is always read."""
    monkeypatch.setattr("checkpoint_core.readers._BATCH_BYTES", 3_000)
    for number in range(10):
        world.source.write(key(number), document(gear_name=str(number)) + b" " * 1_000)
    world.source.write(key(20), document() + b" " * 4_000)
    asked: list[int] = []

    def ask(keys: Sequence[str]) -> Sequence[str]:
        asked.append(len(keys))
        return keys

    world.source.reading_order = ask

    report = world.run()

    assert report.counts.accepted == 11
    assert asked == [2, 2, 2, 2, 2, 1]


def test_what_was_judged_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of thousands of objects, none but the one at hand."""
    alive = Counter[str]()
    most = 0

    class Data(bytes):
        __slots__ = ()

        def __del__(self) -> None:
            alive["data"] -= 1

    world.write(*range(50))
    contents = {name: content.data for name, content in world.source.objects.items()}
    answer = world.source._answer

    def counted(name: str, limit: int) -> Content | ReadFailure:
        nonlocal most
        alive["data"] += 1
        most = max(most, alive["data"])
        found = answer(name, limit)
        assert isinstance(found, Content)
        return structs.replace(found, data=Data(contents[name]))

    monkeypatch.setattr(world.source, "_answer", counted)
    monkeypatch.setattr(world.source, "answers", Forgetting())

    assert world.run().counts.accepted == 50
    assert most <= 3


class Forgetting(list[Content | ReadFailure]):
    """A list that stays empty."""

    @override
    def append(self, _answer: Content | ReadFailure, /) -> None:
        """Forget it."""
