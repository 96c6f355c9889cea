"""Under a newer event format, rows that were taken under an older one are given its columns."""

from collections import Counter
from typing import Any, NoReturn

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec import structs

from checkpoint_format.stores import FailureOutcome
from nacc_event_model import EventFormat, InvalidEvent
from tests.checkpoint_core.foreign import frame, put
from tests.checkpoint_core.scenarios import before_an_upgrade
from tests.checkpoint_core.watching import Watcher
from tests.checkpoint_core.world import (
    CHECKPOINT,
    LEDGERS,
    V11,
    World,
    document,
    key,
    row,
    scratch,
    without_nulls,
)

TWO = structs.replace(V11, max_events_per_run=2, batch_objects=1)


def write(world: World, *numbers: int, **changed: Any) -> None:
    """Write events that have more than format 1.0 knows, told apart by their naccid."""
    for number in numbers:
        fields = {"naccid": f"NACC{number:06d}"} | changed
        world.source.write(key(number), document(EventFormat.V1_1, **fields))


def naccids(world: World) -> list[str | None]:
    """Return what the rows have in a column of format 1.1, in their order."""
    return world.store.rows()["naccid"].to_list()


def formats(world: World) -> list[str | None]:
    """Return the ledger's event formats, in the order of keys."""
    return world.ledger()["event_format"].to_list()


@pytest.fixture
def taken(world: World) -> World:
    """Give a world whose five objects were taken under format 1.0, each at another time."""
    before_an_upgrade(world)
    return world


def test_rows_are_filled_in_place(taken: World) -> None:
    """Every readable object's values are in its row, nothing is added, and then there is peace."""
    before = taken.store.rows()

    report = taken.run(V11)

    after = taken.store.rows()
    assert after.drop("naccid", "modality").equals(before)
    assert naccids(taken) == [f"NACC{number:06d}" for number in range(1, 6)]
    assert (report.counts.upgraded, report.counts.unchanged, report.counts.accepted) == (5, 0, 0)
    assert (report.complete, report.awaiting_upgrade, report.total_events) == (True, 0, 5)
    assert set(formats(taken)) == {"1.1"}
    assert taken.ledger()["versions"].to_list() == [1] * 5
    assert taken.problems(V11, source=True) == []

    writes, reads = taken.writes(), taken.source.reads
    again = taken.run(V11)

    assert (again.counts.unchanged, again.commit_id) == (5, None)
    assert (taken.writes(), taken.source.reads) == (writes, reads)


def test_portions_are_what_a_run_has_left(taken: World) -> None:
    """New events come first, all of them; what waits is unchanged, and makes no run incomplete."""
    write(taken, 6, 7, 8)

    reports = [taken.run(TWO) for _ in range(5)]

    assert [each.counts.accepted for each in reports] == [2, 1, 0, 0, 0]
    assert [each.counts.deferred for each in reports] == [1, 0, 0, 0, 0]
    assert [each.complete for each in reports] == [False, True, True, True, True]
    assert [each.counts.upgraded for each in reports] == [0, 1, 2, 2, 0]
    assert [each.counts.unchanged for each in reports] == [5, 6, 6, 6, 8]
    assert [each.awaiting_upgrade for each in reports] == [5, 4, 2, 0, 0]
    assert None not in naccids(taken)


def test_a_run_that_has_no_time_for_it_leaves_it(taken: World) -> None:
    """Nothing of it is work left over, so it neither fails nor is incomplete."""
    report = taken.run(V11, host=taken.host(remaining_s=lambda: 1.0))

    assert (report.complete, report.awaiting_upgrade, report.counts.unchanged) == (True, 5, 5)
    assert taken.source.reads == [key(number) for number in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize("is_first_gone", [False, True])
def test_equal_old_columns_with_different_new_ones(world: World, *, is_first_gone: bool) -> None:
    """Each of the two objects fills a row, the last written one the last, also where it is alone."""
    write(world, 1, 2)
    world.run()
    if is_first_gone:
        world.source.delete(key(1))

    world.run(V11)

    assert naccids(world) == [None if is_first_gone else "NACC000001", "NACC000002"]


@pytest.mark.parametrize(
    "outcome, awaiting, reads",
    [("archived", 0, 5), ("missing", 0, 5), ("unreadable", 1, 6), ("denied", 1, 6)],
)
def test_what_cannot_be_read_is_no_reject(
    taken: World, outcome: FailureOutcome, awaiting: int, reads: int
) -> None:
    """Settled where it will not come back, and otherwise tried again; unchanged in any case."""
    taken.source.outcomes[key(2)] = outcome
    before = len(taken.source.reads)

    first, second = taken.run(V11), taken.run(V11)

    assert (first.counts.upgraded, first.counts.unchanged) == (4, 1)
    assert (first.awaiting_upgrade, second.awaiting_upgrade) == (awaiting, awaiting)
    assert (second.counts.unchanged, second.commit_id) == (5, None)
    assert len(taken.source.reads) - before == reads
    assert taken.reasons() == {}

    taken.source.outcomes.clear()
    assert taken.run(V11).counts.upgraded == awaiting


def test_a_row_that_is_not_there_settles_it(taken: World) -> None:
    """Somebody changed it by hand; nothing else is filled instead of it."""
    is_third = pl.int_range(pl.len()) == 2
    other = pl.when(is_third).then(pl.lit("other")).otherwise("study").alias("study")
    taken.rewrite(CHECKPOINT, lambda rows: rows.with_columns(other))
    taken.lose_digests()

    report = taken.run(V11)

    assert (report.counts.upgraded, report.counts.unchanged, report.awaiting_upgrade) == (4, 1, 0)
    assert naccids(taken)[2] is None


def refuse(_decoder: object, data: bytes) -> NoReturn:
    """Take nothing for an event."""
    raise InvalidEvent(None, f"{len(data)} bytes are not enough")


def test_an_event_that_the_newer_format_refuses_is_settled(taken: World) -> None:
    """By a mistake of ours: a newer format is to accept what an older one did."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("checkpoint_core._judging.judgement.Decoder.decode", refuse)
        report = taken.run(V11)

    assert (report.counts.unchanged, report.counts.invalid, report.awaiting_upgrade) == (5, 0, 0)
    assert taken.reasons() == {}


def test_a_touched_object_is_upgraded_at_the_same_time(taken: World) -> None:
    """It is read anyway; with nothing to add it is touched as always."""
    taken.write(6)
    taken.run()
    for number in (1, 6):
        taken.source.touch(key(number))

    report = taken.run(structs.replace(V11, max_events_per_run=2))

    assert (report.counts.upgraded, report.counts.touched, report.counts.unchanged) == (1, 1, 4)
    assert report.awaiting_upgrade == 4
    assert naccids(taken)[1] == "NACC000001"


@pytest.mark.parametrize("layout", [1, 2])
def test_rows_of_an_earlier_layout_may_all_need_it(world: World, layout: int) -> None:
    """It did not record formats: those that have their values are settled, the others filled.

    Under format 1.0 there is nothing to fill, whatever the rows were taken under.
    """
    write(world, 1)
    world.run()
    write(world, 2)
    world.source.outcomes[key(1)] = "unreadable"
    old = world.copy()
    world.run(V11)
    old.run()
    world.source.outcomes.clear()
    for each in (world, old):
        for name in (CHECKPOINT, LEDGERS + each.ledger_name()):
            each.rewrite(name, lambda rows: rows.drop("event_format", strict=False), layout=layout)
        each.lose_digests()
    assert naccids(world) == [None, "NACC000002"]

    report, nothing = world.run(V11), old.run()

    assert naccids(world) == ["NACC000001", "NACC000002"]
    assert (report.counts.upgraded, report.counts.unchanged, report.awaiting_upgrade) == (1, 1, 0)
    assert formats(world) == ["1.1", "1.1"]
    assert world.problems(V11, source=True) == []
    assert (nothing.awaiting_upgrade, nothing.commit_id) == (0, None)


def test_adopted_rows_are_no_candidates(world: World) -> None:
    """There is no object to read their values from."""
    put(world, frame(document(timestamp="2020-01-01T00:00:00Z")))
    write(world, 1)
    world.run(mode="adopt")

    report = world.run(V11)

    assert naccids(world) == [None, "NACC000001"]
    assert (report.counts.upgraded, report.awaiting_upgrade) == (1, 0)
    assert world.metadata()["adopted_rows"] == 1


def test_after_a_lost_race_rows_are_looked_for_in_the_winners_file(taken: World) -> None:
    """Its new rows have moved the places; what it has filled itself is left to the next run."""
    write(taken, 9, timestamp="2020-01-01T00:00:00Z")
    taken.source.outcomes[key(9)] = "unreadable"

    def rival() -> None:
        taken.source.outcomes.clear()
        taken.run(structs.replace(V11, max_events_per_run=2))

    taken.before("put_if", rival)
    report = taken.run(V11)

    assert naccids(taken) == ["NACC000009", *(f"NACC{number:06d}" for number in range(1, 6))]
    assert (report.counts.upgraded, report.counts.deferred) == (4, 2)
    assert report.listed == report.counts.listed == 6
    assert taken.run(V11).commit_id is None
    assert taken.problems(V11, source=True) == []


def test_an_object_that_is_rewritten_between_listing_and_reading(taken: World) -> None:
    """It is judged as what it is now: a new version, invalid, or at most not late enough."""

    def change(_key: str) -> None:
        taken.source.before_reading = lambda _key: None
        write(taken, 1, packet="F")
        taken.spoil(2)
        write(taken, 3, packet="F", timestamp="2020-01-01T00:00:00Z")

    taken.source.before_reading = change
    report = taken.run(V11, since=taken.clock.current.replace(year=2023))

    assert (report.counts.accepted, report.counts.invalid, report.counts.before_cutoff) == (1, 1, 0)
    assert (report.counts.upgraded, report.counts.unchanged, report.awaiting_upgrade) == (2, 1, 1)
    assert report.listed == report.counts.listed == 5

    after = taken.run(V11)
    assert (after.counts.accepted, after.awaiting_upgrade, after.total_events) == (1, 0, 7)


def test_an_object_that_is_too_large_by_now_keeps_its_row(taken: World) -> None:
    """The limit was lowered; it is not read, and not a reject either."""
    report = taken.run(structs.replace(V11, max_object_size_bytes=10))

    assert (report.counts.unchanged, report.counts.invalid, report.awaiting_upgrade) == (5, 0, 0)


@hypothesis_settings(max_examples=hypothesis_settings().max_examples // 3, deadline=None)
@given(
    objects=st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from([None, "NACC1", "NACC2"])), max_size=5
    ),
    taken_first=st.integers(0, 5),
    portion=st.integers(1, 3),
)
def test_upgrading_ends_as_if_all_had_been_taken_under_the_newer_format(
    objects: list[tuple[int, str | None]], taken_first: int, portion: int
) -> None:
    """As a multiset, whatever is equal in the old columns and whatever the portions are."""
    documents = [
        document(EventFormat.V1_1, gear_name=f"{kind}", naccid=naccid, modality=None)
        for kind, naccid in objects
    ]
    settings = structs.replace(V11, max_events_per_run=portion)
    with scratch() as folder:
        world = World(folder)
        for number, data in enumerate(documents):
            if number == taken_first:
                world.run()
            world.source.write(key(number), data)
        world.run()
        reports = [world.run(settings)]
        while reports[-1].awaiting_upgrade:
            reports.append(world.run(settings))

        wanted = Counter(without_nulls(row(data, EventFormat.V1_1)) for data in documents)
        assert world.rows() == wanted
        assert sum(each.counts.upgraded for each in reports) == sum(
            naccid is not None for _, naccid in objects
        )
        assert world.run(settings).commit_id is None


def test_an_observer_is_told_of_all_that_is_read(taken: World) -> None:
    """First, so that it can say whether it will fit; what is new and what is filled together."""
    write(taken, 6)
    watcher = Watcher()

    taken.run(V11, host=taken.host(observer=watcher))

    selected = [each.split()[0] for each in watcher.told if each.startswith("selected=")]
    assert (selected[0], selected[-1]) == ("selected=6", "selected=6")
    assert "accepted=1 touched=5 rejected=0" in watcher.told
