"""Objects keep their rows when a source or a format moves, and other ends of a run."""

import pickle

import pytest
from msgspec import structs

from checkpoint_core import REJECTS_SCHEMA, Counts, Settings, errors
from checkpoint_core._committing.replacement import Replacement
from checkpoint_core._files.ledger import NO_LEDGER
from checkpoint_core._files.snapshot import NOTHING
from checkpoint_core._judging.judgement import Judgement
from checkpoint_core._judging.selection import Rules, select
from checkpoint_core._reporting import remarks
from checkpoint_core.errors import (
    CheckpointError,
    CommitOutcomeUnknownError,
    SourceChangedError,
)
from checkpoint_core.inspection import describe
from tests.checkpoint_core.memory import Fault
from tests.checkpoint_core.world import CHECKPOINT, REJECTS, World, document, key

RULES = Rules.of(Settings())


def test_objects_under_other_names_are_not_taken_twice(world: World) -> None:
    """Their source was moved by a folder: accepting the change alone would double every row."""
    world.write(1, 2)
    world.run()
    moved = World(world.folder)
    moved.store.files = dict(world.store.files)
    moved.source = type(moved.source)(moved.clock, "memory://elsewhere")
    for number in (1, 2, 3):
        moved.source.write(key(number, prefix="prod/"), document(gear_name=f"gear-{number}"))

    with pytest.raises(
        SourceChangedError, match="other names there, and every row would be taken twice"
    ):
        moved.run(accept_source_change=True)
    report = moved.run(mode="adopt", accept_source_change=True)

    assert (report.counts.touched, report.counts.accepted, report.total_events) == (2, 1, 3)
    assert moved.problems(source=True) == []
    assert moved.run().counts.unchanged == 3


def test_a_copy_without_its_ledger_can_be_looked_at(world: World) -> None:
    """An analyst has copied the file alone."""
    world.write(1, 2)
    world.run()
    copy = World(world.folder)
    copy.store.write(CHECKPOINT, world.store.data(CHECKPOINT))

    found = describe(copy.store, copy.workdir())

    assert found is not None
    assert (found.metadata.rows, found.objects) == (2, None)
    assert REJECTS not in copy.store.files


def test_a_damaged_rejects_file_is_found(world: World) -> None:
    """By the check that needs it; the others do not."""
    world.write(1)
    world.source.write(key(2), b"{")
    world.run()
    world.store.write(REJECTS, b"damaged")

    assert world.problems() == []
    assert world.problems(source=True) == [
        "source: the rejects file is damaged; the next run makes it anew"
    ]


def test_a_ledger_stays_where_an_earlier_answer_was_unclear(world: World) -> None:
    """The first attempt may still take place, so what it names must be there."""
    world.commit_each(1)
    world.write(2)
    world.disturb("put_if", Fault.BEFORE, Fault.DENIED)

    with pytest.raises(CommitOutcomeUnknownError):
        world.run()

    assert world.generations() == [1, 2]


def test_counts_that_do_not_add_up_are_told(world: World) -> None:
    """A source that breaks its promise, and lists another number than it gives, would show."""
    world.write(1)
    listing = world.source.list_objects(restore_states=False)
    selection = select(
        NO_LEDGER.compare(listing, narrower=()), rejects=REJECTS_SCHEMA.to_frame(), rules=RULES
    )
    nothing = structs.replace(selection, listed=2)
    empty = REJECTS_SCHEMA.to_frame()
    result = Replacement(
        committed=None,
        rows=0,
        snapshot=NOTHING,
        judgement=Judgement(
            accepted=empty, touched=empty, reread=empty, rejected=empty, before_cutoff=0
        ),
        deferred=empty,
        upgraded=empty,
        adopted=empty,
    )

    assert list(remarks(nothing, Counts(deferred=1), result)) == [
        "the counts add up to 1, but 2 objects were listed: this is a bug; please report it"
    ]
    assert list(remarks(selection, Counts(deferred=1), result)) == []


def test_unknown_fields_are_counted_of_accepted_events_alone(world: World) -> None:
    """What is read again and again is not counted each time."""
    world.write(1, more=1, timestamp="2020-01-01T00:00:00Z")
    world.write(2, more=1)

    report = world.run(since=world.clock.now().replace(year=2023))

    assert report.unknown_fields == {"more": 1}


@pytest.mark.parametrize(
    "error",
    [
        errors.CorruptCheckpointError("there", "is damaged"),
        errors.SourceChangedError("there", "this", "that", renamed=True),
        errors.AdoptionIncompleteError("there", 2, ("one", "two")),
        errors.WouldLoseRowsError("there", None),
        errors.StorageError("it failed"),
    ],
)
def test_errors_pass_from_process_to_process(error: CheckpointError) -> None:
    """With their message and their facts."""
    passed = pickle.loads(pickle.dumps(error))

    assert type(passed) is type(error)
    assert str(passed) == str(error)
    assert vars(passed) == vars(error)
