"""Taking over a checkpoint that has no ledger."""

import io
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from checkpoint_core import Settings
from checkpoint_core.errors import (
    AdoptionIncompleteError,
    CommitConflictError,
    FormatDowngradeError,
    NewerLayoutError,
    NothingToAdoptError,
    SourceChangedError,
)
from nacc_event_model import EventFormat
from tests.checkpoint_core.foreign import existing, frame, put
from tests.checkpoint_core.memory import Fault
from tests.checkpoint_core.oracle import Oracle, digest_of
from tests.checkpoint_core.world import (
    CHECKPOINT,
    LEDGERS,
    REJECTS,
    World,
    document,
    key,
    multiset,
    named,
    read_json_metadata,
    row,
    scratch,
)

V11 = Settings(event_format=EventFormat.V1_1)


def lose_ledger(world: World) -> None:
    """Remove all ledgers."""
    for name in [name for name in world.store.files if name.startswith(LEDGERS)]:
        del world.store.files[name]


def test_rows_are_subtracted_as_a_multiset(world: World) -> None:
    """Two equal objects and one equal row: one of them is new. Three rows: one has no object."""
    same = document()
    for number in (1, 2, 3, 4):
        world.source.write(key(number), same if number < 3 else document(ptid="OTHER"))
    put(world, frame(same, document(ptid="OTHER"), document(ptid="OTHER"), document(ptid="OTHER")))

    report = world.run(mode="adopt")

    assert world.rows() == {row(same): 2, row(document(ptid="OTHER")): 3}
    assert (report.counts.touched, report.counts.accepted) == (3, 1)
    assert world.metadata()["adopted_rows"] == 1
    assert world.problems(source=True) == []


def test_rows_without_an_object_are_kept(world: World) -> None:
    """Expired, overwritten, or no longer valid: they are history."""
    gone = document(gear_name="gone", timestamp="2020-01-01T00:00:00Z")
    put(world, frame(*existing(world, 1), gone))

    report = world.run(mode="adopt")
    world.write(2)
    world.run()

    assert report.total_events == 2
    assert world.metadata()["adopted_rows"] == 1
    assert world.gears() == ["gone", "gear-1", "gear-2"]


def test_archived_objects_are_adopted_by_their_names(world: World) -> None:
    """Where a row is there that the name speaks of. The others wait for being restored."""
    there, elsewhere = document(gear_name="there"), document(gear_name="offset", ptid="A1")
    missing = document(gear_name="missing", ptid="B1")
    [third] = existing(world, 3)
    put(world, frame(there, elsewhere))
    local = named(elsewhere).replace("-100000-", "-050000-")
    for name, data in ((named(there), there), (local, elsewhere), (named(missing), missing)):
        world.source.write(name, data)
        world.source.outcomes[name] = "archived"

    report = world.run(mode="adopt")

    assert (report.counts.archived, report.counts.accepted) == (3, 1)
    assert sorted(world.ledger().select("key", "state", "versions", "digest").rows()) == [
        (key(3), "accepted", 1, digest_of(third)),
        (local, "adopted", 0, None),
        (named(there), "adopted", 0, None),
    ]
    assert {named(missing): "archived"} == {
        name: outcome for name, (outcome, _) in world.reasons().items()
    }
    assert world.problems(source=True) == []

    world.source.outcomes.clear()
    restored = world.run(list_restores=True)

    assert (restored.counts.unchanged, restored.counts.accepted) == (3, 1)
    assert sorted(world.gears()) == ["gear-3", "missing", "offset", "there"]


def test_an_adopted_object_that_is_rewritten_is_a_new_version(world: World) -> None:
    """Its row is new; what was adopted stays."""
    name = named(document())
    world.source.write(name, document())
    put(world, frame(document()))
    world.source.outcomes[name] = "archived"
    world.run(mode="adopt")
    world.source.outcomes.clear()
    world.source.write(name, document(module="FTLD"))

    report = world.run()

    entry = world.ledger().row(0, named=True)
    assert (report.counts.accepted, report.total_events) == (1, 2)
    assert (entry["state"], entry["versions"]) == ("accepted", 1)
    assert world.problems(source=True) == []


@pytest.mark.parametrize("outcome", ["unreadable", "denied"])
def test_adopting_needs_every_object(world: World, outcome: Any) -> None:
    """Taking an unread one later could double its row."""
    put(world, frame(*existing(world, 1)))
    world.write(2)
    world.source.outcomes[key(2)] = outcome

    with pytest.raises(AdoptionIncompleteError, match="1 objects could not be read"):
        world.run(mode="adopt")

    assert world.writes() == []


def test_invalid_and_vanished_objects_do_not_hinder_adoption(world: World) -> None:
    """They are rejects like always."""
    put(world, frame(*existing(world, 1)))
    world.source.write(key(2), b"{}")
    world.write(3)
    world.source.before_reading = lambda name: world.source.objects.pop(key(3), None)

    report = world.run(mode="adopt")

    assert (report.counts.invalid, report.counts.missing, report.listed) == (1, 1, 3)
    assert list(world.reasons()) == [key(2), key(3)]


def test_excluded_events_that_have_rows_already_are_matched(world: World) -> None:
    """The others are excluded as always: rows are never taken out."""
    world.write(1, 2, project_label="sandbox-form")
    put(world, frame(world.source.objects[key(1)].data))

    report = world.run(Settings(exclude_projects=("sandbox-*",)), mode="adopt")

    assert (report.counts.touched, report.counts.excluded, report.counts.accepted) == (1, 1, 0)
    assert report.total_events == 1
    assert list(world.reasons()) == [key(2)]


@pytest.mark.parametrize("with_own_metadata", [True, False])
def test_thirteen_columns_are_adopted_under_format_1_1(
    world: World,
    with_own_metadata: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A row that is null where the object has more is the object's, and is filled."""
    fields = {"naccid": "NACC000001", "modality": None}
    world.source.write(key(1), document(EventFormat.V1_1, **fields))
    world.source.write(key(2), document(EventFormat.V1_1, ptid="a-1", **fields))
    if with_own_metadata:
        world.source.outcomes[key(2)] = "denied"
        world.run()
        world.source.outcomes.clear()
        lose_ledger(world)
    else:
        put(world, frame(document()))

    report = world.run(V11, mode="adopt")

    assert (report.counts.upgraded, report.counts.accepted) == (1, 1)
    assert world.store.rows().select("ptid", "naccid").rows() == [
        ("110001", "NACC000001"),
        ("a-1", "NACC000001"),
    ]
    assert world.problems(V11, source=True) == []


def test_there_must_be_something_to_adopt(world: World) -> None:
    """A checkpoint, and no ledger."""
    world.write(1)
    with pytest.raises(NothingToAdoptError, match=r"there is no checkpoint.*Run without --adopt"):
        world.run(mode="adopt")
    world.run()

    with pytest.raises(NothingToAdoptError, match=r"it has a ledger already"):
        world.run(mode="adopt")


def test_a_checkpoint_whose_ledger_is_damaged_is_adopted(world: World) -> None:
    """Its own rows are whole; the ledger is what is made anew."""
    world.write(1, 2)
    world.run()
    name = f"{LEDGERS}{world.metadata()['commit_id']}.parquet"
    world.store.write(name, world.store.data(name)[:-1])
    rows = world.rows()

    report = world.run(mode="adopt")

    assert world.rows() == rows
    assert (report.commit_id, report.counts.touched) == ("00000002-run0002", 2)
    assert world.metadata()["lineage"] == ["00000001-run0001", "00000002-run0002"]


@pytest.mark.parametrize(
    "change, request_, error",
    [
        ({"source": "memory://other"}, {}, SourceChangedError),
        ({"source": "memory://other"}, {"accept_source_change": True}, None),
        ({"event_format": "1.1"}, {}, FormatDowngradeError),
        ({"layout": 4}, {}, NewerLayoutError),
    ],
)
def test_what_a_checkpoint_says_about_itself_holds_without_its_ledger(
    world: World, change: dict[str, Any], request_: dict[str, Any], error: type[Exception] | None
) -> None:
    """Its source, its format, its layout."""
    world.write(1)
    world.run()
    lose_ledger(world)
    data = world.store.data(CHECKPOINT)
    text = msgspec.json.encode(read_json_metadata(data) | change).decode()
    target = io.BytesIO()
    world.store.rows().write_parquet(target, metadata={"nacc.checkpoint": text})
    world.store.write(CHECKPOINT, target.getvalue())

    if error is None:
        assert world.run(mode="adopt", **request_).counts.touched == 1
    else:
        with pytest.raises(error):
            world.run(mode="adopt", **request_)


def test_a_race_while_adopting_is_left_to_a_person(world: World) -> None:
    """Somebody else is at work: the file that was read is no longer the one that is there."""
    put(world, frame(*existing(world, 1)))
    other = world.store.data(CHECKPOINT)
    world.store.before_call = lambda call: (
        world.store.write(CHECKPOINT, other) if call.startswith("put_if") else None
    )

    with pytest.raises(CommitConflictError, match="during each of 1 attempts"):
        world.run(mode="adopt")

    assert world.store.data(CHECKPOINT) == other


def test_a_replaced_file_is_never_overwritten(world: World) -> None:
    """Each has the name of the commit that replaced it."""
    put(world, frame(*existing(world, 1)))
    first = world.store.data(CHECKPOINT)
    world.run(mode="adopt")
    second = world.store.data(CHECKPOINT)
    lose_ledger(world)
    world.run(mode="adopt")

    kept = {name: data for name, (data, *_) in world.store.files.items() if "_previous" in name}
    assert list(kept.values()) == [first, second]


def test_an_empty_checkpoint_is_adopted(world: World) -> None:
    """It has no rows, and then all that the source yields."""
    put(world, frame(document()).clear())
    world.write(1, 2)
    world.source.outcomes[key(2)] = "archived"

    report = world.run(mode="adopt")

    assert (report.total_events, report.counts.accepted, report.counts.archived) == (1, 1, 1)
    assert list(world.reasons()) == [key(2)]


def test_an_empty_source_is_not_adopted_from_by_mistake(world: World) -> None:
    """Every row would count as adopted."""
    put(world, frame(document()))
    with pytest.raises(Exception, match="no objects, although the ledger knows 1"):
        world.run(mode="adopt")

    assert world.run(mode="adopt", accept_empty_source=True).total_events == 1
    assert world.metadata()["adopted_rows"] == 1


@hypothesis_settings(max_examples=hypothesis_settings().max_examples // 3)
@given(
    objects=st.lists(st.integers(0, 3), max_size=6),
    rows=st.lists(st.integers(0, 3), max_size=6),
)
def test_adopting_makes_the_union_of_two_multisets(objects: list[int], rows: list[int]) -> None:
    """Of each event as many rows as there were, or as many as there are objects, if more."""
    documents = [document(gear_name=f"{kind}") for kind in range(4)]
    with scratch() as folder:
        world = World(folder)
        for number, kind in enumerate(objects):
            world.source.write(key(number), documents[kind])
        put(world, frame(*(documents[kind] for kind in rows)))
        oracle = Oracle(world, foreign=True)

        report = world.run(mode="adopt", accept_empty_source=True)

        expected = multiset(frame(*(documents[kind] for kind in rows))) | multiset(
            frame(*(documents[kind] for kind in objects))
        )
        assert world.rows() == expected
        assert report.counts.listed == len(objects)
        oracle.check()
        assert world.run(accept_empty_source=True).counts.unchanged == len(objects)


def test_losing_the_ledger_and_adopting_again_gives_the_same_rows(world: World) -> None:
    """With versions, rejects and all, and a first answer that was lost."""
    world.write(1, 2, 3)
    world.source.write(key(4), b"{}")
    world.run()
    world.write(1, module="FTLD")
    world.run()
    rows = world.rows()
    lose_ledger(world)
    world.store.before_call = lambda call: (
        world.store.faults.update({len(world.store.calls) - 1: Fault.AFTER})
        if call.startswith("put_if")
        else None
    )

    report = world.run(mode="adopt")

    assert world.rows() == rows
    assert report.total_events == 4
    assert world.metadata()["adopted_rows"] == 1
    assert REJECTS in world.store.files
    assert world.metadata()["committed_at"] > str(datetime(2026, 1, 1, tzinfo=UTC).date())
