"""Taking over a checkpoint that has no ledger."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from checkpoint_core import LAYOUT_VERSION, Settings
from checkpoint_core.errors import AdoptionIncompleteError, NothingToAdoptError
from checkpoint_format.errors import NewerLayoutError
from nacc_event_model import EventFormat
from tests.checkpoint_core.foreign import existing, frame, put
from tests.checkpoint_core.oracle import Oracle
from tests.checkpoint_core.world import (
    CHECKPOINT,
    LEDGERS,
    V11,
    World,
    document,
    key,
    multiset,
    named,
    scratch,
)


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

    with world.untouched(AdoptionIncompleteError, "1 objects could not be read"):
        world.run(mode="adopt")


def test_invalid_and_vanished_objects_do_not_hinder_adoption(world: World) -> None:
    """They are rejects like always."""
    put(world, frame(*existing(world, 1)))
    world.spoil(2)
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
    world: World, *, with_own_metadata: bool
) -> None:
    """A row that is null where the object has more is the object's, and is filled."""
    fields = {"naccid": "NACC000001", "modality": None}
    world.source.write(key(1), document(EventFormat.V1_1, **fields))
    world.source.write(key(2), document(EventFormat.V1_1, ptid="a-1", **fields))
    if with_own_metadata:
        world.source.outcomes[key(2)] = "denied"
        world.run()
        world.source.outcomes.clear()
        world.lose_ledgers()
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
    name = LEDGERS + world.ledger_name()
    world.store.write(name, world.store.data(name)[:-1])
    rows = world.rows()

    report = world.run(mode="adopt")

    assert world.rows() == rows
    assert (report.commit_id, report.counts.touched) == ("00000002-run0002", 2)
    assert world.metadata()["lineage"] == ["00000001-run0001", "00000002-run0002"]


def test_a_newer_layout_is_not_adopted(world: World) -> None:
    """What a checkpoint says about itself holds without its ledger."""
    world.commit_each(1)
    world.lose_ledgers()
    world.rewrite(CHECKPOINT, layout=LAYOUT_VERSION + 1)

    with world.untouched(NewerLayoutError):
        world.run(mode="adopt")


def test_a_replaced_file_is_never_overwritten(world: World) -> None:
    """Each has the name of the commit that replaced it."""
    put(world, frame(*existing(world, 1)))
    first = world.store.data(CHECKPOINT)
    world.run(mode="adopt")
    second = world.store.data(CHECKPOINT)
    world.lose_ledgers()
    world.run(mode="adopt")

    kept = {name: data for name, (data, *_) in world.store.files.items() if "_previous" in name}
    assert list(kept.values()) == [first, second]


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

        present, yielded = (
            multiset(frame(*(documents[kind] for kind in kinds))) for kinds in (rows, objects)
        )
        assert world.rows() == present | yielded
        assert report.counts.accepted == (yielded - present).total()
        assert report.counts.touched == (yielded & present).total()
        assert report.counts.listed == len(objects)
        assert world.metadata()["adopted_rows"] == (present - yielded).total()
        oracle.check()
        assert world.problems(source=bool(objects)) == []
        assert world.run(accept_empty_source=True).counts.unchanged == len(objects)
