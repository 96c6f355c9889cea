"""Objects that were there at an adoption, unread, claim the rows that were adopted for them."""

import pytest

from checkpoint_format.errors import CorruptCheckpointError, MissingLedgerError
from tests.checkpoint_core.foreign import (
    WITHOUT_SANDBOX,
    adopt,
    adopt_unread,
    event,
    frame,
    frames_of,
    name_of,
    put,
)
from tests.checkpoint_core.world import CHECKPOINT, LEDGERS, REJECTS, World, a_time, document


@pytest.fixture
def half_taken(world: World) -> World:
    """Give a world with two adopted rows, whose objects were archived under odd names."""
    adopt_unread(world)
    assert world.metadata()["adopted_rows"] == 2
    return world


def test_what_is_restored_claims_its_row(half_taken: World) -> None:
    """In the run that reads it: no row more, one adopted one less; and then it is unchanged."""
    first, second = half_taken.source.objects
    del half_taken.source.outcomes[first]

    report = half_taken.run(WITHOUT_SANDBOX, list_restores=True)

    assert (report.counts.touched, report.counts.accepted, report.total_events) == (1, 0, 2)
    assert half_taken.metadata()["adopted_rows"] == 1
    entry = half_taken.ledger().row(0, named=True)
    assert (entry["key"], entry["versions"], entry["state"]) == (first, 1, "accepted")

    half_taken.source.outcomes.clear()
    half_taken.source.touch(second)
    last = half_taken.run(WITHOUT_SANDBOX, list_restores=True)

    metadata = half_taken.metadata()
    assert (last.counts.touched, last.counts.unchanged, last.total_events) == (1, 1, 2)
    assert (metadata["adopted_rows"], metadata["adopted_at"], metadata["unclaimed"]) == (
        0,
        None,
        None,
    )
    assert half_taken.problems(WITHOUT_SANDBOX, source=True) == []


def test_an_object_that_has_a_row_claims_none(half_taken: World) -> None:
    """Rewritten it is a new version, also where that equals a row that was adopted for another."""
    data = next(iter(half_taken.source.objects.values())).data
    half_taken.source.write(f"again/{name_of(data)}", event(gear_name="of its own"))
    half_taken.run(WITHOUT_SANDBOX)
    half_taken.source.write(f"again/{name_of(data)}", data)

    report = half_taken.run(WITHOUT_SANDBOX)

    assert (report.counts.accepted, report.total_events) == (1, 4)
    assert half_taken.metadata()["adopted_rows"] == 2


@pytest.mark.parametrize("is_older", [False, True])
def test_an_equal_event_under_another_name_is_new(half_taken: World, *, is_older: bool) -> None:
    """It was not there at the adoption, whatever its content is; nor is it when others claim.

    One that was not modified since must have been there, although the pair does not know its name.
    """
    data = next(iter(half_taken.source.objects.values())).data
    adopted_at = a_time(half_taken.metadata()["adopted_at"])
    half_taken.source.write(f"again/{name_of(data)}", data, adopted_at if is_older else None)

    report = half_taken.run(WITHOUT_SANDBOX)

    assert (report.counts.touched, report.counts.accepted) == (is_older, not is_older)
    assert half_taken.metadata()["adopted_rows"] == 2 - is_older

    half_taken.source.outcomes.clear()
    assert half_taken.run(WITHOUT_SANDBOX, list_restores=True).total_events == 3
    assert half_taken.metadata()["adopted_rows"] == 0


@pytest.mark.parametrize("touched", [False, True])
@pytest.mark.parametrize("restored", [False, True])
def test_who_was_there_is_known_by_the_pair(
    half_taken: World, *, restored: bool, touched: bool
) -> None:
    """Not by the rejects, which may be lost, or know of a later state than a version restored."""
    earlier = half_taken.store.data(CHECKPOINT)
    half_taken.source.outcomes.clear()
    if restored:
        half_taken.run(WITHOUT_SANDBOX, list_restores=True)
        half_taken.store.write(CHECKPOINT, earlier)
    else:
        del half_taken.store.files[REJECTS]
    for name in list(half_taken.source.objects) if touched else ():
        half_taken.source.touch(name)

    report = half_taken.run(WITHOUT_SANDBOX, list_restores=True)

    assert (report.counts.touched, report.counts.accepted, report.total_events) == (2, 0, 2)
    assert half_taken.problems(WITHOUT_SANDBOX, source=True) == []


@pytest.mark.parametrize("rejects", ["as they were", "damaged", "of an earlier version"])
def test_a_repaired_object_claims_its_row(world: World, rejects: str) -> None:
    """It was broken at the adoption, and there; whatever the rejects still tell of that."""
    data = event()
    world.source.write(name_of(data), b"{}")
    adopt(world, frames_of([data]))
    earlier = {name: world.store.data(name) for name in (CHECKPOINT, REJECTS)}
    world.source.write(name_of(data), data)
    if rejects == "damaged":
        world.store.write(REJECTS, b"damaged")
    elif rejects == "of an earlier version":
        world.run(WITHOUT_SANDBOX)
        for name, content in earlier.items():
            world.store.write(name, content)

    report = world.run(WITHOUT_SANDBOX)

    assert (report.counts.touched, report.counts.accepted, report.total_events) == (1, 0, 1)
    assert len(report.warnings) == (rejects == "damaged")
    assert world.metadata()["adopted_rows"] == 0
    assert world.problems(WITHOUT_SANDBOX, source=True) == []


def test_a_claimed_row_is_given_what_it_lacks(world: World) -> None:
    """The other system did not know a column that the object has."""
    data = event(naccid="NACC000007")
    world.source.write(f"odd/{name_of(data)}", data)
    world.source.outcomes = dict.fromkeys(world.source.objects, "archived")
    put(world, frame(document()))
    world.run(WITHOUT_SANDBOX, mode="adopt")
    world.source.outcomes.clear()
    for name in list(world.source.objects):
        world.source.touch(name)

    report = world.run(WITHOUT_SANDBOX, list_restores=True)

    assert (report.counts.upgraded, report.counts.touched, report.total_events) == (1, 0, 1)
    assert world.store.rows()["naccid"].to_list() == ["NACC000007"]
    assert world.run(WITHOUT_SANDBOX).commit_id is None


def unclaimed(world: World) -> list[str]:
    """Return the names of all files of unclaimed rows."""
    return [name for name in world.store.files if name.startswith(f"{LEDGERS}unclaimed-")]


def test_after_a_lost_race_claims_are_made_anew(half_taken: World) -> None:
    """What the winner has claimed is left to the next run; the rest is claimed from what is left."""
    first, second = half_taken.source.objects
    half_taken.source.outcomes.clear()

    def rival() -> None:
        half_taken.source.outcomes = {second: "archived"}
        half_taken.run(WITHOUT_SANDBOX, list_restores=True)

    half_taken.before("put_if", rival)
    report = half_taken.run(WITHOUT_SANDBOX, list_restores=True)

    assert (report.counts.touched, report.counts.deferred, report.total_events) == (1, 1, 2)
    assert half_taken.metadata()["adopted_rows"] == 0
    assert half_taken.ledger()["key"].to_list() == [first, second]
    assert half_taken.problems(WITHOUT_SANDBOX) == []


def test_a_lost_race_leaves_no_file_of_unclaimed_rows(half_taken: World) -> None:
    """Of the attempt that did not take place; the one in force stays."""
    first, _ = half_taken.source.objects
    del half_taken.source.outcomes[first]
    [before] = unclaimed(half_taken)

    def rival() -> None:
        half_taken.source.outcomes[first] = "archived"
        data = event(timestamp="2024-02-01T10:00:00Z")
        half_taken.source.write(name_of(data), data)
        half_taken.run(WITHOUT_SANDBOX)

    half_taken.before("put_if", rival)
    half_taken.run(WITHOUT_SANDBOX, list_restores=True)

    metadata = half_taken.metadata()
    assert metadata["adopted_rows"] == 1
    assert unclaimed(half_taken) == [before, f"{LEDGERS}unclaimed-{metadata['commit_id']}.parquet"]


def test_unclaimed_rows_that_are_gone_are_missed(half_taken: World) -> None:
    """When they are needed: a row must not be doubled because a file was deleted."""
    [name] = unclaimed(half_taken)
    kept = half_taken.store.data(name)
    del half_taken.store.files[name]
    [problem] = half_taken.problems(WITHOUT_SANDBOX, source=True)
    assert f"{name}, which belongs to its ledger, is gone" in problem
    assert half_taken.run(WITHOUT_SANDBOX).commit_id is None
    half_taken.source.outcomes.clear()

    with pytest.raises(MissingLedgerError, match=f"{name}, which belongs to its ledger, is gone"):
        half_taken.run(WITHOUT_SANDBOX, list_restores=True)

    for place in (4, len(kept) // 2, len(kept) - 9):
        damaged = bytearray(kept)
        damaged[place] ^= 1
        half_taken.store.write(name, bytes(damaged))
        assert half_taken.problems(WITHOUT_SANDBOX) == [
            f"ledger: {name} is not as it was committed"
        ]
        with pytest.raises(CorruptCheckpointError, match=f"{name} is not as it was committed"):
            half_taken.run(WITHOUT_SANDBOX, list_restores=True)
